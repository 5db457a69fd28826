"""The method *layers* on the pages: choosing blocks, and what is shown of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from pages.components.strategy import edits
from pages.components.strategy.edits import Edits
from pruning import storage
from pruning.analysis.profile import Block, Call, ModelProfile
from pruning.runs import library as runs
from pruning.runs import processes
from pruning.runs.influences import Influences
from pruning.runs.jobs.influences import influences_path
from pruning.strategy import library as plans
from pruning.strategy.plan import PruningPlan
from tests.pages import studio

MODEL = studio.profiles.MODEL
PLAN = "plan on the strategy page"


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelProfile:
    """The residual network of the other tests, with its two branches as blocks."""
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    monkeypatch.setattr(processes, "slots", lambda: 0)
    return with_blocks(studio.build(tmp_path), tmp_path)


def with_blocks(profile: ModelProfile, home: Path) -> ModelProfile:
    """Calls along the profile's edges, and a block for each addition."""
    numbers = {layer.name: number for number, layer in enumerate(profile.layers)}
    reads: dict[str, list[int]] = {name: [] for name in numbers}
    for edge in profile.edges:
        reads[edge.target].append(numbers[edge.source])
    calls = tuple(
        Call(layer.name, tuple(sorted(reads[layer.name])), (numbers[layer.name],), layer.flops)
        for layer in profile.layers
    )
    blocks = []
    for layer in profile.layers:
        if layer.cls == "Add":
            first, last = sorted(reads[layer.name])
            inside = [entry.name for entry in profile.layers[first + 1 : numbers[layer.name] + 1]]
            same = profile.layers[first].output_shape == layer.output_shape
            blocks.append(
                Block(
                    id=layer.name, kind="residual", layers=tuple(inside), params=1000, flops=2000,
                    source=profile.layers[first].name, target=layer.name, shape=layer.output_shape,
                    bypasses=((numbers[layer.name], first),), axis=3,
                    reason=None if same and last != first else "Its shortcut is a projection.",
                )
            )  # fmt: skip
    extra = replace(blocks[0], id="<b>c</b>", reason="Its shortcut is a projection.", bypasses=())
    made = replace(profile, calls=calls, ends=(len(calls) - 1,), blocks=(*blocks, extra))
    made.save(home / "models" / MODEL)
    return made


def measured(profile: ModelProfile, *values: float) -> None:
    names = [block.id for block in profile.removable_blocks]
    found = Influences("block_influence", 256, "train", dict(zip(names, values, strict=True)))
    path = influences_path(MODEL, studio.REF, "block_influence", 256, 0)
    storage.write_json(path, found.to_dict())


def open_page(**query: str) -> AppTest:
    app = studio.page("strategy", model=MODEL, data=studio.REF, **query)
    app.button_group(key="plan_method").set_value("layers").run()
    assert not app.exception
    return app


def planned(app: AppTest) -> PruningPlan:
    return app.session_state[PLAN]


def test_blocks_are_measured_when_somebody_asks(profile, jobs) -> None:
    app = open_page()
    key, request = next((key, req) for kind, key, req, _ in jobs.asked if kind == "influences")
    assert key == f"{MODEL}-block_influence-{studio.REF}-256-0"
    assert request == {
        "model": MODEL,
        "data": studio.REF,
        "criterion": "block_influence",
        "samples": 256,
        "seed": 0,
    }
    assert not [b for b in app.button if b.key == "start"]


def test_an_analysis_of_an_older_studio_is_made_again_in_place(profile, jobs, tmp_path) -> None:
    replace(profile, calls=(), blocks=()).save(tmp_path / "models" / MODEL)
    app = open_page()
    assert "which did not look for blocks" in studio.texts(app)
    assert "Delete" not in studio.texts(app)
    jobs.states["profile"] = "running"
    app.button(key="analyse_again").click().run()
    assert ("profile", MODEL, {"model": MODEL}, True) in jobs.asked
    assert not [one for one in app.button if one.key == "analyse_again"]  # it goes on
    assert "older studio" not in studio.texts(app)
    with_blocks(studio.build(tmp_path), tmp_path)  # the worker's doing
    jobs.states["profile"] = "done"
    measured(profile, 0.4, 0.1)
    app.run()
    assert planned(app).removed


def test_the_least_influence_goes_and_the_price_follows(profile) -> None:
    names = [block.id for block in profile.removable_blocks]
    assert len(names) == 2
    measured(profile, 0.4, 0.1)
    app = open_page()
    app.slider(key="plan_layers_target").set_value(90).run()
    plan = planned(app)
    assert (plan.method, plan.criterion, plan.removed) == (
        "layers", "block_influence", (names[1],),
    )  # fmt: skip
    metrics = {m.label: m.value for m in app.metric}
    assert "FLOPs ●" in metrics
    assert "File size ≈" in metrics
    words = studio.texts(app)
    assert "Measured on 256 samples of the training split" in words
    assert "arxiv.org/abs/2403.03853" in words
    assert "block that cannot go, and why" in "".join(e.label for e in app.expander)


def test_locks_and_choices_of_the_user(profile) -> None:
    one, two = [block.id for block in profile.removable_blocks]
    measured(profile, 0.4, 0.1)
    app = open_page()
    app.slider(key="plan_layers_target").set_value(90)
    app.session_state["plan edits"] = {(MODEL, "layers"): Edits(locked={two}, revision=1)}
    app.run()
    assert not app.exception
    assert (planned(app).removed, planned(app).locked) == ((one,), (two,))


