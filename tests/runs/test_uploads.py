"""Uploads beside runs and jobs: what is broken, who needs one, and what goes with it."""

import threading
import time
from pathlib import Path

import pytest

from pruning import storage
from pruning.errors import MismatchError, NotFoundError, PruningError
from pruning.intake import store
from pruning.runs import executor, library, uploads
from pruning.runs.folder import RunFolder, job_folder
from pruning.strategy import library as plans
from pruning.strategy.plan import PruningPlan

from .conftest import MODEL, gone, store_file, wait
from .test_library import PLAN, make_run

DATA = "fedcba9876543210fedc"


@pytest.fixture
def files(home: Path) -> Path:
    """A model and a data file that nobody uses."""
    store_file(home / "models" / MODEL)
    store_file(home / "data" / DATA, "source.zip")
    return home


def job(kind: str, key: str, error: PruningError | None = None, **request: str) -> RunFolder:
    """A job that has ended."""
    folder = job_folder(kind, key)
    storage.write_json(folder.request, {"kind": kind, "created": 1.0, **request})
    state = "failed" if error else "done"
    record = {
        "pid": 1, "process_started": 0.0, "stages": [], "started": 1.0, "finished": 2.0,
        "state": state, "error": error.to_dict() if error else None,
    }  # fmt: skip
    storage.write_json(folder.record, record)
    return folder


def refused(kind: str, key: str, error: type[PruningError], **request: str) -> None:
    job(kind, key, error("No.", expected="Yes.", fix="Try."), **request)


def test_what_nobody_uses_is_deleted_with_all_that_was_read_from_it(files: Path) -> None:
    for name in ("profile.json", "baselines/x.json"):
        storage.write_json(files / "models" / MODEL / name, {})
    own = [job("profile", MODEL, model=MODEL), job("baseline", "b", model=MODEL, data=f"{DATA}-p")]
    others = [job("profile", "0" * 20, model="0" * 20), job("look", DATA, data=DATA)]
    kept = job("data", f"{DATA}-s", data=DATA, model=MODEL)  # it looked at the profile only
    uploads.delete("model", MODEL)
    assert store.models() == []
    assert not list((files / "models").iterdir())
    assert not any(folder.path.exists() for folder in own)
    assert all(folder.path.exists() for folder in (*others, kept))
    assert [upload.id for upload in store.data()] == [DATA]
    uploads.delete("data", DATA)
    assert not list((files / "data").iterdir())
    assert not kept.path.exists()
    assert not others[1].path.exists()
    with pytest.raises(NotFoundError):
        uploads.delete("data", DATA)


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
@pytest.mark.parametrize("kind", ["model", "data"])
def test_what_a_run_needs_stays_and_the_run_is_named(
    files: Path, kind: uploads.Kind, state: str
) -> None:
    run = make_run(files, "20260101-120000-abcdef", 1.0, state=state)
    request = run.read(run.request)
    storage.write_json(run.request, {**request, "data": f"{DATA}-prepared"})
    identifier = {"model": MODEL, "data": DATA}[kind]
    assert [found.id for found in uploads.runs_of(kind, identifier)] == [run.id]
    with pytest.raises(PruningError, match=rf"needed by a run: {run.id}\.") as caught:
        uploads.delete(kind, identifier)
    assert "Delete this run first" in caught.value.fix
    assert store.has_model(MODEL)
    assert store.has_data(DATA)
    library.delete(run.id)
    uploads.delete(kind, identifier)
    assert not (store.has_model if kind == "model" else store.has_data)(identifier)


def test_of_many_runs_a_few_are_named(files: Path) -> None:
    for number in range(5):
        make_run(files, f"run-{number}", float(number), state="done")
    with pytest.raises(PruningError, match="5 runs: run-4, run-3, run-2 and 2 more"):
        uploads.delete("model", MODEL)


def test_a_damaged_run_still_holds_what_it_names(files: Path) -> None:
    run = make_run(files, "bad", 1.0, state="done")
    run.plan.write_text("{")
    with pytest.raises(PruningError, match="needed by a run: bad"):
        uploads.delete("model", MODEL)


