import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from pruning import storage
from pruning.errors import DataFileError, StorageError
from pruning.frameworks._base import framework
from pruning.intake import store
from pruning.runs import executor, foresight, processes, warming, worker
from pruning.runs.folder import RunFolder
from pruning.runs.record import Record
from pruning.runs.status import status, worker_of
from pruning.strategy.plan import PruningPlan, Training
from tests import models

from .conftest import gone, wait, write


def test_a_done_job_leaves_results_stages_metrics_and_log(ensure_toy) -> None:
    folder = ensure_toy("done")
    done = wait(folder, "done", "failed")
    assert done.state == "done"
    assert done.results == {"answer": 42}
    assert [(s.name, s.state) for s in done.stages] == [
        ("begin", "done"),
        ("middle", "done"),
        ("end", "skipped"),
    ]
    [line] = folder.read_metrics()
    assert (line["epoch"], line["loss"], line["accuracy"]) == (0, None, 0.5)
    assert "toy says hello" in folder.log_tail()
    assert "native code says hello" in folder.log_tail()
    assert not (folder.path / ".reserve").exists()


def test_temporary_files_are_in_the_home_folder_and_go_with_their_worker(
    queue_toy, home: Path
) -> None:
    folder = queue_toy("patient")
    executor.tick()
    wait(folder, "running")
    while not folder.record.exists():  # it is given to a worker, which still begins
        time.sleep(0.01)
    own_worker = pid, since = worker_of(folder) or (0, 0.0)
    [own] = (home / "temp").iterdir()
    assert own.name == f"{pid}-{since}"
    assert own.stat().st_mode & 0o777 == 0o700
    (own / "__autograph_generated_file.py").write_text("x = 1")
    executor.tick()
    assert own.exists()
    processes.kill(pid, since)
    assert gone(own_worker)
    (home / "temp" / "some-thing").mkdir()
    executor.tick()
    assert [path.name for path in (home / "temp").iterdir()] == ["some-thing"]


def test_a_users_error_is_stored_whole(ensure_toy) -> None:
    failed = wait(ensure_toy("fail"), "failed", "done")
    assert isinstance(failed.error, DataFileError)
    assert failed.error.to_dict() == {
        "kind": "data_file",
        "happened": "Sample 3 is broken.",
        "expected": "A picture.",
        "fix": "Remove it.",
    }
    assert not failed.bug
    assert failed.stage == "middle"


def test_a_bug_is_named_and_its_traceback_stays_in_the_log(ensure_toy) -> None:
    folder = ensure_toy("crash")
    failed = wait(folder, "failed", "done")
    assert failed.bug
    assert failed.error is not None
    assert failed.error.happened == "RuntimeError: a bug"
    assert "Traceback" in folder.log_tail()
    assert "Traceback" not in folder.record.read_text()


def test_a_full_disk_is_the_users_to_solve(ensure_toy) -> None:
    failed = wait(ensure_toy("full_disk"), "failed", "done")
    assert isinstance(failed.error, StorageError)
    assert failed.error.happened == "The disk is full: model.h5 could not be written."


def test_a_disk_that_is_full_from_the_start_is_told(home: Path, monkeypatch) -> None:
    folder = RunFolder(home / "runs" / "one")
    write(folder, "request.json", {"kind": "prune", "created": 1.0})
    store = storage.write_bytes

    def reserve_does_not_fit(path: Path, content: bytes) -> None:
        if path.name == ".reserve":
            raise StorageError("The disk is full.", expected="Space.", fix="Make some.")
        store(path, content)

    monkeypatch.setattr(storage, "write_bytes", reserve_does_not_fit)
    with pytest.raises(StorageError):
        Record(folder)
    failed = status(folder)
    assert (failed.state, failed.bug) == ("failed", False)
    assert isinstance(failed.error, StorageError)


def test_a_patient_job_stops_by_itself(ensure_toy) -> None:
    folder = ensure_toy("patient")
    wait(folder, "running", stage="middle")
    executor.cancel(folder)
    cancelled = wait(folder, "cancelled", "done", "failed")
    assert cancelled.state == "cancelled"
    assert gone(worker_of(folder))


def test_a_stubborn_job_is_ended_by_the_watcher(ensure_toy) -> None:
    folder = ensure_toy("stubborn")
    wait(folder, "running", stage="middle")
    executor.cancel(folder)
    assert wait(folder, "cancelled", "done", "failed", "killed").state == "cancelled"
    assert gone(worker_of(folder))
    assert json.loads(folder.record.read_text())["state"] == "cancelled"


