"""All runs of the home folder: list, compare, annotate, delete; damaged folders shown as such."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pruning import quantities, storage
from pruning.errors import NotFoundError, PruningError
from pruning.runs.folder import RunFolder, runs_folder
from pruning.runs.lock import locked
from pruning.runs.status import DAMAGE, Status, status
from pruning.strategy.plan import PruningPlan

_REMEMBERED = 4096  # runs
_ended: dict[Path, tuple[tuple[int, ...], RunSummary]] = {}  # by folder: times of its files

MOST_TAGS = 20  # of one run
LONGEST_TAG = 40  # characters


@dataclass(frozen=True)
class RunSummary:
    """One run as a list shows it.

    Attributes:
        model, data: Model id and data ref; empty when not known.
        model_name: The model's file name as uploaded; empty when the model is gone.
        created: Seconds since 1970.
        plan: None when it cannot be read.
        status: None when the folder is damaged.
        damaged: What is wrong with the folder; empty when nothing is.
        tags: Words of the user's to find runs by, sorted.
        accuracy: ``val_accuracy`` (or ``accuracy``) of each epoch, for a sparkline.
    """

    id: str
    folder: RunFolder
    model: str = ""
    model_name: str = ""
    data: str = ""
    created: float = 0.0
    plan: PruningPlan | None = None
    status: Status | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    damaged: str = ""
    accuracy: tuple[float, ...] = ()

    @property
    def state(self) -> str:
        """The status in a word, ``damaged`` included."""
        return self.status.state if self.status else "damaged"

    @property
    def results(self) -> Mapping[str, Any]:
        """Key figures, in the shape of the command line's ``prune``; empty until there are some."""
        return self.status.results if self.status else {}


@dataclass(frozen=True)
class Row:
    """One line of a comparison of two runs; a value that a run does not have is None."""

    name: str
    left: Any
    right: Any

    @property
    def differs(self) -> bool:
        """Whether the two runs differ here."""
        return bool(self.left != self.right)


def runs() -> list[RunSummary]:
    """All runs, newest first."""
    folder = runs_folder()
    paths = [p for p in folder.glob("[!.]*") if p.is_dir()] if folder.is_dir() else []
    found = [summary(RunFolder(path)) for path in paths]
    return sorted(found, key=lambda run: (run.created, run.id), reverse=True)


def is_empty() -> bool:
    """Whether there is no run at all; opens none of them."""
    folder = runs_folder()
    return not folder.is_dir() or next(folder.glob("[!.]*"), None) is None


def find(identifier: str) -> RunFolder:
    """Return the folder of a run.

    Raises:
        NotFoundError: There is none of that id.
    """
    path = runs_folder() / identifier
    plain = identifier == Path(identifier).name and identifier[:1] not in ("", ".")
    if not plain or not path.is_dir() or path.is_symlink():
        raise NotFoundError(
            f"There is no run {identifier!r}.",
            expected="The id of a run on this machine.",
            fix="Look for it on the runs page, or with the command: runs list.",
        )
    return RunFolder(path)


def summary(folder: RunFolder) -> RunSummary:
    """Read what a list shows of a run; a damaged folder is described, never an error.

    A run that has ended is read again only when one of its files was written since.
    """
    written = _written(folder)
    known = _ended.get(folder.path)
    if known is not None and known[0] == written:
        return known[1]
    found = _read(folder)
    if found.status is not None and found.status.final:
        if len(_ended) >= _REMEMBERED:
            _ended.clear()
        _ended[folder.path] = (written, found)
    return found


def _written(folder: RunFolder) -> tuple[int, ...]:
    """When each file that a summary is made of was written; 0 for one that is not there."""
    names = (folder.request, folder.notes, folder.plan, folder.record, folder.control, folder.claim)
    return tuple(_changed(path) for path in (*names, folder.metrics))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(folder: RunFolder) -> RunSummary:
    fields: dict[str, Any] = {"created": _modified(folder)}
    try:
        request = storage.read_json(folder.request)
        fields["model"], fields["data"] = str(request["model"]), str(request["data"] or "")
        fields["created"] = float(request["created"])
        notes = folder.read(folder.notes)
        fields["note"] = str(notes.get("note", ""))
        fields["tags"] = tuple(sorted(str(tag) for tag in notes.get("tags", [])))
        fields["model_name"] = _model_name(fields["model"])
        fields["plan"] = PruningPlan.from_dict(storage.read_json(folder.plan))
        fields["status"], fields["damaged"] = _status(folder)
        fields["accuracy"] = _accuracy(folder)
    except DAMAGE as error:
        fields["status"] = None
        fields["damaged"] = f"A file of this run cannot be read ({type(error).__name__}: {error})."
    return RunSummary(folder.id, folder, **fields)


