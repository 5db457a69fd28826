import shutil
import threading
from pathlib import Path

import psutil
import pytest

from pruning import storage
from pruning.errors import NotFoundError, PruningError
from pruning.runs import executor, library
from pruning.runs.folder import RunFolder, runs_folder
from pruning.strategy.plan import PruningPlan

from .conftest import MODEL, wait

PLAN = PruningPlan(model=MODEL, ratios={"conv": 0.5})


def make_run(
    home: Path, name: str, created: float, plan: PruningPlan = PLAN, **record
) -> RunFolder:
    folder = RunFolder(home / "runs" / name)
    request = {"kind": "prune", "model": MODEL, "data": "d-p", "created": created}
    storage.write_json(folder.request, request)
    storage.write_json(folder.plan, plan.to_dict())
    if record:
        worker = {"pid": 1, "process_started": 0.0, "stages": [], "started": 1.0, "finished": 2.0}
        storage.write_json(folder.record, {**worker, **record})
    return folder


def test_no_home_no_runs() -> None:
    assert library.runs() == []


def test_newest_first_with_plan_status_figures_and_names(home: Path) -> None:
    storage.write_json(home / "models" / MODEL / "upload.json", {"name": "lenet.keras"})
    make_run(home, "old", 1.0)
    figures = {"params": {"before": 100, "after": 40}}
    new = make_run(home, "new", 2.0, state="done", results=figures)
    new.metrics.write_text('{"val_accuracy": 0.5}\n{"step": 3}\n{"val_accuracy": 0.75}\n')
    first, second = library.runs()
    assert (first.id, first.state, first.results) == ("new", "done", figures)
    assert (first.model_name, first.model, first.data, first.plan) == (
        "lenet.keras", MODEL, "d-p", PLAN,
    )  # fmt: skip
    assert first.accuracy == (0.5, 0.75)
    assert (second.id, second.state, second.results) == ("old", "queued", {})


