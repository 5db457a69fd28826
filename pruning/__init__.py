"""Pruning Studio: make a trained Keras model smaller and faster, and prove what that cost.

The command line's engine as functions, each returning a dataclass with ``to_dict()``::

    import pruning

    planned = pruning.plan("model.keras", "flops=0.5")
    pruned = pruning.prune("model.keras", planned.plan, data="data.zip", out="pruned")
    print(pruning.compare("model.keras", pruned.model, "data.zip").verdict)

Every error that is the caller's to solve is a :class:`PruningError`. TensorFlow is imported by the
first call, not by ``import pruning``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pruning.api import (
        Compared,
        Exported,
        Inspection,
        Planned,
        Pruned,
        compare,
        export,
        inspect,
        plan,
        prune,
    )
    from pruning.errors import PruningError
    from pruning.strategy.plan import PruningPlan

__version__ = "0.1.0"
__all__ = [
    "Compared",
    "Exported",
    "Inspection",
    "Planned",
    "Pruned",
    "PruningError",
    "PruningPlan",
    "compare",
    "export",
    "inspect",
    "plan",
    "prune",
]
_ELSEWHERE = {"PruningError": "pruning.errors", "PruningPlan": "pruning.strategy.plan"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_ELSEWHERE.get(name, "pruning.api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
