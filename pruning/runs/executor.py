"""Starts workers on this machine: jobs at once, runs when a core is free.

Everything is decided from the folders under one lock file, so that several servers and command
lines can share a home folder. What this process remembers (its children, the warm worker) is only
a convenience: after a restart the folders tell the same story.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pruning import storage
from pruning.errors import MismatchError
from pruning.intake.dataset import require_prepared
from pruning.intake.store import model_path
from pruning.runs import jobs, leftovers, processes
from pruning.runs.folder import RunFolder, job_folder, new_id, runs_folder
from pruning.runs.foresight import MOST_BYTES
from pruning.runs.lock import locked
from pruning.runs.status import DAMAGE, Status, status, worker_of
from pruning.strategy.plan import PruningPlan

TICK_SECONDS = 0.5
REFILL_SECONDS = 4.0  # a new warm worker must not take the cores from the work just started
_LOOK_SECONDS = 0.05
LAST_RESORT_SECONDS = 3.0  # after a cancel that the worker itself did not manage

_log = logging.getLogger(__name__)
_workers = processes.Workers()
_finished: set[Path] = set()  # runs that will not change any more: not read again at each tick


def ensure(
    kind: str,
    key: str,
    request: Mapping[str, Any],
    *,
    retry: bool = False,
    anew: bool = False,
) -> RunFolder:
    """Have a job done once; several callers, and later ones, get the same folder.

    Args:
        kind: The job's kind.
        key: What makes it the same job: same kind and key, same result.
        request: What the job reads from ``request.json``.
        retry: Start again if it failed, was cancelled or was killed.
        anew: Start again however it ended; what it made stays until it is replaced.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", key):
        raise ValueError(f"{key!r} cannot be part of a folder's name")
    folder = job_folder(kind, key)
    with locked():
        if folder.request.exists() and not _again(folder, retry=retry, anew=anew):
            return folder
        if folder.path.exists():
            shutil.rmtree(folder.path)
        _create(folder, {**request, "kind": kind, "created": time.time()})
        if not jobs.job(kind).queued:
            _start(folder)
    return folder


def start_run(model_id: str, data_ref: str, plan: PruningPlan, note: str = "") -> RunFolder:
    """Queue a prune run; it starts at once if a core is free.

    Raises:
        MismatchError: The plan is for another model.
        NotFoundError: The model, or the data, was deleted.
    """
    if plan.model != model_id:
        raise MismatchError(
            f"The plan is for the model {plan.model or '(none)'}, this is {model_id}.",
            expected="A plan made for the model that is open.",
            fix="Open that model, or make a plan for this one on the strategy page.",
        )
    folder = RunFolder(runs_folder() / new_id())
    request = {"kind": "prune", "model": model_id, "data": data_ref, "created": time.time()}
    with locked():  # else an upload could be deleted between the look and the run that needs it
        model_path(model_id)
        if data_ref:
            require_prepared(data_ref)
        _create(folder, request, plan=plan, note=note)
    tick()
    _workers.forget_plan()
    return folder


def expect(model_id: str, data_ref: str = "", plan: PruningPlan | None = None) -> None:
    """Say what will probably be run: a waiting worker reads the model, and prepares its pruning.

    Args:
        model_id: A stored model.
        data_ref: Prepared data.
        plan: None when the model will be pruned, but nobody knows how.
    """
    if model_path(model_id).stat().st_size <= MOST_BYTES:
        expected = {"data": data_ref, "plan": plan.to_dict()} if plan else {}
        _workers.expect({"model": model_id, **expected})


def cancel(folder: RunFolder) -> None:
    """Ask a run to stop; a queued one will not start, one that ended stays as it is."""
    with locked():
        if not status(folder).final:
            storage.write_json(folder.control, {"request": "cancel"})


def stop(folder: RunFolder) -> None:
    """Cancel a job, and wait until its worker has ended."""
    cancel(folder)
    until = time.monotonic() + LAST_RESORT_SECONDS
    while not status(folder).final and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    worker = worker_of(folder)
    if worker and not status(folder).final:
        processes.kill(*worker)


