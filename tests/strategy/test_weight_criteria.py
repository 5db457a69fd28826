"""Criteria for weights by hand and against plain formulas; what they need of a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pruning.errors import PlanError
from pruning.strategy.criteria import criteria, criterion
from pruning.strategy.estimates import price
from pruning.strategy.plan import PruningPlan, Schedule, Target, Training
from pruning.strategy.planner import make_plan
from pruning.strategy.weight_scores import check_criterion, kernel_scores, lamp_quantiles
from tests.strategy.profiles import KERNELS, MODEL, small_profile, write_arrays

PROFILE = small_profile()
LAMP = criterion("lamp", "weights")


def test_there_are_five() -> None:
    assert set(criteria("weights")) == {"lamp", "magnitude", "movement", "snip", "wanda"}


def test_lamp_by_hand() -> None:
    # Squares 1, 4, 9, 4: the whole is 18; of the equal fours the later one counts as larger.
    scores = LAMP.score(np.array([[1.0, -2.0], [3.0, 2.0]]))
    assert scores == pytest.approx(np.array([[1 / 18, 4 / 17], [1.0, 4 / 13]]))
    assert LAMP.score(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert LAMP.score(np.array([0.0, 2.0])).tolist() == [0, 1]


@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(max_dims=3, max_side=6), elements=st.floats(-9, 9, width=32)
    )
)
def test_lamp_is_the_papers_formula(kernel: np.ndarray) -> None:
    """score(u) = w[u]² / sum of w[v]² over v ≥ u, weights sorted by magnitude."""
    flat = [float(value) ** 2 for value in kernel.ravel()]
    order = sorted(range(len(flat)), key=lambda index: flat[index])
    expected = [0.0] * len(flat)
    for place, index in enumerate(order):
        below = sum(flat[other] for other in order[place:])
        expected[index] = flat[index] / below if below else 0.0
    assert LAMP.score(kernel).ravel() == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_wanda_by_hand() -> None:
    kernel = np.array([[1.0, -2.0], [3.0, 0.5]], np.float32)
    scores = criterion("wanda", "weights").score(kernel, np.array([[10.0], [1.0]], np.float32))
    assert scores.tolist() == [[10, 20], [3, 0.5]]


def test_snip_by_hand() -> None:
    kernel, gradient = np.array([1.0, -2.0, 3.0]), np.array([-4.0, 0.5, 0.0])
    assert criterion("snip", "weights").score(kernel, gradient).tolist() == [4, 1, 0]


def test_relative_scores_are_divided_by_their_mean_where_kernels_compete() -> None:
    wanda = criterion("wanda", "weights")
    handed = [np.array([1.0, 3.0]), np.array([10.0, 10.0])]
    assert kernel_scores(wanda, handed, competing=False).tolist() == [10, 30]
    assert kernel_scores(wanda, handed, competing=True).tolist() == [0.5, 1.5]
    magnitude = criterion("magnitude", "weights")
    assert kernel_scores(magnitude, [np.array([-1.0, 3.0])], competing=True).tolist() == [1, 3]


def test_lamp_scores_are_estimated_from_magnitudes() -> None:
    kernel = np.random.default_rng(0).normal(size=(200, 100))
    grid = np.quantile(np.abs(kernel), np.linspace(0, 1, 1025))
    estimated = lamp_quantiles(grid, kernel.size)
    exact = np.quantile(LAMP.score(kernel), np.linspace(0, 1, 1025))
    assert estimated[1:-1] == pytest.approx(exact[1:-1], rel=0.1)
    assert estimated[-1] == 1


def test_the_global_scope_of_lamp_takes_least_from_small_layers(tmp_path) -> None:
    write_arrays(tmp_path)
    settings = {"method": "weights", "scope": "global", "target": Target("sparsity", 0.8)}
    lamp = make_plan(PROFILE, tmp_path, PruningPlan(criterion="lamp", **settings))
    magnitude = make_plan(PROFILE, tmp_path, PruningPlan(criterion="magnitude", **settings))
    # The magnitudes are uniform on 0..1, 0..2, 0..4, in layers of 216, 1,152 and 10,240 weights.
    assert magnitude.ratios["conv1"] >= magnitude.ratios["conv2"] > magnitude.ratios["dense"]
    assert lamp.ratios["conv1"] < lamp.ratios["conv2"] < lamp.ratios["dense"]
    total = sum(KERNELS[name] * ratio for name, ratio in lamp.ratios.items())
    assert total / sum(KERNELS.values()) == pytest.approx(0.8, abs=1e-5)
    assert "One threshold for all layers" in price(PROFILE, tmp_path, lamp).notes[-1]


def test_what_is_not_known_before_the_run_is_shared_equally_and_said(tmp_path) -> None:
    plan = make_plan(
        PROFILE,
        tmp_path,
        PruningPlan(
            method="weights",
            criterion="wanda",
            scope="global",
            target=Target("sparsity", 0.5),
            calibration_samples=64,
        ),
    )
    assert set(plan.ratios.values()) == {0.5}
    notes = price(PROFILE, tmp_path, plan).notes
    assert "looks at 64 training samples" in notes[0]
    assert "an equal share, for the scores are not known yet" in notes[1]


def test_lamp_in_one_layer_says_that_it_is_magnitude(tmp_path) -> None:
    plan = make_plan(
        PROFILE,
        tmp_path,
        PruningPlan(method="weights", criterion="lamp", target=Target("sparsity", 0.5)),
    )
    (note,) = price(PROFILE, tmp_path, plan).notes
    assert "same weights as magnitude" in note


def movement(schedule: Schedule, epochs: int = 1) -> PruningPlan:
    return PruningPlan(
        MODEL,
        method="weights",
        criterion="movement",
        ratios={"dense": 0.5},
        schedule=schedule,
        training=Training(epochs=epochs),
    )


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule("one_shot"),
        Schedule("one_shot", begin=0.5),
        Schedule("constant"),
        Schedule("polynomial", initial_sparsity=0.2),
    ],
)
def test_movement_needs_steps_before_the_first_weights_go(schedule: Schedule) -> None:
    with pytest.raises(PlanError, match="zeroes some before the first step"):
        check_criterion(movement(schedule))


def test_movement_needs_a_training() -> None:
    check_criterion(movement(Schedule("polynomial")))
    check_criterion(movement(Schedule("constant", begin=0.2)))
    with pytest.raises(PlanError, match="nothing is retrained"):
        check_criterion(movement(Schedule("polynomial"), epochs=0))


def test_tfmot_knows_magnitude_only() -> None:
    plan = replace(movement(Schedule()), engine="tfmot", criterion="lamp")
    with pytest.raises(PlanError, match="TF-MOT knows no criterion lamp"):
        check_criterion(plan)
    check_criterion(replace(plan, criterion="magnitude"))
