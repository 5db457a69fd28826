"""Images, audio and text: how files become model inputs, one file each."""

from __future__ import annotations

from pruning.errors import DataFileError
from pruning.intake.modalities._base import Modality
from pruning.plugins import plugins


def modalities() -> dict[str, Modality]:
    """Every modality by name; a new file in this folder with a ``MODALITY`` is one more."""
    return {module.MODALITY.name: module.MODALITY for module in plugins(__name__)}


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
