"""The engine as functions: what ``import pruning`` offers and the command line prints.

Model files are paths; DATA is a path (``.npz``, ``.zip``, ``.csv``, folder) or a demo's name.
"""

from pruning.api.engine import compare, export, inspect, plan, prune
from pruning.api.results import Compared, Exported, Inspection, Planned, Pruned

__all__ = [
    "Compared",
    "Exported",
    "Inspection",
    "Planned",
    "Pruned",
    "compare",
    "export",
    "inspect",
    "plan",
    "prune",
]
