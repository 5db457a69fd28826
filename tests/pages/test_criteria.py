"""Criteria on the pages: scored by a job where they need samples, then priced like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pruning.errors import PlanError
from pruning.intake.store import model_folder
from pruning.runs import processes
from pruning.runs.jobs.scores import scores_folder
from pruning.strategy import library as plans
from pruning.strategy.channel_scores import ChannelScores, known_scores
from pruning.strategy.criteria import criteria
from pruning.strategy.plan import PruningPlan
from pruning.strategy.planner import make_plan
from tests.pages import conftest, studio
from tests.pages.conftest import FakeExecutor

MODEL = studio.profiles.MODEL
BOX = "plan_channels_criterion"


@pytest.fixture
def profile(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "slots", lambda: 0)  # nothing starts while pages are tested
    return studio.build(home)


def open_page(**query: str) -> AppTest:
    app = studio.page("strategy", **({"model": MODEL, "data": studio.REF} | query))
    assert not app.exception
    return app


def choose(app: AppTest, criterion: str) -> AppTest:
    app.selectbox(key=BOX).select(criterion).run()
    assert not app.exception
    return app


def saved(app: AppTest) -> PruningPlan:
    app.text_input(key="plan_name").input("probe").run()
    app.button(key="save").click().run()
    assert not app.exception
    return plans.load_plan(MODEL, "probe")


def words(app: AppTest) -> str:
    """Visible texts, without the backslashes that keep text from being Markdown."""
    return conftest.words(app).replace("\\", "")


def store_scores(profile, name: str, samples: int = 256, seed: int = 0) -> dict[str, np.ndarray]:
    """Scores as the job leaves them: each group's channels the better the higher their number."""
    values = {g.id: np.arange(1, g.channels + 1, dtype="f") for g in profile.prunable_groups}
    folder = scores_folder(MODEL, name, studio.REF, samples, seed)
    ChannelScores(name, values, samples=samples).save(folder, profile)
    return values


def test_every_criterion_is_offered_with_a_sentence_and_its_source(profile, jobs) -> None:
    app = open_page()
    box = app.selectbox(key=BOX)
    assert box.value == "l1"
    labels = box.options
    assert len(labels) == len(criteria("channels"))
    kinds = [label.rsplit(" · ", 1)[1] for label in labels]
    assert kinds == 4 * ["from the weights"] + ["by lot"] + 4 * ["from training samples"]
    for name, found in criteria("channels").items():
        if not found.data_driven:
            assert f"{found.sentence} [Source]({found.source})" in words(choose(app, name))


def test_a_data_driven_criterion_is_scored_by_a_job_once(profile, jobs: FakeExecutor) -> None:
    app = choose(open_page(), "taylor")
    _, key, request, _ = next(asked for asked in jobs.asked if asked[0] == "scores")
    assert key == f"{MODEL}-taylor-{studio.REF}-256-0"
    assert request == {
        "model": MODEL, "criterion": "taylor", "data": studio.REF, "samples": 256, "seed": 0,
    }  # fmt: skip
    assert not app.metric  # nothing is priced by scores that are not there
    assert not [button for button in app.button if button.key == "start"]

    store_scores(profile, "taylor")
    app.run()
    assert not app.exception
    assert app.metric
    assert "Taylor looked at 256 samples of the training split." in words(app)
    assert saved(app).criterion == "taylor"


def test_the_global_scope_prices_live_by_the_scores_of_the_job(profile, jobs) -> None:
    values = store_scores(profile, "taylor")
    app = choose(open_page(), "taylor")
    app.segmented_control(key="plan_scope").set_value("global").run()
    plan = saved(app)
    expected = make_plan(
        profile,
        model_folder(MODEL),
        PruningPlan(criterion="taylor", scope="global", target=plan.target),
        scores=ChannelScores("taylor", values),
    )
    assert plan.ratios == pytest.approx(expected.ratios)
    assert "scores" not in jobs.kinds()


def test_the_count_of_samples_is_part_of_the_plan_and_of_the_work(profile, jobs) -> None:
    app = choose(open_page(), "apoz")
    app.number_input(key="plan_calibration_samples").set_value(64).run()
    keys = [key for kind, key, *_ in jobs.asked if kind == "scores"]
    assert keys[-1] == f"{MODEL}-apoz-{studio.REF}-64-0"
    store_scores(profile, "apoz", samples=64)
    app.run()
    assert saved(app).calibration_samples == 64


def test_without_data_the_page_says_what_is_missing(profile, jobs: FakeExecutor) -> None:
    app = choose(open_page(data=""), "hessian")
    assert "looks at samples of the training data" in words(app)
    assert "scores" not in jobs.kinds()


def test_a_job_that_failed_shows_its_reason(profile, jobs: FakeExecutor) -> None:
    jobs.states["scores"] = "failed"
    jobs.errors["scores"] = PlanError("No samples.", expected="Some.", fix="Add some.")
    assert "No samples." in words(choose(open_page(), "taylor"))


def test_lots_need_no_job(profile, jobs: FakeExecutor) -> None:
    app = choose(open_page(), "random")
    assert app.metric
    assert "scores" not in jobs.kinds()


@pytest.mark.parametrize("name", ["fpgm", "bn_scale"])
def test_what_the_profile_does_not_hold_is_scored_on_demand(profile, jobs, name: str) -> None:
    """FPGM takes its time; an older studio's profile has no BatchNorm factors."""
    choose(open_page(), name)
    request = next(asked[2] for asked in jobs.asked if asked[0] == "scores")
    assert (request["criterion"], request["data"]) == (name, None)


def test_where_a_criterion_does_not_apply_the_reason_is_shown(profile, jobs) -> None:
    folder = scores_folder(MODEL, "bn_scale", None, 256, 0)
    reasons = {group.id: "No BatchNormalization follows." for group in profile.prunable_groups}
    ChannelScores("bn_scale", {}, reasons).save(folder, profile)
    app = choose(open_page(), "bn_scale")
    assert "does not apply to this model: No BatchNormalization follows." in words(app)
    assert not [button for button in app.button if button.key == "start"]


def test_the_layers_page_draws_the_scores_of_the_plan(profile, jobs) -> None:
    store_scores(profile, "taylor")
    group = profile.prunable_groups[0]
    plan = studio.plan_for(
        profile, criterion="taylor", scores=ChannelScores("taylor", store_scores(profile, "taylor"))
    )
    plans.save_plan(MODEL, "by taylor", plan)
    app = studio.page(
        "layers", model=MODEL, data=studio.REF, plan="by taylor", layer=group.producers[0]
    )
    assert not app.exception
    assert "By the criterion Taylor" in words(app)
    # Without the job's scores nothing is claimed about them.
    app = studio.page("layers", model=MODEL, plan="by taylor", layer=group.producers[0])
    assert not app.exception
    assert "By the criterion L1" in words(app)
    assert known_scores(profile, model_folder(MODEL), "l1").values.keys() >= {group.id}
