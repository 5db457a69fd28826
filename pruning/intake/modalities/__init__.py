"""Images, audio and text: how files become model inputs, one file each."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from pruning.errors import DataFileError
from pruning.intake.modalities._base import Modality


@cache
def modalities() -> dict[str, Modality]:
    """Every modality by name; a new file in this folder with a ``MODALITY`` is one more."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            plugin = importlib.import_module(f"{__name__}.{module.name}").MODALITY
            found[plugin.name] = plugin
    return found


def modality(name: str) -> Modality:
    """Return the modality of that name.

    Raises:
        DataFileError: There is none.
    """
    known = modalities()
    if name not in known:
        raise DataFileError(
            f"There is no modality {name!r}.",
            expected=f"One of: {', '.join(known)}.",
            fix='Set "modality" in preprocessing.json to one of them.',
        )
    return known[name]
