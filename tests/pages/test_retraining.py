"""The retraining page: a run in each of its states."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pages.components.retraining import metrics, progress
from pruning import storage
from pruning.errors import MismatchError
from pruning.runs import library, processes
from pruning.strategy.description import describe
from pruning.strategy.plan import Schedule, Target
from tests.pages import studio


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    monkeypatch.setattr(processes, "slots", lambda: 0)  # nothing starts while pages are tested
    return studio.build(tmp_path)


def open_page(run):
    app = studio.page("retraining", model=studio.profiles.MODEL, data=studio.REF, run=run.id)
    assert not app.exception
    return app


def test_a_done_run_shows_its_figures_and_leads_on(tmp_path: Path, profile) -> None:
    app = open_page(studio.run(tmp_path, profile))
    shown = {m.label: (m.value, m.delta) for m in app.metric}
    assert shown["FLOPs ●"] == ("20.0 k", "2.1× fewer")
    assert shown["Test accuracy ◆"] == ("80.0 %", "−3.3 points")
    words = studio.texts(app)
    assert ":green-badge[" in words
    assert "1 min 1 s" in words  # the stage retrain
    assert "See before and after" in [link.proto.label for link in app.get("page_link")]


def test_the_comparison_of_a_finished_run_is_read_once(
    tmp_path: Path, profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, read = open_page(studio.run(tmp_path, profile)), []
    monkeypatch.setattr(progress.Comparison, "load", read.append)
    app.run()
    assert not app.exception
    assert not read


def test_curves_with_the_level_before(tmp_path: Path, profile) -> None:
    app = open_page(studio.run(tmp_path, profile))
    specs = [chart.proto.spec for chart in app.get("vega_lite_chart")]
    assert sum('"type": "rule"' in spec for spec in specs) == 2  # loss and accuracy
    assert "Dashed blue" in studio.texts(app)


def test_dots_of_the_first_steps_are_explained_while_there_are_some(
    tmp_path: Path, profile
) -> None:
    run = studio.run(tmp_path, profile)  # of two steps
    assert "Dots: its first steps." in studio.texts(open_page(run))
    lines = "".join(f'{{"t": {i}, "step": {i}, "steps": 9, "loss": {i}}}\n' for i in range(1, 5))
    storage.write_bytes(run.metrics, lines.encode())
    assert "Dots" not in studio.texts(open_page(run))


def test_what_a_plan_does_is_said_whole(tmp_path: Path, profile) -> None:
    """ "magnitude, …m, polynomial schedule" stood above a run that zeroes weights."""
    run = studio.run(tmp_path, profile)
    changes = {"target": Target("sparsity", 0.8), "schedule": Schedule("polynomial")}
    plan = studio.plan_for(profile, method="weights", criterion="magnitude", **changes)
    storage.write_json(run.plan, plan.to_dict())
    assert len(describe(plan)) > 80
    assert describe(plan) in studio.texts(open_page(run)).replace("\\", "")


def test_a_running_run_shows_pace_and_can_be_cancelled(tmp_path: Path, profile) -> None:
    run = studio.run(tmp_path, profile, **studio.running("retrain"))
    app = open_page(run)
    bar = app.get("progress")[0]
    # Two lines one second and ten steps apart, batches of 64: the last step is number 20 of 20.
    assert bar.proto.text == ("epoch 2 of 2 · step 20 of 20 · 640 samples/s · about 0.0 s left")
    app.button(key="cancel").click().run()
    assert storage.read_json(run.control)["request"] == "cancel"
    assert ":orange-badge[" in studio.texts(app)


def test_curves_begin_with_the_second_step(tmp_path: Path, profile) -> None:
    run = studio.run(tmp_path, profile, **studio.running("retrain"))
    lines = run.metrics.read_bytes().splitlines(keepends=True)
    run.metrics.write_bytes(lines[0])
    app = open_page(run)
    assert "step" in app.get("progress")[0].proto.text
    assert not app.get("vega_lite_chart")
    run.metrics.write_bytes(b"".join(lines[:2]))
    assert open_page(run).get("vega_lite_chart")


def test_before_its_first_step_a_run_is_drawn_when_it_goes_on(
    tmp_path: Path, profile, monkeypatch
) -> None:
    monkeypatch.setattr(progress, "HOLD_SECONDS", 3600.0)  # not because time has passed
    monkeypatch.setattr(progress.st, "session_state", {})
    run = studio.run(tmp_path, profile, **studio.running("cut"))
    steps = run.metrics.read_bytes()
    run.metrics.unlink()
    assert progress.news(run).stage == "cut"  # nothing was drawn so far
    record = run.read(run.record) | studio.running("self-check")
    with later(storage.write_json, run.record, record):
        assert progress.news(run).stage == "self-check"
    with later(storage.write_bytes, run.metrics, steps):
        assert progress.news(run).stage == "self-check"
    assert metrics.progress(run).last()


@contextmanager
def later(function, *arguments) -> Iterator[None]:
    """Have the function called in a moment, by another thread."""
    timer = threading.Timer(0.2, function, arguments)
    timer.start()
    yield
    timer.join()


def test_a_killed_worker_is_shown_with_what_is_saved(tmp_path: Path, profile) -> None:
    run = studio.run(tmp_path, profile, state="running", pid=1, process_started=0.0, finished=None)
    words = studio.texts(open_page(run))
    assert "disappeared" in words
    assert "2 lines of training progress" in words


def test_a_failed_run_shows_its_error_and_starts_again(tmp_path: Path, profile) -> None:
    error = MismatchError("It broke.", expected="A whole one.", fix="Mend it.").to_dict()
    app = open_page(studio.run(tmp_path, profile, state="failed", error=error))
    words = studio.texts(app)
    for sentence in ("It broke", "A whole one", "Mend it"):
        assert sentence in words
    app.button(key="again").click().run()
    assert not app.exception
    assert [run.state for run in library.runs()] == ["queued", "failed"]
    assert app.query_params["run"] == library.runs()[0].id
    assert "Number 1 in the queue" in studio.texts(app)


def test_other_runs_stand_at_the_side(tmp_path: Path, profile) -> None:
    studio.run(tmp_path, profile, "20260101-110000-aaaaaa", state="cancelled")
    app = open_page(studio.run(tmp_path, profile))
    words = studio.texts(app)
    assert "Earlier" in words
    assert ":gray-badge[:material/cancel: cancelled]" in words


def test_a_finished_run_at_the_side_says_what_it_came_to(tmp_path: Path, profile) -> None:
    done = studio.run(tmp_path, profile, "20260101-110000-aaaaaa")
    plan = storage.read_json(done.plan)
    storage.write_json(done.plan, {**plan, "name": "half of it"})
    app = open_page(studio.run(tmp_path, profile))
    assert "FLOPs 2.1× fewer, 80.0 %" in [caption.value for caption in app.caption]
    assert app.button(key=f"open_{done.id}").label == "half of it"


def test_a_run_that_was_cancelled_in_the_queue_promises_no_curves(tmp_path: Path, profile) -> None:
    run = studio.run(tmp_path, profile, state="cancelled")
    assert "plan, curves and log are kept" in studio.texts(open_page(run))
    run.record.unlink()
    storage.write_json(run.control, {"request": "cancel"})
    assert "Its plan is kept" in studio.texts(open_page(run))


def test_without_a_run_it_says_so(profile) -> None:
    app = studio.page("retraining")
    assert not app.exception
    assert "No run is open yet." in studio.texts(app)


def test_the_log_is_sent_while_it_is_open(tmp_path: Path, profile) -> None:
    """A browser takes a second for what draws it; where a run failed, it is what people read."""
    run = studio.run(tmp_path, profile)
    run.log.write_text("a line of the log\n")
    assert [code.value for code in open_page(run).code] == []
    error = MismatchError("It broke.", expected="Not this.", fix="Mend it.").to_dict()
    record = {"state": "failed", "error": error, "results": {}}
    storage.write_json(run.record, {**run.read(run.record), **record})
    assert [code.value for code in open_page(run).code] == ["a line of the log"]
