"""One export format a file, each with an ``EXPORT``; a new file is a new format."""

from __future__ import annotations

import importlib
import pkgutil

from pruning.delivery.exports._base import Export


def exports() -> dict[str, Export]:
    """All formats by name, told by the files of this folder."""
    found: dict[str, Export] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            export: Export = importlib.import_module(f"{__name__}.{module.name}").EXPORT
            found[export.name] = export
    return found
