"""One export format a file, each with an ``EXPORT``; a new file is a new format."""

from __future__ import annotations

from pruning.delivery.exports._base import Export
from pruning.plugins import plugins


def exports() -> dict[str, Export]:
    """All formats by name, told by the files of this folder."""
    return {module.EXPORT.name: module.EXPORT for module in plugins(__name__)}
