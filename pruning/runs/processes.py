"""Worker processes as the operating system sees them: identity, start, end.

A process is known by its id and its start time together, because ids are used again.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from pruning import storage
from pruning.runs.folder import RunFolder

WORKER = (sys.executable, "-m", "pruning.runs.worker")
START_TOLERANCE_SECONDS = 2.0  # the kernel's boot time, which start times count from, may step


def started(pid: int) -> float:
    """Start time of a process that exists, in seconds since 1970."""
    return psutil.Process(pid).create_time()


def alive(pid: int, process_started: float) -> bool:
    """Whether exactly this process still works; one that ended but was not reaped does not."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - process_started) < START_TOLERANCE_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(pid: int, process_started: float) -> None:
    """End exactly this process at once, if it is still there."""
    if alive(pid, process_started):
        try:
            psutil.Process(pid).kill()
        except psutil.NoSuchProcess:
            return


def use_own_temporary_folder() -> None:
    """Have this process, a worker, keep its temporary files where :func:`sweep` finds them.

    TensorFlow removes the code that it generates when Python shuts down; a worker that is killed,
    or leaves without waiting for TensorFlow's threads, does not come to that.
    """
    pid = os.getpid()
    path = _temporary_folders() / f"{pid}-{started(pid)}"
    with suppress(OSError):  # then in the system's folder; what the disk refuses is told later
        path.mkdir(parents=True, mode=0o700)
        tempfile.tempdir = str(path)


def sweep() -> None:
    """Remove the temporary files of workers that have ended, of earlier servers' too."""
    for path in _temporary_folders().glob("*-*"):
        pid, _, since = path.name.partition("-")
        with suppress(ValueError):  # something else that somebody has put there
            if not alive(int(pid), float(since)):
                shutil.rmtree(path, ignore_errors=True)


def _temporary_folders() -> Path:
    return storage.home() / "temp"


def slots() -> int:
    """How many runs may work at the same time: ``PRUNING_STUDIO_SLOTS``, or half of the cores."""
    configured = os.environ.get("PRUNING_STUDIO_SLOTS", "")
    if configured.isdigit() and int(configured) > 0:
        return int(configured)
    return max(1, _cores() // 2)


def environment() -> dict[str, str]:
    """Environment of a worker: the server's, with the home folder fixed and threads shared out."""
    threads = str(max(1, _cores() // slots()))
    root = str(Path(__file__).resolve().parents[2])
    path = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PRUNING_STUDIO_HOME": str(storage.home().resolve()),
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
    }


class Workers:
    """The worker processes this process has started, and at most one that is warm and waiting.

    Workers live in their own session and outlast this process; the warm one does not, because it
    ends when its standard input closes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._children: list[subprocess.Popen[bytes]] = []
        self._warm: subprocess.Popen[bytes] | None = None
        self._expected: Mapping[str, Any] | None = None

    def start(self, folder: RunFolder, *, warm: bool) -> tuple[int, float]:
        """Give ``folder`` to a worker, the warm one if there is one and it is wanted.

        Returns:
            The process's id and start time.
        """
        child = (self._take_warm(folder) if warm else None) or self._start_cold(folder)
        identity = child.pid, started(child.pid)  # not reaped yet, so it is there even if it ended
        with self._lock:
            self._children.append(child)
        return identity

    def keep_warm(self) -> None:
        """Start a warm worker unless one is waiting."""
        with self._lock:
            if self._warm is not None and self._warm.poll() is None:
                return
            self._warm = subprocess.Popen(
                [*WORKER, "--warm"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
                start_new_session=True,
            )
            assert self._warm.stdin is not None
            os.set_blocking(self._warm.stdin.fileno(), False)
            self._tell_expected()

    def expect(self, told: Mapping[str, Any]) -> None:
        """Have the warm worker, and those after it, begin what they will probably have to do.

        Args:
            told: A ``model``, and perhaps a ``plan`` and ``data`` for it.
        """
        with self._lock:
            if told != self._expected:
                self._expected = told
                self._tell_expected()

    def forget_plan(self) -> None:
        """Have the workers to come read the model only: the plan's run is on its way."""
        with self._lock:
            if self._expected is not None:
                self._expected = {"model": self._expected["model"]}

    def has_warm(self) -> bool:
        """Whether a worker is warm, or warming up."""
        with self._lock:
            return self._warm is not None and self._warm.poll() is None

    def dismiss_warm(self) -> None:
        """Let the warm worker go; it ends when it reads the end of its input."""
        with self._lock:
            child, self._warm = self._warm, None
        if child is None or child.stdin is None:
            return
        child.stdin.close()
        try:
            child.wait(timeout=1)
        except subprocess.TimeoutExpired:  # still importing: nothing to lose
            child.kill()
            child.wait()

    def reap(self) -> None:
        """Collect the exit codes of workers that ended, so that none stays as a zombie."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]

    def _tell_expected(self) -> None:
        if self._warm is None or self._expected is None:
            return
        if not _tell(self._warm, self._expected):  # a plan for very many groups is too long
            _tell(self._warm, {"model": self._expected["model"]})

    def _take_warm(self, folder: RunFolder) -> subprocess.Popen[bytes] | None:
        with self._lock:
            child, self._warm = self._warm, None
            if child is None or child.stdin is None or child.poll() is not None:
                return None
            if not _tell(child, {"folder": str(folder.path.resolve())}):
                return None
            child.stdin.close()
            return child

    def _start_cold(self, folder: RunFolder) -> subprocess.Popen[bytes]:
        with folder.log.open("ab") as log:
            return subprocess.Popen(
                [*WORKER, str(folder.path.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                start_new_session=True,
            )


def _tell(child: subprocess.Popen[bytes], told: Mapping[str, Any]) -> bool:
    """Write a line to a warm worker, if it is short, and at once: the server waits for no worker.

    A line of ``PIPE_BUF`` bytes is written whole or not at all.

    Returns:
        Whether it was written; not to a worker that died this moment, or has not read for long.
    """
    assert child.stdin is not None
    line = f"{json.dumps(told)}\n".encode()
    if len(line) > select.PIPE_BUF:
        return False
    try:
        os.write(child.stdin.fileno(), line)
    except OSError:
        return False
    return True


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1