def tick() -> None:
    """Look after the workers: start what waits, end what does not stop, reap what ended."""
    with locked():
        _workers.reap()
        processes.sweep()
        waiting, working = [], 0
        for folder, state in _unfinished(runs_folder()):
            working += state.state in ("running", "cancelling")
            if state.state == "queued":
                waiting.append((state.created or 0.0, folder.id, folder))
            if state.state == "cancelling":
                _end_if_stuck(folder)
        for _, _, folder in sorted(waiting)[: max(0, processes.slots() - working)]:
            _start(folder)


def queue() -> list[str]:
    """Ids of the runs that wait, the next one first."""
    waiting = [
        (state.created or 0.0, folder.id)
        for folder, state in _unfinished(runs_folder())
        if state.state == "queued"
    ]
    return [identifier for _, identifier in sorted(waiting)]


@asynccontextmanager
async def lifespan(_app: object, quiet: threading.Event | None = None) -> AsyncIterator[None]:
    """Keep the queue moving and one worker warm for as long as the server lives.

    Args:
        quiet: The worker is not warmed until this is set: its start takes a core for seconds.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_look_after, args=(stop, quiet), name="run queue", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        await asyncio.to_thread(thread.join)
        await asyncio.to_thread(_workers.dismiss_warm)
        await asyncio.to_thread(processes.sweep)


def _look_after(stop: threading.Event, quiet: threading.Event | None) -> None:
    leftovers.clear()
    missing_since: float | None = time.monotonic() - REFILL_SECONDS
    while not stop.is_set():
        try:
            tick()
            if _workers.has_warm():
                missing_since = None
            elif quiet is None or quiet.is_set():
                missing_since = missing_since or time.monotonic()
                if time.monotonic() - missing_since >= REFILL_SECONDS:
                    _workers.keep_warm()
        except Exception:  # a full disk or a folder deleted this moment must not stop the queue
            _log.exception("the run queue stumbled")
        stop.wait(TICK_SECONDS)


def _again(folder: RunFolder, *, retry: bool, anew: bool) -> bool:
    """Whether a job that exists has to be done again."""
    try:
        state = status(folder)
    except DAMAGE:
        return True
    if anew:
        return state.final
    if state.state == "done":
        made = state.results.get("made", ())
        return not all((storage.home() / name).exists() for name in made)
    return retry and state.final


def _create(
    folder: RunFolder, request: Mapping[str, Any], plan: PruningPlan | None = None, note: str = ""
) -> None:
    """Make the folder appear as a whole: its request is there from the first moment."""
    draft = RunFolder(folder.path.with_name(f".new-{folder.id}"))
    storage.write_json(draft.request, dict(request))
    if plan is not None:
        storage.write_json(draft.plan, plan.to_dict())
    if note:
        storage.write_json(draft.notes, {"note": note})
    draft.path.rename(folder.path)


def _start(folder: RunFolder) -> None:
    """Give the folder to a worker and note which; the caller holds the lock."""
    kind = str(folder.read(folder.request).get("kind"))
    pid, started = _workers.start(folder, warm=jobs.job(kind).tensorflow)
    try:
        storage.write_json(folder.claim, {"pid": pid, "process_started": started})
    except Exception:
        processes.kill(pid, started)
        raise


def _end_if_stuck(folder: RunFolder) -> None:
    """End a worker that has had its time to stop; one that has not begun loses nothing by it."""
    worker = worker_of(folder)
    asked = time.time() - folder.control.stat().st_mtime
    if worker and (asked > LAST_RESORT_SECONDS or not folder.record.exists()):
        processes.kill(*worker)


def _unfinished(parent: Path) -> Iterator[tuple[RunFolder, Status]]:
    """Runs that are not final; damaged ones are left out, for they must not stop the others."""
    for path in sorted(parent.glob("[!.]*")):
        folder = RunFolder(path)
        if path in _finished or not folder.request.exists():
            continue
        try:
            state = status(folder)
        except DAMAGE:
            continue
        if state.final:
            _finished.add(path)
        else:
            yield folder, state