def test_a_request_from_before_the_start_is_ignored(queue_toy) -> None:
    folder = queue_toy("done")
    write(folder, "control.json", {"request": "cancel"})
    os.utime(folder.control, (1, 1))
    executor._start(folder)
    assert wait(folder, "done", "cancelled").state == "done"


def test_no_second_worker_works_in_a_folder(ensure_toy) -> None:
    folder = ensure_toy("patient")
    wait(folder, "running", stage="middle")
    first = worker_of(folder)
    second = subprocess.run(
        [*processes.WORKER, str(folder.path)], env=processes.environment(), check=False
    )
    assert second.returncode == 0
    assert worker_of(folder) == first
    assert "Another worker has this folder." in folder.log_tail()


def test_a_warm_worker_works_on_the_folder_it_is_given(queue_toy) -> None:
    workers = processes.Workers()
    workers.keep_warm()
    assert workers.has_warm()
    folder = queue_toy("done")
    warm = workers._warm
    identity = workers.start(folder, warm=True)
    assert warm is not None
    assert identity[0] == warm.pid
    assert not workers.has_warm()
    assert wait(folder, "done", "failed").state == "done"
    assert "native code says hello" in folder.log_tail()


def stored(home: Path) -> str:
    """A model in the home folder. -> its id."""
    path = home / "small.keras"
    framework("keras3").save(models.build("plain", "keras3"), path)
    return store.store_model("small.keras", path)


def test_a_stage_that_was_done_before_has_its_time(ensure_toy) -> None:
    done = wait(ensure_toy("prepared"), "done", "failed")
    [stage] = [stage for stage in done.stages if stage.name == "before"]
    assert (stage.state, stage.seconds) == ("done", 1.25)


def plan_of(model: str, **fields) -> PruningPlan:
    return PruningPlan(model, training=Training(epochs=0), **fields)


def expected(model: str, plan: PruningPlan) -> dict[str, object]:
    told = {"model": model, "data": "", "plan": plan.to_dict()}
    return json.loads(json.dumps(told))


def test_a_warm_worker_prepares_the_expected_run(queue_toy, home: Path) -> None:
    """The toy job tells what was foreseen when it began; a model that is gone changes nothing."""
    model = stored(home)
    workers = processes.Workers()
    workers.expect({"model": "an-earlier-one"})
    workers.keep_warm()
    for name in ("given up", "chosen"):
        workers.expect(expected(model, plan_of(model, name=name)))
    while not (home / "prepared").exists():
        time.sleep(0.05)
    folder = queue_toy("foreseen")
    workers.start(folder, warm=True)
    found = wait(folder, "done", "failed").results
    path = str(store.model_path(model))
    assert found == {"read": [path], "prepared": ["chosen"], "steps": [2]}


@pytest.mark.parametrize(
    ("interrupted", "done"),
    [
        ("foresee", ["small.keras"]),
        ("rehearse", ["small.keras", "its Keras"]),
        ("prepare", ["small.keras", "its Keras", "chosen"]),
    ],
)
def test_a_run_that_comes_meanwhile_goes_first(
    interrupted: str, done: list[str], home: Path, monkeypatch
) -> None:
    reading, writing = os.pipe()
    did = []

    def tell(told: dict[str, object]) -> None:
        os.write(writing, f"{json.dumps(told)}\n".encode())

    def doing(name: str, what: str, result: object = None) -> object:
        did.append(what)
        if name == interrupted:
            tell({"folder": "the run's"})
        return result

    loaded = SimpleNamespace(framework=SimpleNamespace(keras="its Keras"))
    monkeypatch.setattr(warming, "warm", lambda: None)
    monkeypatch.setattr(foresight, "foresee", lambda _, name: doing("foresee", name, loaded))
    monkeypatch.setattr(warming, "rehearse", lambda keras: doing("rehearse", keras))
    monkeypatch.setattr(foresight, "prepare", lambda plan, *_: doing("prepare", plan.name))
    model = stored(home)
    for name in ("given up", "chosen"):  # what was said before the last line is not done
        tell(expected(model, plan_of(model, name=name)))
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert worker._await_folder() == Path("the run's")
    os.close(writing)
    assert did == done


