"""What keeps reruns quick: modules stay out of the garbage collector's sight."""

from __future__ import annotations

import gc
import sys

_seen = 0  # modules loaded when the collector was told last


def settle() -> None:
    """Take modules that were loaded since the last call out of the collector's sight.

    Streamlit collects all garbage after every run. Most of what the collector walks through are
    the 140,000 objects of pandas, Altair and the like, which never become garbage: 60 ms a run.
    Call it at the start of a run: the last one's garbage is collected then.
    """
    global _seen
    if len(sys.modules) != _seen:
        _seen = len(sys.modules)
        gc.freeze()