def test_a_block_inside_a_removed_one_says_so(profile, tmp_path: Path) -> None:
    one, two = profile.removable_blocks
    inner = replace(two, id="inner", within=(two.id,), layers=two.layers[:1], bypasses=())
    nested = replace(profile, blocks=(*profile.blocks, inner))
    nested.save(tmp_path / "models" / MODEL)
    measured(nested, 0.4, 0.1, 0.3)
    app = open_page()
    app.slider(key="plan_layers_target").set_value(90).run()
    assert planned(app).removed == (two.id,)
    (drawn,) = app.get("vega_lite_chart")
    rows = convert_arrow_bytes_to_pandas_df(drawn.proto.data.data)
    assert list(rows["state"]) == ["stays", "removed", "inside a removed block"]
    table = app.dataframe[0].value
    assert list(table["fate"]) == ["stays", "removed", "inside 2, which goes"]
    assert list(table["remove"]) == [False, True, False]
    assert "A block inside a removed one goes with it" in studio.texts(app)
    app.session_state["plan edits"] = {(MODEL, "layers"): Edits(locked={two.id}, revision=1)}
    app.run()
    assert planned(app).removed == (one.id,)
    assert "goes with it" not in studio.texts(app)
    app.session_state["plan edits"] = {(MODEL, "layers"): Edits(locked={"inner"}, revision=2)}
    app.run()
    assert planned(app).removed == (one.id,)  # the lock of the inner one keeps the outer


def test_ticks_become_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Edits(locked={"a"}, removed={"b"})
    typed = {"0": {"remove": True}, "1": {"remove": False}, "2": {"lock": True}}
    monkeypatch.setattr(edits.st, "session_state", {"table": {"edited_rows": typed}})
    edits.apply(own, "table", ["a", "b", "c"])
    assert (own.removed, own.locked) == ({"a"}, {"b", "c"})


def test_of_ticks_inside_one_another_the_last_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    own, within = Edits(removed={"outer"}), {"outer": (), "inner": ("outer",)}
    for row, change in (("1", {"lock": True}), ("0", {"remove": True})):
        monkeypatch.setattr(edits.st, "session_state", {"table": {"edited_rows": {row: change}}})
        edits.apply(own, "table", ["outer", "inner"], within)
        expected = (set(), {"inner"}) if row == "1" else ({"outer"}, set())
        assert (own.removed, own.locked) == expected


def test_a_run_starts_and_a_saved_plan_opens(profile) -> None:
    measured(profile, 0.4, 0.1)
    app = open_page()
    app.slider(key="plan_layers_target").set_value(90).run()
    removed = planned(app).removed
    app.button(key="start").click().run()
    assert not app.exception
    (run,) = runs.runs()
    assert run.plan.removed == removed
    words = studio.texts(studio.page("runs"))
    assert "Traceback" not in words
    plans.save_plan(MODEL, "kept", run.plan)
    app = studio.page("strategy", model=MODEL, data=studio.REF, plan="kept")
    assert not app.exception
    assert planned(app).removed == removed
    assert planned(app).name == "kept"  # it says what was saved


def test_without_data_the_page_says_what_is_missing(profile) -> None:
    app = studio.page("strategy", model=MODEL)
    app.button_group(key="plan_method").set_value("layers").run()
    assert not app.exception
    assert "measured on data" in studio.texts(app)
    assert "Choose data" in [link.proto.label for link in app.get("page_link")]
    assert not app.error  # nothing went wrong


def test_the_layers_page_lists_blocks_also_under_such_a_plan(profile, jobs) -> None:
    jobs.states["layer_latency"] = "done"
    jobs.results["layer_latency"] = {"layers": {}}
    measured(profile, 0.4, 0.1)
    app = open_page()
    app.switch_page("layers.py").run()
    assert not app.exception
    assert "2 of 3 could be left out whole" in studio.texts(app)


def test_the_comparison_says_what_was_left_out(tmp_path: Path, profile) -> None:
    name = profile.removable_blocks[0].id
    run = studio.run(tmp_path, profile)
    plan = PruningPlan(MODEL, "layers", "block_influence", removed=(name,))
    storage.write_json(run.plan, plan.to_dict())
    block = {"id": name, "output_of": name, "replaced_by_output_of": "stem"}
    record = {"format": 1, "blocks": [block], "removed": ["one", "two", name]}
    storage.write_json(run.layers, record)
    app = studio.page("comparison", run=run.id, model=MODEL, sheet="Structure")
    assert not app.exception
    assert "1 block left out, 3 layers with it" in studio.texts(app)
    (drawn,) = app.get("vega_lite_chart")
    rows = convert_arrow_bytes_to_pandas_df(drawn.proto.data.data)
    # The words of the strategy page, in the bars and in the legend.
    assert set(rows[rows["after"] == 0]["state"]) == {"removed"}
    assert set(rows[rows["after"] > 0]["state"]) == {"stays"}
    assert '"domain": ["removed", "stays"]' in drawn.proto.spec
    labels = [button.proto.label for button in app.get("download_button")]
    assert any(label.startswith("Removed layers") for label in labels)


def test_the_proof_says_what_it_compared_with(tmp_path: Path, profile) -> None:
    run = studio.run(tmp_path, profile)
    record = run.read(run.record)
    check = {"max_abs_error": 0.0, "tolerance": 1e-5, "samples": 32}
    record["results"] |= {"layers": "layers.json", "self_check": check}
    storage.write_json(run.record, record)
    app = studio.page("retraining", run=run.id, model=MODEL)
    assert not app.exception
    words = studio.texts(app)
    assert "whose removed blocks pass on what goes in" in words
    assert "reads zeros" not in words
