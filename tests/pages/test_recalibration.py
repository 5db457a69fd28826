"""What pages offer and say of new BatchNormalization statistics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pruning import storage
from pruning.comparison.recalibration import Recalibration
from pruning.comparison.result import Comparison
from pruning.runs import processes
from pruning.strategy import library as plans
from pruning.strategy.plan import PruningPlan
from tests.pages import studio

FOUND = Recalibration(
    layers=5, samples=1024, kept=True, validation_samples=60, metric="accuracy",
    score_before=0.25, score_after=0.75, loss_before=2.5, loss_after=0.5,
)  # fmt: skip
WORDS = (
    "The statistics of 5 BatchNorm layers were measured again on 1,024 training samples: "
    "accuracy 25.0 % → 75.0 %, loss 2.5 → 0.5 on 60 validation samples, before retraining."
)


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    monkeypatch.setattr(processes, "slots", lambda: 0)
    return studio.build(tmp_path)


def strategy(**query: str):
    app = studio.page("strategy", model=studio.profiles.MODEL, data=studio.REF, **query)
    assert not app.exception
    return app


def planned(app) -> PruningPlan:
    return app.session_state["plan on the strategy page"]


def test_it_is_on_and_can_be_switched_off(profile) -> None:
    app = strategy()
    assert planned(app).recalibrate
    app.toggle(key="plan_recalibrate").set_value(False).run()
    assert not planned(app).recalibrate
    app.button_group(key="plan_method").set_value("weights").run()
    assert not [t for t in app.toggle if t.key == "plan_recalibrate"]


def test_the_number_of_cuts_is_chosen_and_filled_in(profile) -> None:
    app = strategy()
    assert planned(app).cuts == 1
    app.number_input(key="plan_cuts").set_value(4).run()
    assert planned(app).cuts == 4
    app.number_input(key="plan_epochs").set_value(1).run()
    assert not app.exception
    assert "4 cuts with retraining between them" in studio.texts(app)
    app.number_input(key="plan_epochs").set_value(2).run()
    assert planned(app).cuts == 4
    assert "in a single epoch" not in studio.texts(app)
    app.button_group(key="plan_method").set_value("weights").run()
    assert not [n for n in app.number_input if n.key == "plan_cuts"]
    assert planned(app).cuts == 1


def test_decay_and_distillation_are_chosen_and_filled_in(profile) -> None:
    app = strategy()
    assert (planned(app).training.decay, planned(app).training.distillation) == ("cosine", 0.0)
    app.selectbox(key="plan_decay").set_value("none")
    app.number_input(key="plan_distillation").set_value(35)
    app.number_input(key="plan_feature_matching").set_value(3.0).run()
    plan = planned(app)
    assert plan.training.feature_matching == 3
    assert (plan.training.decay, plan.training.distillation) == ("none", 0.35)
    plans.save_plan(studio.profiles.MODEL, "taught", plan)
    assert planned(strategy(plan="taught")).training == plan.training
    app.button_group(key="plan_method").set_value("weights").run()
    assert planned(app).training.feature_matching == 0  # no channels that stay


def test_an_opened_plan_fills_the_switch(profile) -> None:
    plan = replace(studio.plan_for(profile), recalibrate=False)
    plans.save_plan(studio.profiles.MODEL, "without", plan)
    app = strategy(plan="without")
    assert not app.toggle(key="plan_recalibrate").value
    assert not planned(app).recalibrate


def test_the_gain_is_said_on_both_pages(tmp_path: Path, profile) -> None:
    run = studio.run(tmp_path, profile)
    record = run.read(run.record)
    record["results"]["recalibration"] = FOUND.to_dict()
    storage.write_json(run.record, record)
    replace(Comparison.load(run.comparison), recalibration=FOUND).save(run.comparison)
    here = {"model": studio.profiles.MODEL, "data": studio.REF, "run": run.id}
    assert WORDS in studio.texts(studio.page("retraining", **here))
    assert WORDS in studio.texts(studio.page("comparison", **here, sheet="Training"))
