import os
import signal
import time

import psutil
import pytest

from pruning import storage
from pruning.runs import processes
from pruning.runs.folder import RunFolder
from pruning.runs.status import Status, cancel_requested, status, worker_of

from .conftest import a_dead_worker, gone, wait, write

ME = (os.getpid(), psutil.Process().create_time())


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    run = RunFolder(tmp_path / "runs" / "one")
    write(run, "request.json", {"kind": "prune", "created": 5.0})
    return run


def record(worker: tuple[int, float], state: str = "running", **fields) -> dict:
    return {
        "pid": worker[0],
        "process_started": worker[1],
        "state": state,
        "stages": [
            {"name": "load", "state": "done", "seconds": 1.5},
            {"name": "retrain", "state": "running", "seconds": None},
            {"name": "compare", "state": "waiting", "seconds": None},
        ],
        "progress": {"fraction": 0.25, "words": "epoch 1 of 4"},
        "error": None,
        "results": {},
        "started": 100.0,
        "finished": None,
        **fields,
    }


def test_a_run_nobody_took_is_queued(folder) -> None:
    assert status(folder) == Status("queued", created=5.0)


def test_a_queued_run_that_is_cancelled_never_ran(folder) -> None:
    write(folder, "control.json", {"request": "cancel"})
    assert status(folder).state == "cancelled"


def test_a_claimed_run_is_running_before_its_worker_says_so(folder) -> None:
    write(folder, "claim.json", {"pid": ME[0], "process_started": ME[1]})
    assert status(folder).state == "running"


def test_a_running_worker_tells_stage_and_progress(folder) -> None:
    write(folder, "record.json", record(ME))
    now = status(folder)
    assert (now.state, now.stage, now.fraction, now.words) == (
        "running", "retrain", 0.25, "epoch 1 of 4",
    )  # fmt: skip
    assert [stage.seconds for stage in now.stages] == [1.5, None, None]


def test_cancelling_until_the_worker_ends(folder) -> None:
    write(folder, "record.json", record(ME))
    write(folder, "control.json", {"request": "cancel"})
    assert status(folder).state == "cancelling"


def test_a_worker_that_dies_of_a_cancel_is_cancelled_not_killed(folder) -> None:
    write(folder, "record.json", record(a_dead_worker()))
    write(folder, "control.json", {"request": "cancel"})
    assert status(folder).state == "cancelled"


def test_an_id_used_again_by_another_process_is_a_dead_worker(folder) -> None:
    write(folder, "plan.json", {})
    write(folder, "record.json", record(a_dead_worker()))
    folder.metrics.write_text('{"loss": 1}\n{"loss": 2}\n{"lo')
    now = status(folder)
    assert now.state == "killed"
    assert now.error is not None
    assert "'retrain'" in now.error.happened
    assert "Saved: the plan, 2 lines of training progress." in now.error.fix


def test_a_dead_claim_without_a_record_is_killed(folder) -> None:
    pid, started = a_dead_worker()
    write(folder, "claim.json", {"pid": pid, "process_started": started})
    now = status(folder)
    assert now.state == "killed"
    assert now.error is not None
    assert "before its first stage" in now.error.happened


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_a_final_state_stays_whatever_the_process_does(folder, state) -> None:
    write(folder, "record.json", record(ME, state, finished=130.0))
    now = status(folder)
    assert (now.state, now.seconds, now.final) == (state, 30.0, True)


def test_a_control_file_older_than_the_claim_is_stale(folder) -> None:
    write(folder, "control.json", {"request": "cancel"})
    write(folder, "claim.json", {"pid": ME[0], "process_started": ME[1]})
    os.utime(folder.control, (100, 100))
    os.utime(folder.claim, (101, 101))
    assert not cancel_requested(folder)
    os.utime(folder.control, (102, 102))
    assert cancel_requested(folder)


def test_half_a_control_file_is_no_request(folder) -> None:
    folder.control.write_text('{"requ')
    assert not cancel_requested(folder)


def test_a_damaged_record_is_an_error_of_its_own(folder) -> None:
    folder.record.write_text('{"state": "run')
    with pytest.raises(ValueError):
        status(folder)


def test_kill_9_is_seen(ensure_toy) -> None:
    folder = ensure_toy("stubborn")
    wait(folder, "running", stage="middle")
    worker = worker_of(folder)
    os.kill(worker[0], signal.SIGKILL)
    assert gone(worker)
    killed = status(folder)
    assert killed.state == "killed"
    assert killed.error is not None
    assert str(worker[0]) in killed.error.happened
    assert killed.seconds < time.time() - storage.read_json(folder.record)["started"] + 1


def test_a_zombie_does_not_work() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    started = processes.started(pid)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert not processes.alive(pid, started)
    os.waitpid(pid, 0)
