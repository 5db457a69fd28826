import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from pruning import storage
from pruning.errors import MismatchError, NotFoundError
from pruning.runs import executor, processes
from pruning.runs.folder import RunFolder
from pruning.runs.status import status, worker_of
from pruning.strategy.plan import PruningPlan

from .conftest import MODEL, gone, store_file, wait


def test_a_job_is_done_once(ensure_toy) -> None:
    first = ensure_toy("done")
    wait(first, "done")
    worker = worker_of(first)
    again = ensure_toy("done")
    assert again == first
    assert worker_of(again) == worker


def test_a_failed_job_is_done_again_only_when_asked(ensure_toy) -> None:
    folder = ensure_toy("fail")
    wait(folder, "failed")
    worker = worker_of(folder)
    ensure_toy("fail")
    assert worker_of(folder) == worker
    ensure_toy("fail", retry=True)
    wait(folder, "failed")
    assert worker_of(folder) != worker


def test_what_is_done_is_done_anew_when_asked_and_keeps_what_it_made_meanwhile(
    ensure_toy, home: Path
) -> None:
    folder = ensure_toy("done")
    wait(folder, "done")
    worker = worker_of(folder)
    ensure_toy("done", anew=True)
    wait(folder, "done")
    assert worker_of(folder) != worker
    patient = ensure_toy("patient")
    while worker_of(patient) is None:
        time.sleep(0.01)
    worker = worker_of(patient)
    ensure_toy("patient", anew=True)  # it is being done
    assert worker_of(patient) == worker
    executor.cancel(patient)


def test_a_job_whose_files_are_gone_is_done_again(ensure_toy, home: Path) -> None:
    folder = ensure_toy("make")
    wait(folder, "done")
    record = storage.read_json(folder.record)
    storage.write_json(folder.record, {**record, "results": {"made": ["jobs/toy-make/made.txt"]}})
    worker = worker_of(folder)
    ensure_toy("make")
    assert worker_of(folder) == worker
    (home / "jobs/toy-make/made.txt").unlink()
    ensure_toy("make")
    wait(folder, "done")
    assert worker_of(folder) != worker


def test_a_damaged_job_is_done_again(ensure_toy) -> None:
    folder = ensure_toy("done")
    wait(folder, "done")
    folder.record.write_text("{")
    ensure_toy("done")
    assert wait(folder, "done").results == {"answer": 42}


@pytest.mark.parametrize("key", ["../x", "", "a/b", ".hidden", "a b"])
def test_a_key_is_no_path(toys, key: str) -> None:
    with pytest.raises(ValueError, match="folder"):
        executor.ensure("toy", key, {})


