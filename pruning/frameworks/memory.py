"""How TensorFlow's process takes memory from the system and gives it back.

TensorFlow's own pool for oneDNN never gives memory back: a ResNet50 that has answered once would
hold another copy of its weights. Without the pool the C library decides, and it returns large
blocks at once, which is right for loading and cutting and wrong for steps that repeat. So the pool
is off, and who repeats steps says so.

Python's own collector would look through the half million objects of TensorFlow's modules again and
again, and none of them ever goes: a fifth of the import, and a quarter of a second each time later.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import sys
from typing import Any

from pruning.frameworks.greetings import without_greetings

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # malloc.h
_MALLOC_VARIABLES = ("MALLOC_", "GLIBC_TUNABLES")


def prepare_memory() -> None:
    """Set what TensorFlow and its threads read when they start; call before it is imported.

    One heap for all threads: what one has freed serves the next, where each would keep its own.
    """
    os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "true")
    _set(_M_ARENA_MAX, 1)


def imported(name: str) -> Any:
    """A Keras's module, imported on first use; its objects are none of the collector's business.

    Who has TensorFlow already may have models that should still be collected one day: then only
    the import itself is spared.
    """
    if name in sys.modules:
        return importlib.import_module(name)
    first, collecting = "tensorflow" not in sys.modules, gc.isenabled()
    gc.disable()
    try:
        with without_greetings():
            return importlib.import_module(name)
    finally:
        if first:
            gc.freeze()
        if collecting:
            gc.enable()


def keep_memory() -> None:
    """Have the C library keep freed memory for the next step, from now on.

    For what runs a model step after step: every step asks for the same hundreds of megabytes. Given
    back to the system in between, each page of them would be zeroed and mapped anew, which can take
    as long as the step itself.
    """
    _set(_M_MMAP_MAX, 0)
    _set(_M_TRIM_THRESHOLD, 2**31 - 1)


def give_back_memory() -> None:
    """Have the C library give freed memory back to the system: loading a model frees its size."""
    _of_glibc("malloc_trim", 0)


def _set(parameter: int, value: int) -> None:
    """``mallopt(3)``; the library's own environment variables have precedence."""
    if not any(name.startswith(_MALLOC_VARIABLES) for name in os.environ):
        _of_glibc("mallopt", parameter, value)


def _of_glibc(function: str, *values: int) -> None:
    """Call a function of the GNU C library, where that is the library."""
    found = getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None
    if found is not None:
        found(*values)
