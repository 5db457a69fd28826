"""Folders of plugins: one file each, found by being there.

A file whose name begins with an underscore is part of the folder's contract, not a plugin.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType


def names(package: str) -> tuple[str, ...]:
    """Names of a package's plugins in alphabetical order; none of them is imported.

    Args:
        package: Full name of the package, its ``__name__``.
    """
    return _files(tuple(import_module(package).__path__))


@cache
def _files(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Looked through once: folders do not change while the program runs."""
    found = (module.name for module in pkgutil.iter_modules(folders))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def plugin(package: str, name: str) -> ModuleType:
    """Import one of a package's plugins."""
    return import_module(f"{package}.{name}")


def plugins(package: str) -> tuple[ModuleType, ...]:
    """Import all of a package's plugins, in the order of their names."""
    return tuple(plugin(package, name) for name in names(package))
