"""How a peer's script answers ``topology_table.py``: one JSON object, {topology: verdict}."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable


def verdicts(verdict: Callable[[str], str], forget: Callable[[], None] = lambda: None) -> None:
    """Judge the topologies named on the command line, and print what came of it.

    Args:
        verdict: Of one topology.
        forget: Called after each.
    """
    found = {}
    for name in sys.argv[1:]:
        try:
            found[name] = verdict(name)
        # Whatever a peer raises is its answer.
        except Exception as error:
            print(name, type(error).__name__, str(error)[:300], file=sys.stderr)
            found[name] = f"{type(error).__name__}"
        forget()
    print(json.dumps(found))
