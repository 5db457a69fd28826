"""A schedule of cuts: equal shares of what is left, and the plan's widths at the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.analysis.profile import Group, ModelProfile
from pruning.errors import PlanError
from pruning.strategy.cuts import plan_to, widths
from pruning.strategy.plan import PruningPlan, Training
from tests.strategy import profiles


def plan(ratio: float, cuts: int, **changes) -> PruningPlan:
    return PruningPlan("m", ratios={"a": ratio}, cuts=cuts, **changes)


def model(channels: int, multiple: int = 1) -> ModelProfile:
    """A profile of one group."""
    group = Group("a", channels, ("conv",), ("conv",), True, None, multiple=multiple)
    return replace(profiles.small_profile(), groups=(group,))


@pytest.mark.parametrize(
    ("channels", "ratio", "cuts", "expected"),
    [
        (64, 0.75, 2, [64, 32, 16]),
        (64, 0.875, 3, [64, 32, 16, 8]),
        (100, 0.5, 2, [100, 71, 50]),  # 100 / sqrt(2) = 70.7
        (10, 0.0, 3, [10, 10, 10, 10]),
        (2, 0.9, 3, [2, 1, 1, 1]),
    ],
)
def test_every_cut_removes_the_same_share_of_what_is_left(channels, ratio, cuts, expected) -> None:
    profile = model(channels)
    found = [widths(profile, plan(ratio, cuts), cut)["a"] for cut in range(cuts + 1)]
    assert found == expected


@given(
    channels=st.integers(1, 600),
    ratio=st.floats(0, 0.999),
    cuts=st.integers(1, 8),
    multiple=st.sampled_from([1, 2, 3]),
    round_to=st.sampled_from([1, 4, 8]),
)
def test_cut_after_cut_comes_to_the_widths_of_the_plan(
    channels, ratio, cuts, multiple, round_to
) -> None:
    channels *= multiple
    whole = plan(ratio, cuts, round_to=round_to)
    original = model(channels, multiple)
    left = channels
    for cut in range(1, cuts + 1):
        wanted = widths(original, whole, cut)
        assert wanted["a"] <= left
        now = model(left, multiple)
        left = widths(now, plan_to(wanted, now, plan(0.0, 1, round_to=round_to)), 1)["a"]
        assert left == wanted["a"]
    at_once = plan(ratio, 1, round_to=round_to)
    assert left == widths(original, at_once, 1)["a"]


def test_cuts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(PlanError, match="in a single epoch"):
        plan(0.5, 3, training=Training(epochs=1))
    with pytest.raises(PlanError, match="the method weights prunes in one go"):
        PruningPlan("m", method="weights", criterion="magnitude", cuts=2)
    with pytest.raises(PlanError, match="cuts is 0"):
        plan(0.5, 0)
    assert plan(0.5, 3, training=Training(epochs=0)).cuts == 3


def test_the_plan_says_it_in_json_and_older_plans_make_one_cut() -> None:
    record = plan(0.5, 4).to_dict()
    assert record["cuts"] == 4
    assert PruningPlan.from_dict(record) == plan(0.5, 4)
    del record["cuts"]
    assert PruningPlan.from_dict(record).cuts == 1
    weights = PruningPlan("m", method="weights", criterion="magnitude")
    assert "cuts" not in weights.to_dict()


def test_feature_matching_is_for_channels_and_off_in_older_plans() -> None:
    matched = Training(feature_matching=3.0)
    record = plan(0.5, 1, training=matched).to_dict()
    assert record["training"]["feature_matching"] == 3
    assert PruningPlan.from_dict(record).training == matched
    del record["training"]["feature_matching"]
    assert PruningPlan.from_dict(record).training.feature_matching == 0
    for method, criterion in (("weights", "magnitude"), ("layers", "block_influence")):
        with pytest.raises(PlanError, match="with the method"):
            PruningPlan("m", method=method, criterion=criterion, training=matched)
    for wrong in (-1.0, 1001.0, float("nan")):
        with pytest.raises(PlanError, match="feature_matching"):
            plan(0.5, 1, training=Training(feature_matching=wrong))
