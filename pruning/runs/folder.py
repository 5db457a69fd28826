"""A run is a folder; this class names its files, and nothing else does.

    request.json    by the starter: kind, model id, data ref, created; never changes
    plan.json       by the starter: the PruningPlan; never changes
    claim.json      by the starter: pid and start time of the worker that got the folder
    control.json    by the server: {"request": "cancel"}
    notes.json      by the server: {"note": "…", "tags": ["…"]}
    record.json     by the worker: pid, process start time, stages, error, results
    metrics.jsonl   by the worker: one line per reported training step or epoch
    log.txt         by the worker: everything it prints
    masks.npz       by the worker: 0/1 masks by weight name (method weights)
    model.<suffix>  by the worker: the pruned model in its own format
    channels.json   by the worker: kept indices (method channels)
    layers.json     by the worker: blocks that were left out (method layers)
    comparison.json by the worker, with before.npy and after.npy: predictions on the test samples
    checkpoints/    by the worker
    exports/        by export jobs

Jobs for a page (profile, data, baseline, export) use the same layout under ``jobs/``.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruning import storage


@dataclass(frozen=True)
class RunFolder:
    """Names the files of one run and reads them; missing files read as empty."""

    path: Path

    @property
    def id(self) -> str:
        """The run's id: the folder's name."""
        return self.path.name

    @property
    def request(self) -> Path:
        """What is to be done."""
        return self.path / "request.json"

    @property
    def plan(self) -> Path:
        """The pruning plan."""
        return self.path / "plan.json"

    @property
    def claim(self) -> Path:
        """Which worker the folder was given to."""
        return self.path / "claim.json"

    @property
    def control(self) -> Path:
        """What the user asks of the running worker."""
        return self.path / "control.json"

    @property
    def notes(self) -> Path:
        """The user's note on the run and its tags."""
        return self.path / "notes.json"

    @property
    def record(self) -> Path:
        """What the worker has done so far."""
        return self.path / "record.json"

    @property
    def metrics(self) -> Path:
        """Training progress, one JSON object a line."""
        return self.path / "metrics.jsonl"

    @property
    def log(self) -> Path:
        """The worker's output."""
        return self.path / "log.txt"

    @property
    def comparison(self) -> Path:
        """Before and after, when the run is done."""
        return self.path / "comparison.json"

    @property
    def channels(self) -> Path:
        """The kept indices of each cut axis."""
        return self.path / "channels.json"

    @property
    def layers(self) -> Path:
        """The blocks that were left out."""
        return self.path / "layers.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of the training's checkpoints."""
        return self.path / "checkpoints"

    @property
    def exports(self) -> Path:
        """Folder of exported files."""
        return self.path / "exports"

    def model(self) -> Path | None:
        """The pruned model's file, when there is one."""
        return next((p for p in sorted(self.path.glob("model.*")) if p.is_file()), None)

    def read(self, path: Path) -> dict[str, Any]:
        """Read one of the JSON files; ``{}`` when it does not exist."""
        return storage.read_json(path) if path.exists() else {}

    def read_metrics(self) -> list[dict[str, Any]]:
        """All complete lines of the metrics; a line still being written is left out."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - 200 * lines))
            text = stream.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])


def new_id() -> str:
    """Id of a new run: sorts by time, unique enough for one machine."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


def runs_folder() -> Path:
    """Folder of all runs."""
    return storage.home() / "runs"


def jobs_folder() -> Path:
    """Folder of the short jobs that pages ask for."""
    return storage.home() / "jobs"


def job_folder(kind: str, key: str) -> RunFolder:
    """Folder of the job of that kind and key, whether it has begun or not."""
    return RunFolder(jobs_folder() / f"{kind}-{key}")
