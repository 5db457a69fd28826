"""The process that does the work: ``python -m pruning.runs.worker RUN_DIR``, or ``--warm``.

It needs nothing but its folder, the input files and the Python install, and it talks through files
only. A warm worker imports TensorFlow, then waits for lines of JSON on its standard input:
``model``, the id of one that will probably be pruned, with the ``plan`` and the id of the ``data``
that it will probably be pruned with, any number of times, then ``folder``.

A user's cancel is seen by a second thread. The job has a moment to stop by itself; then the
process ends, wherever the job is: native code cannot be interrupted in any other way.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pruning.errors import Cancelled, PruningError
from pruning.frameworks.greetings import give_no_advice
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.runs import jobs, processes
from pruning.runs.folder import RunFolder
from pruning.runs.record import Record
from pruning.runs.status import cancel_requested
from pruning.strategy.plan import PruningPlan

WATCH_SECONDS = 0.1
GRACE_SECONDS = 1.2  # with WATCH_SECONDS and a page's refresh well within two seconds
CANCELLED_EXIT = 3
LOCK_SECONDS = 1.0
STILL_SECONDS = 0.3  # without a word: the slider has come to rest


def work(folder: RunFolder) -> int:
    """Do what the folder asks for. -> exit code: 0 done, 1 failed, 3 cancelled."""
    lock = _own(folder)
    if lock is None:
        print("Another worker has this folder.")
        return 0
    record = Record(folder)
    finished = threading.Event()
    threading.Thread(target=_watch, args=(record, finished), daemon=True).start()
    try:
        results = jobs.job(record.request["kind"]).run(record)
        record.done(results)
        return 0
    except Cancelled:
        record.cancelled()
        return CANCELLED_EXIT
    except BaseException as error:
        traceback.print_exc()
        if record.should_stop():  # stopping midway is what broke it
            record.cancelled()
            return CANCELLED_EXIT
        record.failed(error)
        return 1
    finally:
        finished.set()


def _watch(record: Record, finished: threading.Event) -> None:
    while not finished.wait(WATCH_SECONDS):
        if not cancel_requested(record.folder):
            continue
        record.ask_to_stop()
        if not finished.wait(GRACE_SECONDS):
            try:
                record.cancelled()
            finally:
                os._exit(CANCELLED_EXIT)
        return


def _own(folder: RunFolder) -> int | None:
    """Lock the folder for as long as this process lives, so that no second worker can have it.

    A worker that ended a moment ago may still have it: its main thread is gone before the files of
    its other threads are closed. Hence the patience.
    """
    handle = os.open(folder.path / ".worker.lock", os.O_CREAT | os.O_RDWR, 0o644)
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(handle)
                return None
            time.sleep(LOCK_SECONDS / 20)


class _Server:
    """What the server says: a line of JSON at a time, none in a buffer that ``select`` ignores."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._rest = b""

    def line(self) -> dict[str, Any] | None:
        """Wait for a line. -> None when the server has gone."""
        while b"\n" not in self._rest:
            more = os.read(self._handle, select.PIPE_BUF)
            if not more:
                return None
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        return told

    def has_more(self, within: float = 0.0) -> bool:
        """Whether it has said something that was not read yet, or does so within some seconds."""
        return b"\n" in self._rest or bool(select.select([self._handle], [], [], within)[0])


def _await_folder() -> Path | None:
    """Import what takes long, then wait for the folder; None when the server has gone."""
    from pruning.runs.warming import warm

    warm()
    server = _Server(sys.stdin.fileno())
    while (told := server.line()) is not None:
        if "folder" in told:
            gc.freeze()  # what is here by now stays to the end
            return Path(told["folder"])
        if not server.has_more():
            with suppress(PruningError):  # deleted meanwhile
                _foresee(told, server)
    return None


def _foresee(told: dict[str, Any], server: _Server) -> None:
    """Do what a run that is likely will begin with, until the server says something."""
    from pruning.intake.store import model_path, upload_record
    from pruning.runs.foresight import foresee, prepare
    from pruning.runs.warming import rehearse

    path = model_path(told["model"])
    loaded = foresee(path, str(upload_record(path.parent)["name"]))
    if loaded is None or server.has_more():
        return
    rehearse(loaded.framework.keras)
    if told.get("plan") and not server.has_more(STILL_SECONDS):
        data = Dataset.open(prepared_folder(told["data"])) if told["data"] else None
        prepare(PruningPlan.from_dict(told["plan"]), data, server.has_more)


def _redirect(folder: RunFolder) -> None:
    """Send all output, that of native code included, to the log; read nothing any more."""
    log = os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((log, 1), (log, 2), (nothing, 0)):
        os.dup2(source, target)
    os.close(log)
    os.close(nothing)


def main(arguments: Sequence[str]) -> int:
    """Run the worker. ``arguments``: the folder, or ``--warm``."""
    give_no_advice()
    processes.use_own_temporary_folder()
    path = _await_folder() if list(arguments) == ["--warm"] else Path(arguments[0])
    if path is None:
        return 0
    folder = RunFolder(path)
    _redirect(folder)
    return work(folder)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # TensorFlow's threads can hang or crash while Python shuts down; all files are closed.
    os._exit(code)