def test_saved_plans_are_there_again_with_the_same_file(files: Path) -> None:
    content = b"a model"
    model = store.store_model("a.keras", content)
    plans.save_plan(model, "mine", PruningPlan(model=model, ratios={"conv": 0.5}))
    uploads.delete("model", model)
    assert store.store_model("again.keras", content) == model
    assert [entry.name for entry in plans.list_plans(model)] == ["mine"]
    assert store.models()[0].name == "again.keras"


@pytest.mark.parametrize("toy", ["patient", "stubborn"])
def test_a_job_that_still_reads_it_is_stopped(files: Path, toys, toy: str) -> None:
    folder = executor.ensure("toy", "reading", {"toy": toy, "model": MODEL})
    wait(folder, "running")
    worker = executor.worker_of(folder)
    uploads.delete("model", MODEL)
    assert gone(worker)
    assert not folder.path.exists()
    assert not store.has_model(MODEL)


def test_a_run_cannot_begin_while_its_upload_goes(files: Path, monkeypatch) -> None:
    """Who deletes has looked for runs already: one that starts now must find the upload gone."""
    answers = []

    def start() -> None:
        try:
            executor.start_run(MODEL, "", PLAN)
        except PruningError as error:
            answers.append(error)

    starter = threading.Thread(target=start)

    def begin_meanwhile(name: str, runs: list) -> None:
        starter.start()
        time.sleep(0.2)

    monkeypatch.setattr(uploads, "_require_unused", begin_meanwhile)
    uploads.delete("model", MODEL)
    starter.join()
    assert isinstance(answers[0], NotFoundError)
    assert library.is_empty()


def test_a_model_that_could_not_be_read_is_known(files: Path) -> None:
    from pruning.errors import ModelFileError

    assert MODEL not in uploads.unreadable("model", [MODEL])
    refused("profile", MODEL, ModelFileError, model=MODEL)
    assert MODEL in uploads.unreadable("model", [MODEL])
    storage.write_json(files / "models" / MODEL / "profile.json", {})  # tried again, with success
    assert MODEL not in uploads.unreadable("model", [MODEL])


def test_data_that_could_not_be_read_is_known(files: Path) -> None:
    from pruning.errors import DataFileError

    refused("data", f"{DATA}-a", MismatchError, data=DATA)  # it only did not fit that model
    assert DATA not in uploads.unreadable("data", [DATA])
    refused("data", f"{DATA}-b", DataFileError, data=DATA)
    assert DATA in uploads.unreadable("data", [DATA])
    storage.write_json(files / "data" / DATA / "prepared" / "p" / "manifest.json", {})
    assert DATA not in uploads.unreadable("data", [DATA])


def test_the_folder_of_jobs_is_listed_once_for_all_uploads(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pruning.errors import DataFileError

    others = [f"{number:020x}" for number in range(20)]
    for other in others:
        store_file(files / "data" / other, "source.zip")
    refused("look", others[3], DataFileError, data=others[3])
    refused("data", f"{others[5]}-a", DataFileError, data=others[5])
    refused("baseline", f"m-{others[7]}", DataFileError, data=others[7])
    listed: list[Path] = []
    folder = uploads.jobs_folder
    monkeypatch.setattr(uploads, "jobs_folder", lambda: listed.append(folder()) or folder())
    assert uploads.unreadable("data", [DATA, *others]) == {others[3], others[5]}
    assert len(listed) == 1
    for other in (DATA, *others):
        storage.write_json(files / "data" / other / "prepared" / "p" / "manifest.json", {})
    assert not uploads.unreadable("data", [DATA, *others])
    assert len(listed) == 1  # of what is prepared nothing has to be known


def test_a_damaged_job_tells_nothing_and_stops_nothing(files: Path) -> None:
    folder = job("profile", MODEL, model=MODEL)
    folder.record.write_text("{")
    assert MODEL not in uploads.unreadable("model", [MODEL])
    job("latency", "x").request.write_text("[]")
    uploads.delete("model", MODEL)
    assert not folder.path.exists()
