import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pruning.errors import DataFileError, ModelFileError, StorageError
from pruning.frameworks._base import framework
from pruning.intake import store
from pruning.runs import executor, foresight, processes, warming, worker
from pruning.runs.folder import RunFolder
from pruning.runs.record import disk_full
from pruning.runs.status import worker_of
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


def test_a_full_disk_is_found_behind_another_librarys_error() -> None:
    saving = RuntimeError("saving failed")
    saving.__cause__ = OSError("Can't write (errno = 28, message = 'No space left on device')")
    assert isinstance(disk_full(saving), StorageError)
    assert disk_full(FileNotFoundError(2, "No such file", "x")) is None
    assert disk_full(RuntimeError("anything")) is None


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


def test_a_warm_worker_reads_the_expected_model_before_its_run(queue_toy, home: Path) -> None:
    """The toy job tells what was foreseen when it began; a model that is gone changes nothing."""
    model = stored(home)
    workers = processes.Workers()
    workers.expect("an-earlier-one")
    workers.keep_warm()
    workers.expect(model)
    folder = queue_toy("foreseen")
    workers.start(folder, warm=True)
    assert wait(folder, "done", "failed").results == {"read": [str(store.model_path(model))]}


@pytest.mark.parametrize("early", [True, False])
def test_a_run_that_comes_while_its_model_is_read_waits_for_no_rehearsal(
    early: bool, home: Path, monkeypatch
) -> None:
    reading, writing = os.pipe()
    done = []

    def tell(**told: str) -> None:
        os.write(writing, f"{json.dumps(told)}\n".encode())

    def foresee(path: Path, name: str) -> SimpleNamespace:
        done.append(name)
        if early:
            tell(folder="the run's")
        return SimpleNamespace(framework=SimpleNamespace(keras="its Keras"))

    def rehearse(keras: str) -> None:
        done.append(keras)
        tell(folder="the run's")

    monkeypatch.setattr(foresight, "foresee", foresee)
    monkeypatch.setattr(warming, "warm", lambda: None)
    monkeypatch.setattr(warming, "rehearse", rehearse)
    tell(model=stored(home))
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert worker._await_folder() == Path("the run's")
    os.close(writing)
    assert done == ["small.keras"] + ["its Keras"] * (not early)


def test_what_was_foreseen_is_read_once(home: Path, monkeypatch) -> None:
    path, read = store.model_path(stored(home)), []
    monkeypatch.setattr(
        foresight, "_now", lambda path, name: read.append(name) or (name, len(read))
    )
    foresight.foresee(home / "other.keras", "other")
    foresight.foresee(path, "foreseen")
    assert foresight.read(path, "later") == ("foreseen", 2)
    assert foresight.read(path, "later") == ("later", 3)  # a run may change what it was given
    assert foresight.read(home / "other.keras", "again") == ("again", 4)  # one place only


def test_a_model_that_cannot_be_read_is_the_runs_to_tell(home: Path) -> None:
    (home / "broken.keras").write_bytes(b"PK")
    foresight.foresee(home / "broken.keras", "broken")
    with pytest.raises(ModelFileError):
        foresight.read(home / "broken.keras", "broken")


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