@pytest.mark.parametrize("name", ["request.json", "plan.json", "record.json", "notes.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}', "\udcff"])
def test_a_damaged_file_is_shown_and_harms_no_other_run(
    home: Path, name: str, content: str
) -> None:
    make_run(home, "good", 1.0, state="done")
    bad = make_run(home, "bad", 2.0, state="done")
    (bad.path / name).write_bytes(content.encode(errors="surrogateescape"))
    found = {run.id: run for run in library.runs()}
    assert found["good"].state == "done"
    if name != "notes.json" or content != '{"format": 1}':  # a record without a note is whole
        assert found["bad"].state == "damaged"
        assert "cannot be read" in found["bad"].damaged
    library.delete("bad")
    assert [run.id for run in library.runs()] == ["good"]


@pytest.mark.parametrize("kind", ["fold", None])
def test_a_run_of_unknown_work_is_said_to_be_that_and_waits_for_nothing(home: Path, kind) -> None:
    """It stayed queued for ever."""
    run = make_run(home, "newer", 1.0)
    request = {"kind": kind, "model": MODEL, "data": "d-p", "created": 1.0}
    storage.write_json(run.request, request)
    (found,) = library.runs()
    assert found.state == "damaged"
    assert "a newer studio" in found.damaged
    assert ("'fold'" in found.damaged) == (kind == "fold")
    assert found.plan is not None
    executor.tick()
    assert not run.claim.exists()
    library.delete("newer")
    assert library.is_empty()


def test_the_sparkline_follows_a_run_that_goes_on(home: Path) -> None:
    run = make_run(home, "one", 1.0, state="running")
    run.metrics.write_text('{"accuracy": 0.25}\n')
    assert library.summary(run).accuracy == (0.25,)
    with run.metrics.open("a") as stream:
        stream.write('{"accuracy": 0.5}\n')
    assert library.summary(run).accuracy == (0.25, 0.5)


def test_a_run_that_has_ended_is_read_once_until_a_file_of_it_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(home, "ended", 1.0, state="done")
    make_run(home, "waiting", 2.0)
    read: list[str] = []
    whole = library._read
    monkeypatch.setattr(library, "_read", lambda folder: read.append(folder.id) or whole(folder))
    library.runs()
    library.runs()
    assert sorted(read) == ["ended", "waiting", "waiting"]
    library.set_note("ended", "look again")
    assert library.runs()[1].note == "look again"


def test_an_empty_folder_and_stray_files(home: Path) -> None:
    (home / "runs" / "empty").mkdir(parents=True)
    (home / "runs" / "stray.txt").write_text("x")
    (home / "runs" / ".new-half").mkdir()
    [run] = library.runs()
    assert (run.id, run.state) == ("empty", "damaged")


def test_a_copied_folder_is_a_run(home: Path) -> None:
    run = make_run(home, "one", 1.0, state="done")
    shutil.copytree(run.path, run.path.with_name("copy of one"))
    assert {r.id: r.state for r in library.runs()} == {"one": "done", "copy of one": "done"}


def test_delete_removes_everything(home: Path) -> None:
    folder = make_run(home, "one", 1.0, state="done")
    folder.exports.mkdir()
    library.delete("one")
    assert list((home / "runs").iterdir()) == []


def test_a_running_run_is_not_deleted(queue_toy) -> None:
    folder = queue_toy("patient")
    executor.tick()
    wait(folder, "running")
    with pytest.raises(PruningError, match="still running"):
        library.delete(folder.id)
    assert folder.path.exists()


def test_the_queue_does_not_start_a_run_while_it_is_deleted(queue_toy, monkeypatch) -> None:
    folder = queue_toy("patient")
    queue = threading.Thread(target=executor.tick)
    look, children = library.summary, psutil.Process().children

    def look_while_the_queue_moves(run: RunFolder) -> library.RunSummary:
        found = look(run)
        queue.start()
        queue.join(0.3)
        return found

    before = children()
    monkeypatch.setattr(library, "summary", look_while_the_queue_moves)
    library.delete(folder.id)
    queue.join()
    assert set(children()) <= set(before)  # none was started
    assert list(runs_folder().iterdir()) == []


def test_a_note_does_not_bring_back_a_run_that_is_deleted(home: Path, monkeypatch) -> None:
    folder = make_run(home, "one", 1.0, state="done")
    deletion = threading.Thread(target=library.delete, args=("one",))
    read = RunFolder.read

    def read_while_it_is_deleted(run: RunFolder, path: Path) -> dict:
        if path == folder.notes and not deletion.ident:
            deletion.start()
            deletion.join(0.3)
        return read(run, path)

    monkeypatch.setattr(RunFolder, "read", read_while_it_is_deleted)
    library.set_note("one", "promising")
    deletion.join()
    assert not folder.path.exists()


@pytest.mark.parametrize("name", ["missing", "..", ".", "", "../runs/one", "/etc", ".hidden"])
def test_only_runs_can_be_found(home: Path, name: str) -> None:
    make_run(home, "one", 1.0)
    (home / "runs" / ".hidden").mkdir()
    with pytest.raises(NotFoundError):
        library.delete(name)
    assert (home / "runs" / "one").exists()


def test_a_link_is_no_run(home: Path, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (home / "runs").mkdir()
    (home / "runs" / "link").symlink_to(elsewhere)
    with pytest.raises(NotFoundError):
        library.delete("link")
    assert elsewhere.exists()


def test_notes_are_kept(home: Path) -> None:
    make_run(home, "one", 1.0)
    library.set_note("one", "  promising\n")
    assert library.runs()[0].note == "promising"
    with pytest.raises(NotFoundError):
        library.set_note("two", "x")


def test_a_home_without_a_run_is_empty(home: Path) -> None:
    assert library.is_empty()
    make_run(home, "a", 1.0, state="done")
    assert not library.is_empty()


def test_compare_two_names_what_differs(home: Path) -> None:
    left = make_run(home, "a", 1.0, state="done", results={"params": {"before": 9, "after": 4}})
    right = make_run(home, "b", 2.0, PLAN.with_training(epochs=9), state="done", results={})
    rows = library.compare_two(library.summary(left), library.summary(right))
    assert {row.name: (row.left, row.right) for row in rows if row.differs} == {
        "plan.training.epochs": (3, 9),
        "result.params.before": (9, None),
        "result.params.after": (4, None),
    }
    same = {row.name: row.left for row in rows if not row.differs}
    assert "model.name" in same  # what a person calls it, beside what the studio calls it
    assert same["plan.ratios.conv"] == 0.5
    assert same["state"] == "done"


def test_tags_are_kept_beside_the_note_in_order_and_without_needless_spaces(home: Path) -> None:
    make_run(home, "one", 1.0, state="done")
    make_run(home, "two", 2.0, state="done")
    library.set_note("one", "for the review")
    assert library.set_tags("one", [" tiny\n\u202e board ", "Review", "tiny board", " "]) == (
        "Review", "tiny board",
    )  # fmt: skip
    library.set_tags("two", ["release"])
    library.set_note("two", "")
    two, one = library.runs()
    assert (one.note, one.tags) == ("for the review", ("Review", "tiny board"))
    assert two.tags == ("release",)
    assert library.tags_of([one, two]) == ["release", "Review", "tiny board"]


@pytest.mark.parametrize("tags", [["x" * 41], [f"tag {number}" for number in range(21)]])
def test_too_much_for_a_tag_changes_nothing(home: Path, tags: list[str]) -> None:
    make_run(home, "one", 1.0, state="done")
    library.set_tags("one", ["kept"])
    with pytest.raises(
        PruningError, match=r"The longest of (1 tag has 41|21 tags has 6) characters"
    ):
        library.set_tags("one", tags)
    assert library.runs()[0].tags == ("kept",)
