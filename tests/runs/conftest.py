"""A home folder of its own for each test, and workers that know the toy jobs."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pruning import storage
from pruning.runs import executor, jobs, processes
from pruning.runs.folder import RunFolder, runs_folder
from pruning.runs.status import Status, status, worker_of
from pruning.strategy.plan import PruningPlan

HERE = Path(__file__).parent
PATIENCE_SECONDS = 240  # a guard against hanging, far above what a busy machine needs
MODEL = "0123456789abcdef0123"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    monkeypatch.setenv("PRUNING_STUDIO_SLOTS", "1")
    yield tmp_path
    for path in [*tmp_path.glob("runs/*"), *tmp_path.glob("jobs/*")]:
        try:
            worker = worker_of(RunFolder(path))
        except (ValueError, KeyError):
            continue
        if worker and worker[0] != os.getpid():
            processes.kill(*worker)
    executor._workers.reap()


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "__path__", [*jobs.__path__, str(HERE / "toy_jobs")])
    monkeypatch.setattr(processes, "WORKER", (sys.executable, str(HERE / "toy_worker.py")))


@pytest.fixture
def queue_toy(toys: None) -> Callable[..., RunFolder]:
    """Queue a run that does a toy job in place of pruning."""

    def queue(behaviour: str, created: float = 0.0, name: str = "") -> RunFolder:
        folder = RunFolder(runs_folder() / (name or f"run-{behaviour}-{created}"))
        request = {
            "kind": "toy", "toy": behaviour, "model": MODEL, "data": "", "created": created,
        }  # fmt: skip
        executor._create(folder, request, plan=PruningPlan(model=MODEL, ratios={"conv": 0.5}))
        return folder

    return queue


@pytest.fixture
def ensure_toy(toys: None) -> Callable[..., RunFolder]:
    def ensure(behaviour: str, **options: bool) -> RunFolder:
        return executor.ensure("toy", behaviour, {"toy": behaviour}, **options)

    return ensure


def wait(folder: RunFolder, *states: str, stage: str = "") -> Status:
    """Wait until the run is in one of the states, and in the stage if one is named."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        now = status(folder)
        if now.state in states and (not stage or now.stage == stage):
            return now
        if now.final:
            break
        time.sleep(0.01)
    raise AssertionError(f"{now} never became {states} {stage}\n{folder.log_tail()}")


def gone(worker: tuple[int, float] | None) -> bool:
    """Wait until a worker has ended."""
    assert worker is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if not processes.alive(*worker):
            return True
        time.sleep(0.01)
    return False


def write(folder: RunFolder, name: str, record: dict) -> None:
    storage.write_json(folder.path / name, record)


def a_dead_worker() -> tuple[int, float]:
    """This process's id with another start time: an id that was used again."""
    me = psutil.Process()
    return me.pid, me.create_time() - 1000


def store_file(folder: Path, name: str = "model.keras") -> Path:
    """An upload that only tests of who needs it look at. -> its folder."""
    storage.write_bytes(folder / name, b"not opened")
    storage.write_json(folder / "upload.json", {"name": name, "bytes": 10, "uploaded": 1e9})
    return folder
