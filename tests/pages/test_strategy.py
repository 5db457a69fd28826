"""The strategy page: choices become one priced plan; plans are kept; a run starts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pages.components.strategy import edits
from pages.components.strategy.edits import Edits
from pruning import quantities, storage
from pruning.intake.store import model_folder
from pruning.runs import library as runs
from pruning.runs import processes
from pruning.strategy import library as plans
from pruning.strategy.estimates import price
from pruning.strategy.plan import PruningPlan, Target
from tests.pages import studio

MODEL = studio.profiles.MODEL


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    monkeypatch.setattr(processes, "slots", lambda: 0)  # nothing starts while pages are tested
    return studio.build(tmp_path)


def open_page(**query: str):
    app = studio.page("strategy", **({"model": MODEL, "data": studio.REF} | query))
    assert not app.exception
    return app


def downloaded(app) -> PruningPlan:
    """The plan that the page would start now, through a saved copy of it."""
    app.text_input(key="plan_name").input("probe").run()
    app.button(key="save").click().run()
    assert not app.exception
    return plans.load_plan(MODEL, "probe")


def test_figures_equal_the_plan_and_the_model(profile) -> None:
    app = open_page()
    metrics = {m.label: m for m in app.metric}
    plan = studio.plan_for(profile)
    priced = price(profile, model_folder(MODEL), plan)
    assert metrics["FLOPs ●"].value == quantities.count(priced.after["flops"].value)
    assert metrics["Parameters ●"].value == quantities.count(priced.after["params"].value)
    assert priced.after["flops"].value <= 0.5 * profile.flops
    # Measured 2 ms before; the estimate scales it by the FLOPs that are left.
    left = priced.after["flops"].value / profile.flops
    assert metrics["Latency ≈"].value == quantities.milliseconds(2.0 * left)
    accuracy = metrics["Test accuracy"]
    assert accuracy.value == "—"  # never guessed
    assert accuracy.proto.delta_description == "83.3 % before the run"


def test_the_gzip_size_before_is_the_measured_one(profile) -> None:
    timed = model_folder(MODEL) / "latency.json"
    storage.write_json(timed, storage.read_json(timed) | {"gzip_bytes": 123_456})
    gzip = next(m for m in open_page().metric if m.label == "gzip size ≈")
    assert gzip.proto.delta_description == "from 123 kB"
    assert "Measured size before" in gzip.help


def test_what_was_measured_before_is_read_once(profile, monkeypatch: pytest.MonkeyPatch) -> None:
    app, read = open_page(), []
    real = storage.read_json
    monkeypatch.setattr(storage, "read_json", lambda path: read.append(path.name) or real(path))
    app.run()
    assert not app.exception
    assert "latency.json" not in read
    assert f"{studio.REF}.json" not in read
    timed = model_folder(MODEL) / "latency.json"
    storage.write_json(timed, {"median_ms": 4.0})
    latency = next(m for m in app.run().metric if m.label == "Latency ≈")
    assert latency.proto.delta_description == "from 4.00 ms"  # a change is seen


def test_the_time_of_a_first_run_is_estimated_from_how_fast_the_model_answered(
    profile, tmp_path: Path
) -> None:
    assert "30 training steps; the time is known after the first" in studio.texts(open_page())
    path = tmp_path / "models" / MODEL / "baselines" / f"{studio.REF}.json"
    storage.write_json(path, {**storage.read_json(path), "seconds_per_sample": 0.01})
    priced = price(profile, model_folder(MODEL), studio.plan_for(profile))
    left = priced.after["flops"].value / profile.flops
    low, high = (quantities.duration(factor * 0.01 * left * 640 * 3) for factor in (2, 7))
    assert f"≈ {low} to {high} for 30 training steps, estimated" in studio.texts(open_page())
    studio.run(tmp_path, profile)  # 60 s for two epochs
    assert "≈ 1 min 30 s of retraining, as the last run took." in studio.texts(open_page())


def test_without_prepared_data_the_page_leads_to_it(profile) -> None:
    for source, words, action in (
        ({}, "the studio needs data", "Choose data"),
        ({"source": studio.DATA}, "is prepared on the upload page", "Go on with the data"),
    ):
        app = studio.page("strategy", model=MODEL, **source)
        assert words in studio.texts(app)
        assert action in [link.proto.label for link in app.get("page_link")]
        assert not [button for button in app.button if button.key == "start"]


def test_an_error_is_no_accuracy(profile, tmp_path: Path) -> None:
    path = tmp_path / "models" / MODEL / "baselines" / f"{studio.REF}.json"
    record = storage.read_json(path)
    record["scores"] |= {"metric": "mae", "value": {"value": 0.2355, "low": 0.21, "high": 0.26}}
    storage.write_json(path, record)
    metrics = {m.label: m for m in open_page().metric}
    assert metrics["Test mean abs. error"].proto.delta_description == "0.2355 before the run"
    assert not [label for label in metrics if "ccuracy" in label]


def test_a_latency_that_is_still_being_measured_is_not_said_to_come_with_the_run(
    profile, jobs
) -> None:
    timed = model_folder(MODEL) / "latency.json"
    content = timed.read_bytes()
    timed.unlink()
    app = open_page()
    assert "latency" in jobs.kinds()
    assert "not measured yet" in studio.texts(app)
    timed.write_bytes(content)
    app.run()
    assert "not measured yet" not in studio.texts(app)
    assert {m.label: m.value for m in app.metric}["Latency ≈"] != "—"


def test_the_slider_changes_the_plan(profile) -> None:
    app = open_page()
    app.slider(key="plan_channels_target").set_value(30).run()
    plan = downloaded(app)
    assert plan.target is not None
    assert (plan.target.kind, plan.target.value) == ("flops", 0.3)
    assert max(plan.ratios.values()) > max(studio.plan_for(profile).ratios.values())


def test_a_target_below_the_floor_is_refused_with_the_floor(profile) -> None:
    app = open_page()
    app.slider(key="plan_channels_target").set_value(1).run()
    assert not app.exception
    assert len(app.error) == 1
    assert not [b for b in app.button if b.key == "start"]


def test_the_smallest_file_counts_what_it_holds_beside_the_weights(profile) -> None:
    app = open_page()
    app.button_group(key="plan_kind").set_value("bytes").run()
    share = (4 * profile.floor_params + 50_000) / (4 * profile.params + 50_000)
    assert f"The smallest this model can get: {quantities.percent(share)}" in studio.texts(app)


def test_a_model_without_channels_to_remove_begins_with_what_can_be_done(
    profile, tmp_path: Path
) -> None:
    frozen = tuple(replace(group, prunable=False, reason="So.") for group in profile.groups)
    studio.profiles.store(replace(profile, groups=frozen), tmp_path)
    app = open_page()
    assert app.button_group(key="plan_method").value == "weights"
    assert not app.error
    app.button_group(key="plan_method").set_value("channels").run()
    assert "Zero weights instead" in app.error[0].value


def test_edits_of_the_table_lock_and_fix(profile) -> None:
    app = open_page()
    names = [group.id for group in profile.prunable_groups]
    app.session_state["plan edits"] = {
        (MODEL, "channels"): Edits(ratios={names[1]: 0.25}, locked={names[0]}, revision=1)
    }
    app.run()
    plan = downloaded(app)
    assert plan.locked == (names[0],)
    assert plan.ratios.get(names[0], 0.0) == 0.0
    assert plan.ratios[names[1]] == 0.25


@pytest.mark.parametrize("everything", [True, False])
def test_locks_that_leave_no_plan_can_be_taken_back(profile, everything: bool) -> None:
    """The error took the table with it, and with the table the only way to unlock."""
    names = [group.id for group in profile.prunable_groups]
    app = open_page()
    app.slider(key="plan_channels_target").set_value(10)
    locked = set(names) if everything else set(names[1:])
    app.session_state["plan edits"] = {(MODEL, "channels"): Edits(locked=locked, revision=1)}
    app.run()
    assert len(app.error) == 1
    assert not [b for b in app.button if b.key == "start"]
    shown = app.dataframe[0].value
    assert list(shown["lock"]) == [name in locked for name in names]
    app.button(key="forget").click().run()
    assert not app.error
    assert [b for b in app.button if b.key == "start"]


def test_what_is_typed_into_the_table_becomes_an_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Edits(ratios={"c": 0.5}, locked={"d"})
    typed = {
        "0": {"removed": 25},
        "1": {"lock": True},
        "2": {"removed": None},
        "3": {"lock": False},
    }
    monkeypatch.setattr(edits.st, "session_state", {"table": {"edited_rows": typed}})
    edits.apply(own, "table", ["a", "b", "c", "d"])
    assert own.ratios == {"a": 0.25}
    assert own.locked == {"b"}
    assert own.revision == 1


def test_weights_have_schedules_and_nonzero_parameters(profile) -> None:
    app = open_page()
    app.button_group(key="plan_method").set_value("weights").run()
    assert not app.exception
    metrics = {m.label: m for m in app.metric}
    assert metrics["FLOPs ●"].delta == "unchanged"
    assert "layers" not in app.dataframe[0].value  # each changes alone: 1 in every row
    plan = downloaded(app)
    assert (plan.method, plan.criterion, plan.schedule.kind) == (
        "weights",
        "magnitude",
        "polynomial",
    )
    assert plan.target is not None
    assert plan.target.value == 0.8


def test_criteria_of_weights_say_where_they_look(profile) -> None:
    app = open_page()
    app.button_group(key="plan_method").set_value("weights").run()
    options = app.selectbox(key="plan_weights_criterion").options
    looks = dict(option.split(" · ") for option in options)
    assert set(looks) == {"LAMP", "Weight magnitude", "Movement", "SNIP", "Wanda"}
    assert looks["Movement"] == "from retraining"
    assert looks["LAMP"] == looks["Weight magnitude"] == "from the weights"
    assert "samples" in looks["SNIP"]
    assert "samples" in looks["Wanda"]
    app.selectbox(key="plan_weights_criterion").set_value("wanda").run()
    app.button_group(key="plan_scope").set_value("global").run()
    assert not app.exception
    notes = [warning.value for warning in app.warning]
    assert any("looks at 256 training samples" in note for note in notes)
    assert any("One threshold for all layers" in note for note in notes)
    assert downloaded(app).criterion == "wanda"
    app.selectbox(key="plan_weights_criterion").set_value("movement").run()
    app.button_group(key="plan_schedule").set_value("one_shot").run()
    assert not app.exception
    assert any("or one that begins later" in error.value.replace("\\", "") for error in app.error)


def test_n_of_m_says_its_share_in_place_of_a_target(profile) -> None:
    app = open_page()
    app.button_group(key="plan_method").set_value("weights").run()
    app.button_group(key="plan_pattern").set_value("n_m").run()
    assert not app.exception
    assert not [slider for slider in app.slider if slider.key == "plan_weights_target"]
    assert any("2:4 sets 50 % of the weights to zero" in c.value for c in app.caption)
    assert not [group for group in app.button_group if group.key == "plan_scope"]
    plan = downloaded(app)
    assert (plan.pattern, plan.target) == ("2:4", None)
    assert {round(ratio, 1) for ratio in plan.ratios.values()} == {0.5}
    app.selectbox(key="plan_n_m").set_value("1:4").run()
    assert all(0.7 < ratio <= 0.75 for ratio in downloaded(app).ratios.values())


def test_blocks_have_a_target_and_a_way_to_judge_them(profile) -> None:
    app = open_page()
    app.button_group(key="plan_method").set_value("weights").run()
    app.button_group(key="plan_pattern").set_value("blocks").run()
    app.slider(key="plan_weights_target").set_value(1).run()
    app.button_group(key="plan_block_pooling").set_value("max").run()
    assert not app.exception
    plan = downloaded(app)
    assert (plan.pattern, plan.block_pooling) == ("4x4", "max")
    assert [name for name, ratio in plan.ratios.items() if ratio > 0] == [
        layer.name for layer in profile.layers if layer.cls == "Dense"
    ]
    assert any("leaves these layers whole" in warning.value for warning in app.warning)


def test_an_opened_plan_with_a_pattern_fills_the_form(profile) -> None:
    for name, settings in {
        "sparse": {"pattern": "4:8"},
        "blocky": {"pattern": "16x1", "block_pooling": "max", "target": Target("sparsity", 0.01)},
    }.items():
        plan = studio.plan_for(profile, method="weights", **({"target": None} | settings))
        plans.save_plan(MODEL, name, plan)
        app = open_page(plan=name)
        assert not app.exception
        again = downloaded(app)
        assert replace(again, name="", training=plan.training) == plan


def test_tfmot_is_offered_for_keras_2_only(profile, tmp_path: Path) -> None:
    app = open_page()
    app.button_group(key="plan_method").set_value("weights").run()
    assert not [t for t in app.toggle if t.key == "plan_tfmot"]
    replace(profile, family="tf_keras").save(tmp_path / "models" / MODEL)
    app = open_page()
    app.button_group(key="plan_method").set_value("weights").run()
    app.toggle(key="plan_tfmot").set_value(True).run()
    assert downloaded(app).engine == "tfmot"


def test_start_queues_a_run_with_this_plan(profile) -> None:
    app = open_page()
    app.slider(key="plan_channels_target").set_value(40).run()
    app.number_input(key="plan_epochs").set_value(7).run()
    app.button(key="start").click().run()
    assert not app.exception
    (run,) = runs.runs()
    assert run.plan is not None
    assert run.plan.target is not None
    assert (run.plan.target.value, run.plan.training.epochs) == (0.4, 7)
    assert (run.model, run.data) == (MODEL, studio.REF)
    assert app.query_params["run"] == run.id


def test_who_starts_a_run_does_not_wait_for_the_figures(profile, monkeypatch) -> None:
    from pages.components.strategy import outcome

    drawn = []
    show = outcome.show
    monkeypatch.setattr(outcome, "show", lambda *a: drawn.append(len(runs.runs())) or show(*a))
    app = open_page()
    assert drawn
    assert set(drawn) == {0}
    app.button(key="start").click().run()
    assert len(runs.runs()) == 1
    assert 1 not in drawn


def test_without_data_the_button_is_replaced_by_a_way_to_it(profile) -> None:
    app = studio.page("strategy", model=MODEL)
    assert not app.exception
    assert "needs data" in studio.texts(app)
    assert not [b for b in app.button if b.key == "start"]


def test_a_saved_plan_opens_from_the_link_as_it_was(profile) -> None:
    plan = studio.plan_for(profile, scope="global", criterion="l2")
    odd = PruningPlan.from_dict(plan.to_dict() | {"ratios": {"stem": 0.25}})
    plans.save_plan(MODEL, "the odd one", odd)
    app = open_page(plan="the odd one")
    kept = downloaded(app)
    assert (kept.scope, kept.criterion, dict(kept.ratios)) == ("global", "l2", {"stem": 0.25})


def in_header(app) -> str:
    """What the header says of the plan."""
    links = (link.proto for link in app.get("page_link"))
    return next((link.label for link in links if link.icon.endswith("tune:")), "")


def test_saved_plans_stand_beside_the_one_on_the_page_with_what_they_come_to(
    tmp_path: Path, profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Plans side by side" not in studio.texts(open_page())
    half = studio.plan_for(profile)
    quarter = studio.plan_for(profile, target=Target("flops", 0.25))
    zeros = studio.plan_for(profile, method="weights", criterion="magnitude",
                            target=Target("sparsity", 0.75))  # fmt: skip
    for name, plan in (("half", half), ("a quarter", quarter), ("zeros", zeros)):
        plans.save_plan(MODEL, name, plan)
    plans.save_plan(MODEL, "of yore", replace(half, ratios={"gone": 0.5}))
    studio.run(tmp_path, profile)  # half of the FLOPs, on the open data
    app = open_page(plan="a quarter")
    table = app.dataframe[-1].value.set_index("name")
    assert list(table.index) == ["of yore", "zeros", "▸ a quarter", "half"]
    priced = price(profile, model_folder(MODEL), quarter)
    row = table.loc["▸ a quarter"]
    assert row["params"] == 100 * priced.after["params"].value / profile.params
    assert row["flops"] == 100 * priced.after["flops"].value / profile.flops <= 25
    assert row["latency"] == row["flops"]  # 2 ms before, scaled
    assert table.loc["zeros", "zeros"] == pytest.approx(75, abs=0.5)
    assert table.loc["zeros", "params"] == 100
    assert table.loc["half", "quality"] == "80.0 %"
    assert table.loc["zeros", "quality"] == ""
    assert table.loc["of yore", "plan"].endswith(": no longer a plan for this model")
    app, read = open_page(), []
    listed = runs.runs
    monkeypatch.setattr(runs, "runs", lambda: read.append(1) or listed())
    assert app.run().dataframe[-1].value["name"].iloc[0] == "this one, not saved"
    assert len(read) == 1  # with the estimate of the time, which is the last run's


def test_the_header_tells_that_a_saved_plan_was_changed(profile) -> None:
    app = open_page()
    assert in_header(app) == ""
    app.text_input(key="plan_name").input("half of it").run()
    app.button(key="save").click().run()
    assert in_header(app) == "half of it"
    app.slider(key="plan_channels_target").set_value(30).run()
    assert in_header(app) == "half of it · changed since it was saved"
    app.switch_page("layers.py").run()  # Streamlit clears the address, the session has it
    assert in_header(app) == "half of it · changed since it was saved"
    app.switch_page("strategy.py").run()
    app.slider(key="plan_channels_target").set_value(50).run()
    assert in_header(app) == "half of it"
    app.slider(key="plan_channels_target").set_value(1).run()  # no plan at all
    assert in_header(app) == "half of it · changed since it was saved"
    app.button(key="open_half of it").click().run()
    assert in_header(app) == "half of it"
    app.button(key="start").click().run()
    (run,) = runs.runs()
    assert run.plan is not None
    assert run.plan.name == "half of it"  # as it was saved, and under its name


@pytest.mark.parametrize(
    "own",
    [
        {"target": Target("flops", 0.37), "scope": "global", "locked": ("stem",)},
        {"target": Target("params", 0.4), "round_to": 4, "cuts": 3},
        {"target": None, "ratios": {"stem": 0.25}},
        {"method": "weights", "target": Target("sparsity", 0.7)},
        {"method": "weights", "target": None, "pattern": "2:4"},
    ],
)
def test_a_plan_that_is_opened_again_is_not_changed(profile, own) -> None:
    plans.save_plan(MODEL, "mine", studio.plan_for(profile, **own))
    app = open_page(plan="mine")
    assert in_header(app) == "mine"


def offered(app) -> bool:
    return any(button.key == "go_on" for button in app.button)


def test_a_plan_that_was_changed_and_not_saved_is_there_after_a_reload(profile) -> None:
    app = open_page()
    assert plans.load_draft(MODEL) is None  # to look is no change
    app.number_input(key="plan_epochs").set_value(40).run()
    app.slider(key="plan_channels_target").set_value(70).run()
    assert not offered(app)
    again = open_page()  # another session: the browser was reloaded
    assert again.number_input(key="plan_epochs").value == 3
    assert offered(again)
    assert r"Remove channels to 70 \% of the FLOPs" in studio.texts(again)
    again.button(key="go_on").click().run()
    assert not again.exception
    assert not offered(again)
    assert again.number_input(key="plan_epochs").value == 40
    assert again.slider(key="plan_channels_target").value == 70


def test_a_kept_plan_is_not_offered_where_something_else_was_begun(profile) -> None:
    open_page().number_input(key="plan_epochs").set_value(40).run()
    app = open_page()
    assert offered(app)
    app.number_input(key="plan_epochs").set_value(5).run()
    assert not offered(app)
    kept = plans.load_draft(MODEL)
    assert kept is not None
    assert kept.training.epochs == 5


@pytest.mark.parametrize("button", ["start", "save"])
def test_a_plan_that_became_a_run_or_got_a_name_is_not_offered(profile, button: str) -> None:
    app = open_page()
    app.number_input(key="plan_epochs").set_value(40).run()
    app.text_input(key="plan_name").input("forty").run()
    app.button(key=button).click().run()
    assert plans.load_draft(MODEL) is None
    assert not offered(open_page())


def test_a_kept_plan_that_does_not_fit_the_model_any_more_is_not_offered(profile) -> None:
    plan = replace(studio.plan_for(profile), ratios={"gone": 0.5})
    plans.save_draft(MODEL, plan)
    assert not offered(open_page())


def test_a_deleted_plan_is_named_no_more(profile) -> None:
    plans.save_plan(MODEL, "mine", studio.plan_for(profile))
    app = open_page(plan="mine")
    app.button(key="delete_mine").click().run()
    assert not app.exception
    assert in_header(app) == ""
    assert "plan" not in app.query_params


def test_a_plan_for_another_model_is_refused(profile) -> None:
    plan = studio.plan_for(profile).to_dict() | {"model": "f" * 20}
    app = open_page()
    app.file_uploader(key="plan_file").upload("plan.json", json.dumps(plan).encode()).run()
    assert "another model" in studio.texts(app)
    assert not runs.runs()


def test_a_broken_plan_file_is_refused(profile) -> None:
    app = open_page()
    app.file_uploader(key="plan_file").upload("plan.json", b"{ no json").run()
    assert not app.exception
    assert "To fix it" in studio.texts(app)


def test_without_a_model_the_page_leads_to_the_upload(profile) -> None:
    app = studio.page("strategy")
    assert not app.exception
    assert "No model is open yet." in studio.texts(app)


def test_groups_on_request_are_cut_when_they_are_asked_for(profile) -> None:
    assert "Widths under a normalization" not in studio.texts(open_page())
    first, *rest = profile.groups
    asked = replace(first, prunable=False, reason="LayerNorm reads it.", on_request="inexact")
    replace(profile, groups=(asked, *rest)).save(model_folder(MODEL))
    app = open_page()
    assert "Widths under a normalization (1 group)" in studio.texts(app)
    assert first.id not in downloaded(app).ratios
    app.button_group(key="plan_on_request").set_value(["inexact"]).run()
    plan = downloaded(app)
    assert plan.on_request == ("inexact",)
    assert plan.ratios[first.id] > 0
