"""The process that does the work: ``python -m pruning.runs.worker RUN_DIR``, or ``--warm``.

It needs nothing but its folder, the input files and the Python install, and it talks through files
only. A warm worker imports TensorFlow, then waits for lines of JSON on its standard input:
``model``, the id of one that will probably be pruned, any number of times, then ``folder``.

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

from pruning.errors import Cancelled, PruningError
from pruning.runs import jobs
from pruning.runs.folder import RunFolder
from pruning.runs.record import Record
from pruning.runs.status import cancel_requested

WATCH_SECONDS = 0.1
GRACE_SECONDS = 1.2  # with WATCH_SECONDS and a page's refresh well within two seconds
CANCELLED_EXIT = 3
LOCK_SECONDS = 1.0


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


def _await_folder() -> Path | None:
    """Import what takes long, then wait for the folder; None when the server has gone."""
    from pruning.intake.store import model_path, upload_record
    from pruning.runs.foresight import foresee
    from pruning.runs.warming import rehearse, warm

    warm()
    while line := sys.stdin.readline():
        told = json.loads(line)
        if "folder" in told:
            return Path(told["folder"])
        with suppress(PruningError):  # deleted meanwhile
            path = model_path(told["model"])
            loaded = foresee(path, str(upload_record(path.parent)["name"]))
            if loaded is not None and not _told_more():
                rehearse(loaded.framework.keras)
        gc.freeze()  # nobody collects in a worker that waits
    return None


def _told_more() -> bool:
    """Whether the server has said something meanwhile."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


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
