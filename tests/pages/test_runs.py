"""The runs page: the table, notes, comparing two, deleting."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pruning import storage
from pruning.runs import library
from pruning.runs.folder import RunFolder
from tests.pages import studio

FIRST, SECOND = "20260101-110000-aaaaaa", "20260102-110000-bbbbbb"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    profile = studio.build(tmp_path)
    studio.run(tmp_path, profile, FIRST, created=1_767_268_800.0)
    studio.run(tmp_path, profile, SECOND, created=1_767_355_200.0, state="cancelled")
    return tmp_path


def open_page(*rows: int):
    app = studio.page("runs")
    assert not app.exception
    if rows:
        app.session_state["runs"] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
        app.run()
        assert not app.exception
    return app


def test_newest_first_with_key_figures(runs: Path) -> None:
    table = open_page().dataframe[0].value
    assert list(table["run"]) == [SECOND, FIRST]
    assert list(table["status"]) == ["⊘ cancelled", "✓ done"]
    done = table.iloc[1]
    assert done["flops"] == pytest.approx(100 * 20 / 42)
    assert done["quality"] == "83.3 % → 80.0 %"
    assert done["curve"] == pytest.approx([0.7, 0.8])
    assert done["plan"] == "Remove channels to 50 % of the FLOPs · L1, uniform · 2 epochs, adam"


def test_a_note_is_kept(runs: Path) -> None:
    app = open_page(1)
    app.text_input(key=f"note_{FIRST}").input("for the review").run()
    assert not app.exception
    assert library.summary(library.find(FIRST)).note == "for the review"


def test_tags_are_kept_and_choose_the_runs_that_are_shown(runs: Path) -> None:
    library.set_tags(SECOND, ["weekly"])
    app = open_page(1)
    app.multiselect(key=f"tags_{FIRST}").set_value(["weekly", " for  :red[review] "]).run()
    assert not app.exception
    assert library.summary(library.find(FIRST)).tags == ("for :red[review]", "weekly")
    assert list(app.dataframe[0].value.iloc[1]["tags"]) == ["for :red[review]", "weekly"]
    app = studio.page("runs", tag="for :red[review]")
    assert list(app.dataframe[0].value["run"]) == [FIRST]
    app = studio.page("runs", tag="weekly")
    assert list(app.dataframe[0].value["run"]) == [SECOND, FIRST]
    assert app.multiselect(key="tag").options == ["for :red[review]", "weekly"]


def test_a_tag_that_is_too_long_is_an_error_that_loses_nothing(runs: Path) -> None:
    library.set_tags(FIRST, ["weekly"])
    app = open_page(1)
    app.multiselect(key=f"tags_{FIRST}").set_value(["weekly", "x" * 41]).run()
    assert "At most 20 tags of at most 40 characters" in studio.texts(app)
    assert app.multiselect(key=f"tags_{FIRST}").value == ["weekly"]
    assert library.summary(library.find(FIRST)).tags == ("weekly",)


def test_no_run_with_all_of_the_tags(runs: Path) -> None:
    library.set_tags(FIRST, ["one"])
    library.set_tags(SECOND, ["two"])
    app = studio.page("runs")
    app.multiselect(key="tag").set_value(["one", "two"]).run()
    assert not app.exception
    assert "No run has all of these tags." in studio.texts(app)
    assert not app.dataframe


def test_a_run_is_opened_without_the_plan_that_was_open(runs: Path) -> None:
    app = studio.page("runs", plan="of another run")
    app.session_state["runs"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    app.run()
    own = [
        link.proto.query_string
        for link in app.get("page_link")
        if "run=" in link.proto.query_string
    ]
    assert len(own) == 2
    assert not any("plan=" in query for query in own)


def test_two_selected_runs_are_compared(runs: Path) -> None:
    app = open_page(0, 1)
    rows = app.dataframe[1].value
    assert list(rows.columns) == ["", SECOND, FIRST]
    facts = {row.iloc[0]: (row.iloc[1], row.iloc[2]) for _, row in rows.iterrows()}
    assert facts["state"] == ("cancelled", "done")
    assert facts["FLOPs after"] == ("—", "20,000")
    assert facts["Test accuracy after"] == ("—", "80.0 %")
    assert facts["File after"] == ("—", "6.00 kB")
    names = list(facts)
    assert names.index("state") < names.index("FLOPs after") < names.index("time to retrain")
    assert "result › model" not in facts  # the name of a file
    assert "plan › method" not in facts  # does not differ
    app.toggle(key="only_differences").set_value(False).run()
    names = list(app.dataframe[1].value.iloc[:, 0])
    assert "plan › method" in names
    # A layer's name stays as it is, and its share is one.
    rows = app.dataframe[1].value.set_index("")
    assert rows.loc["removed from stage1_block1_conv1", FIRST].endswith(" %")
    assert rows.loc["plan › target › value", FIRST] == "50.0 %"


def test_two_runs_name_their_data_and_have_their_latencies(runs: Path) -> None:
    app = open_page(0, 1)
    app.toggle(key="only_differences").set_value(False).run()
    rows = app.dataframe[1].value.set_index("")
    assert list(rows.loc["data"]) == ["animals.zip", "animals.zip"]
    assert list(rows.loc["Latency before"]) == ["—", "2.00 ms"]
    assert list(rows.loc["Latency after"]) == ["—", "1.00 ms"]
    names = list(rows.index)
    assert "model" in names
    assert names.index("Test accuracy after") < names.index("Latency before")
    run = RunFolder(runs / "runs" / SECOND)
    storage.write_json(run.request, {**run.read(run.request), "data": f"{studio.DATA}-{'ab' * 10}"})
    rows = open_page(0, 1).dataframe[1].value.set_index("")
    first, second = rows.loc["data"]
    assert first.startswith(studio.DATA[:6])  # that preparation is gone
    assert second == "animals.zip"


def test_one_file_prepared_in_two_ways_is_told_apart(runs: Path) -> None:
    other = f"{studio.DATA}-{'ab' * 10}"
    prepared = runs / "data" / studio.DATA / "prepared"
    manifest = storage.read_json(prepared / studio.PREPARED / "manifest.json")
    storage.write_json(prepared / ("ab" * 10) / "manifest.json", {**manifest, "ref": other})
    run = RunFolder(runs / "runs" / SECOND)
    storage.write_json(run.request, {**run.read(run.request), "data": other})
    rows = open_page(0, 1).dataframe[1].value.set_index("")
    assert list(rows.loc["data"]) == [
        "animals.zip, prepared as ababab", "animals.zip, prepared as 001122"
    ]  # fmt: skip


def test_no_axis_goes_beyond_all(runs: Path) -> None:
    spec = next(c.proto.spec for c in open_page().get("vega_lite_chart") if "FLOPs" in c.proto.spec)
    assert '"nice": false' in spec


def test_delete_asks_first(runs: Path) -> None:
    app = open_page(0)
    app.button(key="delete_confirmed").click().run()
    assert not app.exception
    assert [run.id for run in library.runs()] == [FIRST]
    # The next run took the place of the deleted one, below a question that was still open.
    assert not [button for button in app.button if button.key == "delete_confirmed"]


def test_a_run_that_comes_does_not_take_over_the_selection_of_another(runs: Path) -> None:
    app = open_page(0)
    assert app.text_input(key=f"note_{SECOND}")
    studio.run(runs, studio.build(runs), "20260103-110000-cccccc", created=1_767_441_600.0)
    app.run()
    assert not app.exception
    assert app.text_input(key=f"note_{SECOND}")


def test_a_damaged_run_is_shown_not_hidden(runs: Path) -> None:
    (runs / "runs" / FIRST / "record.json").write_text("{ not json")
    table = open_page().dataframe[0].value
    assert list(table["status"]) == ["⊘ cancelled", "⚠ damaged"]
    assert "cannot be read" in table["plan"].iloc[1]


@pytest.mark.parametrize("name", ["runs", "retraining", "comparison"])
def test_without_any_run_a_page_leads_to_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    app = studio.page(name)
    words = studio.texts(app)
    assert "No run" in words
    assert "Select a run" not in words
    assert "Open a demo or bring your own model" in links(app)
    profile = studio.build(tmp_path)
    assert "Choose a strategy" in links(studio.page(name, model=profile.digest))


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_an_error_is_drawn_in_its_own_unit(runs: Path) -> None:
    run = RunFolder(runs / "runs" / FIRST)
    record = run.read(run.record)
    record["results"]["metric"] = "mae"
    storage.write_json(run.record, record)
    spec = next(c.proto.spec for c in open_page().get("vega_lite_chart") if "FLOPs" in c.proto.spec)
    assert "Test mean abs. error" in spec
    assert "accuracy" not in spec.casefold()
    assert "%" not in spec


def test_scatter_has_the_original_and_every_run(runs: Path) -> None:
    specs = [chart.proto.spec for chart in open_page().get("vega_lite_chart")]
    assert any("Test accuracy" in spec and "FLOPs" in spec for spec in specs)
