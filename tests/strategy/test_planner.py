"""Plans are made, checked against the model, and survive JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pruning.errors import MismatchError, PlanError
from pruning.strategy.plan import PruningPlan, Schedule, Target, Training, default_criterion
from pruning.strategy.planner import make_plan
from pruning.strategy.validation import check_plan
from tests.strategy.profiles import MODEL, small_profile, write_arrays

PROFILE = small_profile()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_arrays(tmp_path_factory.mktemp("arrays"))


def test_everything_asked_for_is_in_the_plan(folder):
    plan = make_plan(
        PROFILE,
        folder,
        PruningPlan(
            method="weights",
            scope="layer",
            target=Target("sparsity", 0.5),
            locked=("conv1",),
            ratios={"conv2": 0.25},
            schedule=Schedule(kind="constant"),
            training=Training(epochs=7),
            engine="tfmot",
            name="mine",
        ),
    )
    assert plan.model == MODEL
    assert plan.criterion == default_criterion("weights") == "magnitude"
    assert plan.locked == ("conv1",)
    assert plan.ratios["conv2"] == 0.25
    assert "conv1" not in plan.ratios
    assert plan.ratios["dense"] == pytest.approx((0.5 * 11608 - 0.25 * 1152) / 10240, abs=1e-6)
    assert (plan.schedule.kind, plan.training.epochs, plan.engine) == ("constant", 7, "tfmot")
    assert PruningPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_ratios_alone_make_a_plan(folder):
    plan = make_plan(PROFILE, folder, PruningPlan(ratios={"a": 0.5}))
    assert (plan.method, plan.criterion, plan.ratios) == ("channels", "l1", {"a": 0.5})


def test_a_request_belongs_to_the_model_it_is_made_for(folder):
    asked = PruningPlan(target=Target("params", 0.6))
    assert make_plan(PROFILE, folder, asked).model == MODEL
    with pytest.raises(MismatchError, match="made for the model ffff"):
        make_plan(PROFILE, folder, replace(asked, model="f" * 20))


@pytest.mark.parametrize(
    ("method", "usual"),
    [("channels", "l1"), ("weights", "magnitude"), ("layers", "block_influence")],
)
def test_a_plan_without_a_criterion_has_its_methods_usual_one(method, usual):
    assert PruningPlan(method=method).criterion == usual
    record = {"format": 1, "model": MODEL, "method": method, "ratios": {}}
    assert PruningPlan.from_dict(record).criterion == usual


def test_the_plan_of_another_model_is_refused():
    with pytest.raises(MismatchError, match="made for the model ffff"):
        check_plan(PROFILE, PruningPlan("f" * 20))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ratios": {"nowhere": 0.5}}, "no channel group 'nowhere'"),
        ({"locked": ("nowhere",)}, "no channel group 'nowhere'"),
        ({"ratios": {"out": 0.5}}, "model's outputs"),
        ({"criterion": "magnitude"}, "channels has no criterion 'magnitude'"),
        ({"method": "weights", "criterion": "l1"}, "weights has no criterion 'l1'"),
        (
            {"method": "weights", "criterion": "magnitude", "ratios": {"flatten": 0.5}},
            "no kernel to mask",
        ),
    ],
)
def test_what_the_model_cannot_do_is_refused(fields, words):
    with pytest.raises(PlanError, match=words):
        check_plan(PROFILE, PruningPlan(MODEL, **fields))


def test_tfmot_is_for_tf_keras():
    plan = PruningPlan(MODEL, method="weights", criterion="magnitude", engine="tfmot")
    check_plan(PROFILE, plan)
    with pytest.raises(PlanError, match="Keras 3"):
        check_plan(small_profile("keras3"), plan)


def test_a_frozen_group_may_have_the_ratio_zero():
    check_plan(PROFILE, PruningPlan(MODEL, ratios={"out": 0.0}, locked=("out",)))


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        {"format": 2, "model": "m", "ratios": {}},
        {"format": 1, "ratios": {}},
        {"format": 1, "model": "m", "ratios": {"a": "much"}},
        {"format": 1, "model": "m", "ratios": {"a": float("nan")}},
        {"format": 1, "model": "m", "ratios": {"a": 1.0}},
        {"format": 1, "model": "m", "ratios": {}, "training": {"epochs": "3"}},
        {"format": 1, "model": "m", "ratios": {}, "training": {"epochs": 2.5}},
        {"format": 1, "model": "m", "ratios": {}, "training": {"batch_size": True}},
        {"format": 1, "model": "m", "ratios": {}, "training": {"patience": 0}},
        {"format": 1, "model": "m", "ratios": {}, "training": {"optimizer": "magic"}},
        {"format": 1, "model": "m", "ratios": {}, "training": {"seed": -1}},
        {"format": 1, "model": "m", "ratios": {}, "schedule": {"begin": 0.9, "end": 0.1}},
        {"format": 1, "model": "m", "ratios": {}, "target": {"kind": "beauty", "value": 0.5}},
        {"format": 1, "model": "m", "ratios": {}, "target": {"kind": "flops", "value": 1.5}},
        {"format": 1, "model": "m", "ratios": {}, "round_to": 0},
        {"format": 1, "model": "m", "ratios": {}, "engine": "tfmot"},
        {"format": 1, "model": 5, "ratios": {}},
        {"format": 1, "model": "m", "ratios": {}, "name": 5},
        {"format": 1, "model": "m", "ratios": {}, "criterion": ["l1"]},
        {"format": 1, "model": "m", "ratios": {}, "locked": "conv1"},
        {"format": 1, "model": "m", "ratios": {}, "fixed": [["conv1"]]},
    ],
)
def test_a_bad_record_is_a_plan_error(record):
    with pytest.raises(PlanError) as caught:
        PruningPlan.from_dict(record)
    assert caught.value.expected
    assert caught.value.fix


def test_a_locked_entry_with_a_ratio_is_refused():
    with pytest.raises(PlanError, match="locked"):
        PruningPlan(MODEL, ratios={"a": 0.5}, locked=("a",))