def test_a_worker_whose_server_has_gone_ends(home: Path, monkeypatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr(warming, "warm", lambda: None)
    os.write(writing, b'{"model": "nobody\'s"}\n')
    os.close(writing)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert worker._await_folder() is None


def test_lines_that_arrive_in_pieces_are_read_whole() -> None:
    reading, writing = os.pipe()
    server = worker._Server(reading)
    assert not server.has_more()
    os.write(writing, b'{"model": "a"}\n{"model": ')
    assert server.has_more()
    assert server.line() == {"model": "a"}
    os.write(writing, b'"b"}\n{"model": "c"}\n')
    assert server.line() == {"model": "b"}
    assert server.has_more()  # in the buffer, where select does not see it
    assert server.line() == {"model": "c"}
    os.close(writing)
    assert server.line() is None
    os.close(reading)


class Reader:
    """In place of a warm worker: reads when it is asked to."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        self.stdin = os.fdopen(writing, "wb", buffering=0)

    def poll(self) -> None:
        return None

    def lines(self) -> list[dict[str, object]]:
        os.set_blocking(self.reading, False)
        read = b""
        with suppress(BlockingIOError):
            while more := os.read(self.reading, 65536):
                read += more
        return [json.loads(line) for line in read.splitlines()]


@pytest.fixture
def warm(monkeypatch) -> tuple[processes.Workers, Reader]:
    """Workers that have a warm one."""
    reader = Reader()
    monkeypatch.setattr(processes.subprocess, "Popen", lambda *_, **__: reader)
    workers = processes.Workers()
    workers.keep_warm()
    return workers, reader


def test_a_worker_is_told_what_changes(warm) -> None:
    workers, reader = warm
    plans = [expected("model", plan_of("model", name=name)) for name in "aab"]
    for told in plans:
        workers.expect(told)
    assert reader.lines() == [plans[0], plans[2]]


def test_a_plan_that_is_too_long_for_a_line_is_kept_back(warm) -> None:
    workers, reader = warm
    ratios = {f"a_layer_of_very_many_{number}": 0.5 for number in range(200)}
    workers.expect(expected("model", plan_of("model", ratios=ratios)))
    assert reader.lines() == [{"model": "model"}]


def test_the_server_never_waits_for_a_worker_that_does_not_read(warm) -> None:
    workers, reader = warm
    for number in range(1000):
        workers.expect(expected("model", plan_of("model", name=str(number))))
    told = [line["plan"]["name"] for line in reader.lines() if "plan" in line]
    assert told == [str(number) for number in range(len(told))]  # whole, and in order
    assert 10 < len(told) < 1000


def test_a_plan_that_was_begun_is_not_prepared_by_the_next_worker(warm) -> None:
    workers, reader = warm
    workers.expect(expected("model", plan_of("model")))
    workers.forget_plan()
    workers._warm = None
    reader.lines()
    workers.keep_warm()
    assert reader.lines() == [{"model": "model"}]


def test_a_dead_warm_worker_is_not_used(queue_toy) -> None:
    workers = processes.Workers()
    workers.keep_warm()
    warm = workers._warm
    assert warm is not None
    warm.kill()
    warm.wait()
    folder = queue_toy("done")
    assert workers.start(folder, warm=True)[0] != warm.pid
    assert wait(folder, "done", "failed").state == "done"


def test_a_warm_worker_ends_with_the_server(toys) -> None:
    code = (
        "from pruning.runs import processes; import sys, os\n"
        f"processes.WORKER = {processes.WORKER!r}\n"
        "workers = processes.Workers(); workers.keep_warm()\n"
        "pid = workers._warm.pid; print(pid, processes.started(pid), flush=True)\n"
        "os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=processes.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    pid, started = done.stdout.split()
    assert gone((int(pid), float(started)))


def test_the_lock_is_free_again_after_the_worker(ensure_toy) -> None:
    folder = ensure_toy("done")
    wait(folder, "done")
    assert gone(worker_of(folder))
    handle = worker._own(RunFolder(folder.path))
    assert handle is not None
    os.close(handle)


def test_warming_imports_what_the_jobs_import() -> None:
    code = (
        "import sys; from pruning.runs import warming; warming.warm()\n"
        "print(all(name in sys.modules for name in ('tensorflow', *warming.MODULES)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=processes.environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "True"
