"""A model read for a run before the run is there.

Who looks at a model's strategy will probably prune it. A warm worker has nothing to do meanwhile,
so it reads that model; a run of it then begins with the cut.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis
    from pruning.intake.model_file import LoadedModel

# A run for another model, and a user's cancel of it, have to wait for the end of a reading: no
# longer than a second.
MOST_BYTES = 32 * 2**20
_read: dict[Path, tuple[LoadedModel, Analysis]] = {}  # one at most


def foresee(path: Path, name: str) -> LoadedModel | None:
    """Read a model, in place of the one that was foreseen before. -> None if it cannot be."""
    _read.clear()
    try:
        loaded, _ = _read[path.resolve()] = _now(path, name)
    except Exception:  # the run will meet it again, and say what is wrong
        return None
    return loaded


def read(path: Path, name: str) -> tuple[LoadedModel, Analysis]:
    """Load a model and analyse it, unless that was done already.

    Args:
        path: A ``.keras`` or ``.h5`` file.
        name: The model's name for people.

    Raises:
        ModelFileError: The model cannot be read.
    """
    return _read.pop(path.resolve(), None) or _now(path, name)


def _now(path: Path, name: str) -> tuple[LoadedModel, Analysis]:
    from pruning.analysis.profiler import analyse_file

    return analyse_file(path, name, for_pricing=False)
