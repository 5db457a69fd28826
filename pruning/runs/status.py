"""The status of a run: a pure function of its folder and the table of processes.

    queued ──▶ running ──▶ done | failed
       │          │  └────▶ killed       the worker is gone and left no word
       │          ▼
       │      cancelling ─▶ cancelled
       └───────────────────▶ cancelled

Nothing is remembered: another browser, a restarted server and the command line see the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from pruning.errors import PruningError, from_dict
from pruning.runs import jobs, processes
from pruning.runs.folder import RunFolder

State = Literal["queued", "running", "cancelling", "done", "failed", "cancelled", "killed"]
FINAL: tuple[State, ...] = ("done", "failed", "cancelled", "killed")
# What reading a folder raises when a file of it is damaged, or was deleted this moment.
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, OSError, PruningError)


@dataclass(frozen=True)
class Stage:
    """One stage of the work; ``seconds`` is None until it ended."""

    name: str
    state: Literal["waiting", "running", "done", "skipped"]
    seconds: float | None = None


@dataclass(frozen=True)
class Status:
    """Where a run stands.

    Attributes:
        stage: Name of the stage that runs, or ran last.
        error: Why it failed or was killed; the user's to solve unless ``bug``.
        bug: The error is the studio's own; the traceback is in the log.
        fraction, words: How far the stage is, from 0 to 1, and in words.
        seconds: Working time so far, or in all; 0 while queued.
        created, started, finished: Seconds since 1970, None when it has not happened.
    """

    state: State
    stage: str = ""
    stages: tuple[Stage, ...] = ()
    error: PruningError | None = None
    bug: bool = False
    fraction: float | None = None
    words: str = ""
    results: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    created: float | None = None
    started: float | None = None
    finished: float | None = None

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINAL


def cancel_requested(folder: RunFolder) -> bool:
    """Whether the user asked to cancel this very attempt; a request older than it is stale."""
    try:
        asked = folder.control.stat().st_mtime_ns
        request = folder.read(folder.control).get("request")
        claimed = folder.claim.stat().st_mtime_ns if folder.claim.exists() else 0
    except (OSError, ValueError):
        return False
    return request == "cancel" and asked >= claimed


def worker_of(folder: RunFolder) -> tuple[int, float] | None:
    """Id and start time of the worker that has the folder, dead or alive."""
    for path in (folder.record, folder.claim):
        entry = folder.read(path)
        if entry:
            return int(entry["pid"]), float(entry["process_started"])
    return None


def status(folder: RunFolder) -> Status:
    """Tell the status of a run or job.

    Raises:
        PruningError: It waits for work that this version does not know.
        ValueError, KeyError, TypeError, AttributeError, OSError: One of :data:`DAMAGE`.
    """
    worker = worker_of(folder)
    working = worker is not None and processes.alive(*worker)
    # Read after looking at the process: a worker that ends in between has written its last word.
    record = folder.read(folder.record)
    state = _state(record.get("state"), worker is not None, working, cancel_requested(folder))
    request = folder.read(folder.request)
    created = request.get("created")
    # Without any the folder was deleted this moment.
    if state == "queued" and (request or folder.request.exists()):
        _check_known(request.get("kind"))
    if state == "queued" or not record:
        error = _killed(folder, record, worker) if state == "killed" else None
        return Status(state, error=error, created=created)
    stages = tuple(Stage(**entry) for entry in record["stages"])
    progress = record.get("progress") or {}
    stored = record.get("error")
    error = from_dict(stored) if stored else None
    return Status(
        state,
        stage=next((s.name for s in reversed(stages) if s.state in ("running", "done")), ""),
        stages=stages,
        error=_killed(folder, record, worker) if state == "killed" else error,
        bug=stored is not None and stored["kind"] == "bug",
        fraction=progress.get("fraction"),
        words=progress.get("words", ""),
        results=record.get("results") or {},
        seconds=_seconds(folder, record, working),
        created=created,
        started=record.get("started"),
        finished=record.get("finished"),
    )


def _check_known(kind: Any) -> None:
    """Refuse what no worker of this version could ever begin."""
    if kind not in jobs.kinds():
        named = f" of the kind {kind!r}" if kind else ""
        raise PruningError(
            f"This run asks for work{named} that this studio does not know: a newer studio made "
            "it, or its request is damaged.",
            expected=f"One of: {', '.join(jobs.kinds())}.",
            fix="Open it with the studio that made it, or delete the run.",
        )


def _state(stored: str | None, claimed: bool, working: bool, cancel: bool) -> State:
    if stored in ("done", "failed", "cancelled"):
        return stored  # type: ignore[return-value]
    if not claimed:
        return "cancelled" if cancel else "queued"
    if working:
        return "cancelling" if cancel else "running"
    return "cancelled" if cancel else "killed"


def _seconds(folder: RunFolder, record: dict[str, Any], working: bool) -> float:
    end = record.get("finished")
    if end is None:
        # A dead worker's last sign of life is the last file it wrote.
        written = [p.stat().st_mtime for p in (folder.record, folder.metrics) if p.exists()]
        end = time.time() if working else max(written)
    return max(0.0, float(end) - float(record["started"]))


def _killed(
    folder: RunFolder, record: dict[str, Any], worker: tuple[int, float] | None
) -> PruningError:
    pid = worker[0] if worker else 0
    running = [s["name"] for s in record.get("stages", ()) if s["state"] == "running"]
    where = f"during the stage {running[-1]!r}" if running else "before its first stage"
    steps = folder.metrics.read_bytes().count(b"\n") if folder.metrics.exists() else 0
    saved = ["the plan"] if folder.plan.exists() else []
    saved += [f"{steps} lines of training progress"] if steps else []
    checkpoints = len(list(folder.checkpoints.iterdir())) if folder.checkpoints.is_dir() else 0
    saved += [f"{checkpoints} checkpoint files"] if checkpoints else []
    saved += ["the log"] if folder.log.exists() else []
    return PruningError(
        f"The worker (process {pid}) disappeared {where}: it was killed, ran out of memory, "
        "or the machine was restarted.",
        expected="A worker that reports how its work ended.",
        fix=f"Saved: {', '.join(saved) or 'nothing'}. Start the same plan again; if it happens "
        "twice, use a smaller batch size or close other programs.",
    )