def test_many_callers_at_once_start_one_worker(ensure_toy) -> None:
    before = {child.pid for child in psutil.Process().children()}
    threads = [threading.Thread(target=ensure_toy, args=("patient",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    started = [c for c in psutil.Process().children() if c.pid not in before]
    assert len(started) == 1


def test_the_queue_works_in_the_order_of_creation(queue_toy) -> None:
    late, early = queue_toy("patient", created=2.0), queue_toy("patient", created=1.0)
    assert executor.queue() == [early.id, late.id]
    executor.tick()
    wait(early, "running")
    assert status(late).state == "queued"
    assert executor.queue() == [late.id]
    executor.tick()
    assert status(late).state == "queued"  # one slot
    executor.cancel(early)
    wait(early, "cancelled")
    executor.tick()
    wait(late, "running")


def test_two_slots_run_two(queue_toy, monkeypatch) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_SLOTS", "2")
    runs = [queue_toy("patient", created=float(i)) for i in range(3)]
    executor.tick()
    assert [status(run).state for run in runs] == ["running", "running", "queued"]


def test_jobs_do_not_wait_for_runs(queue_toy, ensure_toy) -> None:
    run = queue_toy("patient")
    executor.tick()
    wait(run, "running")
    wait(ensure_toy("done"), "done")
    assert status(run).state == "running"


def test_a_queued_run_can_be_cancelled(queue_toy) -> None:
    folder = queue_toy("done")
    executor.cancel(folder)
    executor.tick()
    assert status(folder).state == "cancelled"
    assert not folder.claim.exists()


def test_cancelling_a_done_run_changes_nothing(ensure_toy) -> None:
    folder = ensure_toy("done")
    wait(folder, "done")
    executor.cancel(folder)
    assert not folder.control.exists()
    assert status(folder).state == "done"


def test_a_worker_that_hangs_after_a_cancel_is_ended(queue_toy, monkeypatch) -> None:
    folder = queue_toy("stubborn")
    executor.tick()
    wait(folder, "running", stage="middle")
    worker = worker_of(folder)
    psutil.Process(worker[0]).suspend()  # as if it hung in native code
    executor.cancel(folder)
    monkeypatch.setattr(executor, "LAST_RESORT_SECONDS", -1.0)
    executor.tick()
    assert gone(worker)
    assert status(folder).state == "cancelled"


def test_a_worker_that_has_not_begun_is_ended_at_once(queue_toy, monkeypatch) -> None:
    """It is still importing, or doing what it was told before."""
    monkeypatch.setattr(processes, "WORKER", (sys.executable, "-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(executor, "LAST_RESORT_SECONDS", 600.0)
    folder = queue_toy("done")
    executor.tick()
    worker = worker_of(folder)
    assert status(folder).state == "running"
    executor.cancel(folder)
    executor.tick()
    assert gone(worker)
    assert status(folder).state == "cancelled"


def test_ended_workers_leave_no_zombies(queue_toy) -> None:
    folder = queue_toy("done")
    executor.tick()
    wait(folder, "done")
    worker = worker_of(folder)
    assert gone(worker)
    for _ in range(1000):  # a process that is ending may take a moment to become a zombie
        executor.tick()
        if not psutil.pid_exists(worker[0]):
            return
        time.sleep(0.01)
    raise AssertionError("a zombie stays")


def test_another_server_finds_what_runs_and_continues_the_queue(queue_toy) -> None:
    """The first server is a process that dies at once; its run goes on, the next is picked up."""
    running, waiting = queue_toy("patient", created=1.0), queue_toy("done", created=2.0)
    code = (
        "import os\n"
        "from pruning.runs import executor, jobs, processes\n"
        f"processes.WORKER = {processes.WORKER!r}\n"
        f"jobs.__path__.append({str(Path(__file__).parent / 'toy_jobs')!r})\n"
        "executor.tick(); os.kill(os.getpid(), 9)"
    )
    server = subprocess.run([sys.executable, "-c", code], env=processes.environment(), check=False)
    assert server.returncode == -9
    wait(running, "running", stage="middle")
    executor.tick()
    assert (status(running).state, status(waiting).state) == ("running", "queued")
    executor.cancel(running)
    wait(running, "cancelled")
    executor.tick()
    wait(waiting, "done")


def test_the_lifespan_moves_the_queue_and_keeps_one_worker_warm(
    queue_toy, home: Path, monkeypatch
) -> None:
    monkeypatch.setattr(executor, "TICK_SECONDS", 0.02)
    folder = queue_toy("done")

    async def serve() -> int:
        async with executor.lifespan(None):
            await asyncio.to_thread(wait, folder, "done", "failed")
            for _ in range(1000):
                if executor._workers.has_warm():
                    return executor._workers._warm.pid
                await asyncio.sleep(0.01)
        raise AssertionError("no warm worker")

    warm = asyncio.run(serve())
    assert status(folder).state == "done"
    assert not psutil.pid_exists(warm)
    assert not list((home / "temp").glob(f"{warm}-*"))  # nor what it had for a moment


def test_no_worker_is_warmed_before_it_is_quiet(toys, home: Path, monkeypatch) -> None:
    monkeypatch.setattr(executor, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(executor._workers, "keep_warm", lambda: warmed.set())
    quiet, warmed = threading.Event(), threading.Event()

    async def serve() -> tuple[bool, bool]:
        async with executor.lifespan(None, quiet):
            early = await asyncio.to_thread(warmed.wait, 0.3)
            quiet.set()
            return early, await asyncio.to_thread(warmed.wait, 60)

    assert asyncio.run(serve()) == (False, True)


def test_a_plan_for_another_model_is_refused(home: Path) -> None:
    plan = PruningPlan(model="another", ratios={"conv": 0.5})
    with pytest.raises(MismatchError, match="another"):
        executor.start_run(MODEL, "data-ref", plan)
    assert not (home / "runs").exists()


def test_start_run_writes_request_plan_and_note(toys, home: Path, monkeypatch) -> None:
    monkeypatch.setattr(executor, "tick", lambda: None)
    plan = PruningPlan(model=MODEL, ratios={"conv": 0.5})
    store_file(home / "models" / MODEL)
    storage.write_json(home / "data" / "data" / "prepared" / "ref" / "manifest.json", {})
    before = time.time()
    folder = executor.start_run(MODEL, "data-ref", plan, note="first try")
    assert PruningPlan.from_dict(folder.read(folder.plan)) == plan
    request = folder.read(folder.request)
    assert request.pop("created") >= before
    assert request == {"format": 1, "kind": "prune", "model": MODEL, "data": "data-ref"}
    assert folder.read(folder.notes)["note"] == "first try"


def test_a_run_of_what_was_deleted_meanwhile_is_refused(home: Path) -> None:
    plan = PruningPlan(model=MODEL, ratios={"conv": 0.5})
    with pytest.raises(NotFoundError, match="Nothing is stored"):
        executor.start_run(MODEL, "data-ref", plan)
    store_file(home / "models" / MODEL)
    with pytest.raises(NotFoundError, match="no longer in the studio"):
        executor.start_run(MODEL, "data-ref", plan)
    assert not (home / "runs").exists()


def test_folders_that_are_no_runs_do_not_stop_the_queue(queue_toy, home: Path) -> None:
    good = queue_toy("done")
    (home / "runs" / "empty").mkdir()
    (home / "runs" / "a file").write_text("x")
    bad = RunFolder(home / "runs" / "0-bad")
    bad.path.mkdir()
    bad.request.write_text("{")
    executor.tick()
    wait(good, "done")


@pytest.mark.parametrize("request_", ["[]", "5", "{}", '{"kind": "of tomorrow", "created": -1}'])
def test_a_run_that_cannot_be_started_does_not_hold_up_the_others(
    queue_toy, home: Path, request_: str
) -> None:
    good = queue_toy("done")
    bad = RunFolder(home / "runs" / "0-bad")
    bad.path.mkdir()
    bad.request.write_text(request_)
    assert executor.queue() == [good.id]
    executor.tick()
    wait(good, "done")


def test_slots_are_half_of_the_cores_unless_set(monkeypatch) -> None:
    monkeypatch.setattr(processes, "_cores", lambda: 8)
    monkeypatch.setenv("PRUNING_STUDIO_SLOTS", "")
    assert processes.slots() == 4
    assert processes.environment()["OMP_NUM_THREADS"] == "2"
    monkeypatch.setenv("PRUNING_STUDIO_SLOTS", "3")
    assert processes.slots() == 3
    monkeypatch.setenv("PRUNING_STUDIO_SLOTS", "none")
    assert processes.slots() == 4
