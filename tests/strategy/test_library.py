"""Saved plans: any name, no path; limits; damage in one does not hide the others."""

from __future__ import annotations

import json

import pytest

from pruning import storage
from pruning.errors import NotFoundError, PlanError
from pruning.strategy import library
from pruning.strategy.plan import PruningPlan
from tests.strategy.profiles import MODEL

PLAN = PruningPlan(MODEL, ratios={"a": 0.5})


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    return tmp_path


def test_the_plan_that_was_changed_last_is_none_of_the_saved_ones(home):
    assert library.load_draft(MODEL) is None
    library.forget_draft(MODEL)
    library.save_draft(MODEL, PLAN)
    other = PruningPlan(MODEL, ratios={"a": 0.25})
    library.save_draft(MODEL, other)
    assert library.load_draft(MODEL) == other
    assert library.list_plans(MODEL) == []
    path = home / "plans" / MODEL / "unsaved" / "plan.json"
    for damaged in ("{", "[]", '{"plan": 3}'):
        path.write_text(damaged)
        assert library.load_draft(MODEL) is None
    library.forget_draft(MODEL)
    assert not path.exists()


@pytest.mark.parametrize(
    "name",
    ["half", "../../etc/passwd", "/abs", "C:\\x", "ß漢字 <b>", ".", "CON", "a" * 80, "\ud800"],
)
def test_any_name_comes_back_and_stays_in_the_folder(home, name):
    saved = library.save_plan(MODEL, name, PLAN)
    assert saved.plan.name == saved.name == name
    assert library.load_plan(MODEL, name) == saved.plan
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [path.parent for path in files] == [home / "plans" / MODEL]
    library.delete_plan(MODEL, name)
    assert library.list_plans(MODEL) == []


def test_the_newest_comes_first_and_a_name_is_replaced(monkeypatch):
    for second, name in enumerate(["one", "two", "one"]):
        monkeypatch.setattr(library.time, "time", lambda second=second: 100.0 + second)
        library.save_plan(MODEL, name, PLAN.with_ratios({"a": second / 10}))
    found = library.list_plans(MODEL)
    assert [(entry.name, entry.saved) for entry in found] == [("one", 102.0), ("two", 101.0)]
    assert found[0].plan.ratios == {"a": 0.2}


@pytest.mark.parametrize("name", ["", "   ", "a" * 81])
def test_names_have_a_length(name):
    with pytest.raises(PlanError, match="characters"):
        library.save_plan(MODEL, name, PLAN)


def test_there_is_a_limit(monkeypatch):
    monkeypatch.setattr(library, "MOST_PLANS", 2)
    library.save_plan(MODEL, "one", PLAN)
    library.save_plan(MODEL, "two", PLAN)
    library.save_plan(MODEL, "two", PLAN)  # replaces
    with pytest.raises(PlanError, match="already has 2"):
        library.save_plan(MODEL, "three", PLAN)


def test_what_is_not_there():
    with pytest.raises(NotFoundError):
        library.load_plan(MODEL, "nothing")
    with pytest.raises(NotFoundError):
        library.delete_plan(MODEL, "nothing")
    assert library.list_plans(MODEL) == []


@pytest.mark.parametrize("model_id", ["..", "../x", "", "a/b", "a" * 65, "é"])
def test_a_model_id_is_no_path(model_id):
    with pytest.raises(NotFoundError):
        library.save_plan(model_id, "name", PLAN)


def test_a_damaged_file_is_told_and_does_not_hide_the_others(home):
    library.save_plan(MODEL, "good", PLAN)
    library.save_plan(MODEL, "bad", PLAN)
    path = home / "plans" / MODEL / f"{storage.digest(b'bad')}.json"
    path.write_text("{")
    with pytest.raises(PlanError, match="damaged"):
        library.load_plan(MODEL, "bad")
    assert [entry.name for entry in library.list_plans(MODEL)] == ["good"]


def test_uploaded_plans(monkeypatch):
    assert library.parse_plan(json.dumps(PLAN.to_dict()).encode()) == PLAN
    for content in (b"", b"PK\x03\x04", b"\xff\xfe", b"[1", b"[" * 100_000, b'{"format": 1}'):
        with pytest.raises(PlanError):
            library.parse_plan(content)
    monkeypatch.setattr(library, "MOST_BYTES", 10)
    with pytest.raises(PlanError, match="bytes"):
        library.parse_plan(json.dumps(PLAN.to_dict()).encode())
