"""The worker's side of a run folder: what it is doing, written as it happens.

Only the worker writes here, from two threads: the job's, and the one that watches for a cancel.
The first final state wins; after it nothing is written any more.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pruning import storage
from pruning.errors import Cancelled, PruningError, StorageError
from pruning.runs import processes
from pruning.runs.folder import RunFolder

RESERVE_BYTES = 65_536  # given back when the disk is full, so that the record can still say so
PROGRESS_SECONDS = 0.2  # a page does not look more often


class Record:
    """``record.json`` and ``metrics.jsonl`` of one run; implements the contract ``Task``."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._request = folder.read(folder.request)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._ended = False
        self._progress_written = 0.0
        self._stages: list[dict[str, Any]] = []
        self._content: dict[str, Any] = {
            "pid": os.getpid(),
            "process_started": processes.started(os.getpid()),
            "state": "running",
            "stages": self._stages,
            "progress": None,
            "error": None,
            "results": {},
            "started": time.time(),
            "finished": None,
        }
        self._reserve = folder.path / ".reserve"
        self._write()
        try:
            storage.write_bytes(self._reserve, bytes(RESERVE_BYTES))
        except StorageError as error:  # the record is small: it may still fit in
            self.failed(error)
            raise

    @property
    def folder(self) -> RunFolder:
        """The folder that the job works in."""
        return self._folder

    @property
    def request(self) -> Mapping[str, Any]:
        """What is to be done."""
        return self._request

    def stages(self, *names: str) -> None:
        """Announce the stages that will come."""
        with self._lock:
            self._stages += [{"name": n, "state": "waiting", "seconds": None} for n in names]
            self._write()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Enter a stage; its time is recorded when it is left without an error.

        Raises:
            Cancelled: On entering, when the user has asked to stop.
        """
        if self.should_stop():
            raise Cancelled
        entry = self._entry(name)
        begin = time.perf_counter()
        self._change(entry, "running", None)
        print(f"-- {name}", flush=True)
        yield
        self._change(entry, "done", round(time.perf_counter() - begin, 3))

    def skip(self, name: str) -> None:
        """Say that an announced stage is not needed."""
        self._change(self._entry(name), "skipped", None)

    def prepared(self, name: str, seconds: float) -> None:
        """Say that a stage was done before this work came, and how long it took."""
        print(f"-- {name}: done before, in {seconds:.2f} s", flush=True)
        self._change(self._entry(name), "done", round(seconds, 3))

    def progress(self, fraction: float, words: str) -> None:
        """Say how far the stage is; calls that come too fast are dropped."""
        now = time.monotonic()
        if now - self._progress_written < PROGRESS_SECONDS and fraction < 1:
            return
        self._progress_written = now
        with self._lock:
            self._content["progress"] = {"fraction": min(1.0, max(0.0, fraction)), "words": words}
            self._write()

    def report(self, line: Mapping[str, Any]) -> None:
        """Append one line to the metrics; values that are not finite become null."""
        stamped = {"t": round(time.time(), 3), **line}
        text = json.dumps({key: _finite(value) for key, value in stamped.items()})
        with self._lock, self._folder.metrics.open("a") as stream:
            if not self._ended:
                stream.write(f"{text}\n")

    def should_stop(self) -> bool:
        """Whether the user has asked to stop."""
        return self._stop.is_set()

    def ask_to_stop(self) -> None:
        """Make :meth:`should_stop` true."""
        self._stop.set()

    def done(self, results: dict[str, Any]) -> None:
        """The work is complete."""
        self._end("done", results=results)

    def cancelled(self) -> None:
        """The work was stopped by the user."""
        self._end("cancelled")

    def failed(self, error: BaseException) -> None:
        """The work ended with an error: the user's to solve, or a bug of the studio."""
        full = storage.disk_full(error)
        self._end("failed", error=_stored(full or error))

    def _end(self, state: str, **fields: Any) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._reserve.unlink(missing_ok=True)
            self._content.update(state=state, finished=time.time(), progress=None, **fields)
            self._write()

    def _entry(self, name: str) -> dict[str, Any]:
        found = next((e for e in self._stages if e["name"] == name), None)
        if found is None:
            self.stages(name)
            found = self._stages[-1]
        return found

    def _change(self, entry: dict[str, Any], state: str, seconds: float | None) -> None:
        with self._lock:
            if self._ended:
                return
            entry.update(state=state, seconds=seconds)
            self._content["progress"] = None
            self._write()

    def _write(self) -> None:
        storage.write_json(self._folder.record, self._content)


def _stored(error: BaseException) -> dict[str, Any]:
    if isinstance(error, PruningError):
        return error.to_dict()
    return {
        "kind": "bug",
        "happened": f"{type(error).__name__}: {error}",
        "expected": "Work without an error: this is a fault of the studio, not yours.",
        "fix": "Report it with the end of the log, which has the details.",
    }


def _finite(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
