"""Uploads beside the runs and jobs that read them: what is broken, who needs one, deleting it.

A run needs its uploads for as long as it is there: its samples are shown from the data, its
structure from the model's profile, and it can be started again. So what a run was made from stays.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pruning import quantities
from pruning.errors import DataFileError, ModelFileError, PruningError
from pruning.intake import store
from pruning.runs import executor, library
from pruning.runs.folder import RunFolder, job_folder, jobs_folder
from pruning.runs.library import RunSummary
from pruning.runs.lock import locked
from pruning.runs.status import DAMAGE, status

Kind = Literal["model", "data"]

_NAMED = 3  # runs by name in an error
_OF_DATA = ("data", "look")  # jobs that read the file, whatever model it is prepared for


def folder(kind: Kind, identifier: str) -> Path:
    """Folder of an upload, existing or not."""
    return store.model_folder(identifier) if kind == "model" else store.data_folder(identifier)


def unreadable(kind: Kind, identifiers: Iterable[str]) -> frozenset[str]:
    """Those uploads that were read in vain: no models, or no data, that the studio can use."""
    if kind == "model":
        unread = [one for one in identifiers if not (folder(kind, one) / "profile.json").exists()]
        return frozenset(one for one in unread if _refused(job_folder("profile", one)))
    unread = [one for one in identifiers if not _is_prepared(folder(kind, one))]
    readers = _readers_of_data() if unread else {}
    return frozenset(one for one in unread if any(_refused(job) for job in readers.get(one, ())))


def _is_prepared(upload: Path) -> bool:
    return any((upload / "prepared").glob("*/manifest.json"))


def _readers_of_data() -> dict[str, list[RunFolder]]:
    """Jobs that read a data file, by its id. The folder of jobs is long: it is listed once."""
    found: dict[str, list[RunFolder]] = {}
    for path in jobs_folder().glob("[!.]*"):
        kind, _, key = path.name.partition("-")
        if kind in _OF_DATA:
            found.setdefault(key.partition("-")[0], []).append(RunFolder(path))
    return found


def runs_of(kind: Kind, identifier: str) -> list[RunSummary]:
    """The runs that were made from an upload, newest first."""
    return [
        run
        for run in library.runs()
        if _names(kind, {"model": run.model, "data": run.data}, identifier)
    ]


def delete(kind: Kind, identifier: str) -> None:
    """Delete an upload with all that was read from it; what still reads it is stopped.

    Saved plans of a model stay: they are there again when the same file is uploaded again.

    Raises:
        NotFoundError: Nothing of that id is stored.
        PruningError: Runs were made from it.
    """
    path = folder(kind, identifier)
    gone = path.with_name(f".deleted-{path.name}-{secrets.token_hex(4)}")
    with locked():  # no run can be started from it meanwhile
        name = str(store.upload_record(path)["name"])
        _require_unused(name, runs_of(kind, identifier))
        path.rename(gone)  # at once for everyone, however long the rest takes
    for job in _jobs_of(kind, identifier):
        with suppress(*DAMAGE):
            executor.stop(job)
        shutil.rmtree(job.path, ignore_errors=True)
    shutil.rmtree(gone, ignore_errors=True)
    if not (path / "upload.json").exists():  # else it was uploaded again this moment
        shutil.rmtree(path, ignore_errors=True)  # what a job wrote before it was stopped


def _require_unused(name: str, runs: list[RunSummary]) -> None:
    if not runs:
        return
    named = quantities.listed([run.id for run in runs], _NAMED)
    many = len(runs) > 1
    raise PruningError(
        f"{name} is needed by {f'{len(runs)} runs' if many else 'a run'}: {named}.",
        expected="An upload that no run was made from.",
        fix=f"Delete {'these runs' if many else 'this run'} first, then the upload.",
    )


def _jobs_of(kind: Kind, identifier: str) -> Iterator[RunFolder]:
    """Jobs that read an upload; preparing data looks at a model's profile only."""
    for path in jobs_folder().glob("[!.]*"):
        job = RunFolder(path)
        try:
            request = job.read(job.request)
            of_data = request.get("kind") in _OF_DATA
            if _names(kind, request, identifier) and not (kind == "model" and of_data):
                yield job
        except DAMAGE:
            continue


def _names(kind: Kind, request: Mapping[str, Any], identifier: str) -> bool:
    """Whether a run or job names an upload; data by its id, or by that of its prepared form."""
    return str(request.get(kind) or "").partition("-")[0] == identifier


def _refused(job: RunFolder) -> bool:
    """Whether a job failed for the file's sake; not for want of memory, or of a model that fits."""
    if not job.request.exists():
        return False
    try:
        return isinstance(status(job).error, ModelFileError | DataFileError)
    except DAMAGE:
        return False