def _status(folder: RunFolder) -> tuple[Status | None, str]:
    """The status, or why this version does not understand a folder that is whole."""
    try:
        return status(folder), ""
    except PruningError as error:
        return None, f"{error.happened} {error.fix}"


def delete(identifier: str) -> None:
    """Delete a run and everything in its folder.

    Raises:
        NotFoundError: There is none of that id.
        PruningError: It is still working.
    """
    with locked():  # the queue does not start it meanwhile
        folder = find(identifier)
        state = summary(folder).state
        if state in ("running", "cancelling"):
            raise PruningError(
                f"The run {identifier} is still {state}.",
                expected="A run that has ended.",
                fix="Cancel it first, then delete it.",
            )
        gone = folder.path.with_name(f".deleted-{folder.id}-{secrets.token_hex(4)}")
        folder.path.rename(gone)  # at once for everyone, however long the rest takes
    shutil.rmtree(gone, ignore_errors=True)


def set_note(identifier: str, text: str) -> None:
    """Replace the note on a run."""
    _annotate(identifier, note=text.strip())


def set_tags(identifier: str, tags: Iterable[str]) -> tuple[str, ...]:
    """Replace the tags of a run and return them as kept: sorted, without needless spaces.

    Raises:
        PruningError: A tag is too long, or there are too many.
    """
    clean = sorted({_clean(tag) for tag in tags} - {""})
    longest = max((len(tag) for tag in clean), default=0)
    if len(clean) > MOST_TAGS or longest > LONGEST_TAG:
        raise PruningError(
            f"The longest of {quantities.plural(len(clean), 'tag')} has {longest} characters.",
            expected=f"At most {MOST_TAGS} tags of at most {LONGEST_TAG} characters.",
            fix="Write what is longer into the note.",
        )
    _annotate(identifier, tags=clean)
    return tuple(clean)


def _clean(tag: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in tag).split())


def _annotate(identifier: str, **changes: Any) -> None:
    with locked():  # a note and tags that come at once are both kept, and a deleted run stays so
        folder = find(identifier)
        known = folder.read(folder.notes)
        kept = {name: known[name] for name in ("note", "tags") if name in known}
        storage.write_json(folder.notes, kept | changes)


def tags_of(runs: Iterable[RunSummary]) -> list[str]:
    """All tags that these runs have, in alphabetical order."""
    return sorted({tag for run in runs for tag in run.tags}, key=str.casefold)


def compare_two(left: RunSummary, right: RunSummary) -> list[Row]:
    """Plans and figures of two runs side by side, in a fixed order."""
    one, two = _facts(left), _facts(right)
    names = [*one, *(name for name in two if name not in one)]
    return [Row(name, one.get(name), two.get(name)) for name in names]


def _facts(run: RunSummary) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "model": run.model, "model.name": run.model_name, "data": run.data, "state": run.state
    }  # fmt: skip
    if run.plan is not None:
        plan = run.plan.to_dict()
        facts |= _flat("plan", {k: v for k, v in plan.items() if k not in ("format", "model")})
    return facts | _flat("result", dict(run.results))


def _flat(prefix: str, record: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}.{key}"
        flat |= _flat(name, value) if isinstance(value, Mapping) else {name: value}
    return flat


def _accuracy(folder: RunFolder) -> tuple[float, ...]:
    if not folder.metrics.exists():
        return ()
    written = folder.metrics.stat()
    return _epochs_of(folder, written.st_mtime_ns, written.st_size)


@lru_cache(maxsize=1024)
def _epochs_of(folder: RunFolder, _changed: int, _size: int) -> tuple[float, ...]:
    """Read once per change: lists are drawn again and again, and a metrics file may be long."""
    lines = folder.read_metrics()
    for key in ("val_accuracy", "accuracy"):
        values = [float(line[key]) for line in lines if line.get(key) is not None]
        if values:
            return tuple(values)
    return ()


def _model_name(identifier: str) -> str:
    path = storage.home() / "models" / identifier / "upload.json"
    return str(storage.read_json(path).get("name", "")) if path.exists() else ""


def _modified(folder: RunFolder) -> float:
    try:
        return folder.path.stat().st_mtime
    except OSError:
        return 0.0
