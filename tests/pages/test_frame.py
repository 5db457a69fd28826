from __future__ import annotations

import pytest

from pages.components import memory
from pruning import storage
from pruning.runs.folder import RunFolder, runs_folder
from tests.pages.conftest import words
from tests.pages.profiles import HOSTILE, MODEL, resnet, store

PAGES = ("upload", "layers", "strategy", "retraining", "comparison", "runs")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_nothing_open_and_says_what_is_missing(app, page):
    app.run()
    app.switch_page(f"{page}.py").run()
    assert not app.exception
    labels = [link.proto.label for link in app.get("page_link")]
    assert labels[:2] == ["No model yet", "No data yet"]
    assert not app.get("vega_lite_chart")


def test_the_header_says_what_is_open(app, home):
    profile = resnet()
    store(profile, home)
    app.query_params["model"] = MODEL
    app.run()
    app.switch_page("layers.py").run()
    assert not app.exception
    header = app.get("page_link")[0].proto
    assert "Keras 3 · 1.15 MB · 275 k parameters" in header.label
    assert f"model={MODEL}" in header.query_string


def test_a_name_that_the_header_shortens_is_whole_on_hover(app, home):
    folder = store(resnet(), home)
    name = "a model with a name that is longer than the line is wide.keras"
    storage.write_json(folder / "upload.json", {"name": name, "bytes": 1, "uploaded": 1e9})
    app.query_params["model"] = MODEL
    app.run()
    model, data = (link.proto for link in app.get("page_link")[:2])
    assert "a model with a n…" in model.label
    assert model.help.replace("\\", "") == name
    assert data.help.startswith("Open a demo")  # the page's own


def test_what_is_open_survives_the_navigation(app, home):
    """Streamlit clears the URL on navigation; the frame puts the state back."""
    store(resnet(), home)
    app.query_params["model"] = MODEL
    app.run()
    del app.query_params["model"]
    app.switch_page("layers.py").run()
    assert app.query_params["model"] == MODEL
    assert app.title[0].value == "Layers"


def test_the_address_is_whole_before_the_navigation_is_sent(app, home, monkeypatch):
    """The other way round the browser makes two steps of it, and "back" never gets past them."""
    import streamlit as st

    store(resnet(), home)
    app.query_params["model"] = MODEL
    app.run()
    del app.query_params["model"]
    named = []
    navigation = st.navigation

    def watched(*args, **kwargs):
        named.append(dict(st.query_params))
        return navigation(*args, **kwargs)

    monkeypatch.setattr(st, "navigation", watched)
    app.switch_page("layers.py").run()
    assert named
    assert all(each == {"model": MODEL} for each in named)


def test_a_link_that_names_something_wins_over_what_was_open(app, home):
    store(resnet(), home)
    app.query_params["model"] = MODEL
    app.query_params["run"] = "20260101-000000-abcdef"
    app.run()
    del app.query_params["run"]
    app.query_params["model"] = "f" * 20
    app.run()
    assert app.query_params["model"] == "f" * 20
    assert "run" not in app.query_params


def test_a_link_that_names_a_run_alone_opens_what_it_was_made_from(app, home):
    store(resnet(), home)
    run = RunFolder(runs_folder() / "20260101-000000-abcdef")
    storage.write_json(run.request, {"kind": "prune", "model": MODEL, "data": "d-1"})
    app.query_params["run"] = run.id
    app.run()
    header = app.get("page_link")[0].proto
    assert "Keras 3" in header.label
    assert f"model={MODEL}&data=d-1&run={run.id}" in header.query_string
    assert set(app.query_params) == {"run"}  # else "back" would lead to it again and again


@pytest.mark.parametrize("content", [None, "[]", "{"])
@pytest.mark.parametrize("identifier", ["20260101-000000-abcdef", "../../etc"])
def test_a_link_to_a_run_that_tells_nothing_opens_nothing_else(app, home, identifier, content):
    if content is not None:
        storage.write_bytes(
            runs_folder() / "20260101-000000-abcdef" / "request.json", content.encode()
        )
    app.query_params["run"] = identifier
    app.run()
    assert not app.exception
    assert app.get("page_link")[0].proto.label == "No model yet"


@pytest.mark.parametrize("identifier", ["../../etc", "..", "a/b", "/etc/passwd", "x" * 200, "é"])
def test_ids_that_could_leave_the_home_folder_read_as_nothing(app, identifier):
    app.query_params["model"] = identifier
    app.run()
    assert not app.exception
    assert app.get("page_link")[0].proto.label == "No model yet"


def test_a_hostile_file_name_is_text(app, home):
    from dataclasses import replace

    store(replace(resnet(), name=HOSTILE), home)
    app.query_params["model"] = MODEL
    app.run()
    label = app.get("page_link")[0].proto.label
    assert r"\<img src\=x" in label
    assert "onerror=" not in label
    assert words(app).count("<img") == words(app).count(r"\<img")


def test_loaded_modules_leave_the_collectors_sight_once(monkeypatch):
    frozen = []
    monkeypatch.setattr(memory.gc, "freeze", lambda: frozen.append(True))
    monkeypatch.setattr(memory, "_seen", 0)
    memory.settle()
    memory.settle()
    assert len(frozen) == 1
