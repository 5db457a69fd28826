"""Scores on disk, lots by seed, and what happens where a criterion does not apply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pruning.errors import PlanError
from pruning.strategy.channel_scores import (
    ChannelScores,
    available_scores,
    known_scores,
    left_whole_note,
    load_channel_scores,
    require_applicable,
)
from pruning.strategy.estimates import price
from pruning.strategy.plan import PruningPlan, Target, Training
from pruning.strategy.planner import make_plan
from tests.strategy.profiles import small_profile, write_arrays

PROFILE = small_profile()
A = np.linspace(1, 2, 8, dtype=np.float32)
REASON = "No BatchNormalization with learned factors follows the layers that make its channels."
PARTIAL = ChannelScores("bn_scale", {"a": A}, {"b": REASON})


@pytest.fixture
def folder(tmp_path):
    return write_arrays(tmp_path)


def test_scores_come_back_as_they_were(tmp_path):
    replace(PARTIAL, samples=12).save(tmp_path, PROFILE)
    found = load_channel_scores(PROFILE, tmp_path, "bn_scale")
    assert found.values.keys() == {"a"}
    assert np.array_equal(found.values["a"], A)
    assert found.reasons == {"b": REASON}
    assert found.samples == 12


def test_scores_of_an_older_studio_have_no_reasons(folder):
    found = known_scores(PROFILE, folder, "l1")
    assert {name: len(v) for name, v in found.values.items()} == {"a": 8, "b": 16}
    assert (found.reasons, found.samples) == ({}, 0)


def test_lots_depend_on_the_seed_and_the_group_alone(tmp_path):
    one = known_scores(PROFILE, tmp_path, "random", 1)
    again = known_scores(PROFILE, tmp_path, "random", 1)
    other = known_scores(PROFILE, tmp_path, "random", 2)
    assert all(np.array_equal(one.values[g], again.values[g]) for g in ("a", "b"))
    assert not np.array_equal(one.values["a"], other.values["a"])
    assert not np.array_equal(one.values["a"], one.values["b"][:8])
    shorter = replace(PROFILE, groups=PROFILE.groups[1:])
    assert np.array_equal(known_scores(shorter, tmp_path, "random", 1).values["b"], one.values["b"])


def test_a_plan_by_lot_is_the_same_for_the_same_seed(folder):
    def plan(seed: int) -> PruningPlan:
        return make_plan(
            PROFILE,
            folder,
            PruningPlan(
                criterion="random",
                scope="global",
                target=Target("flops", 0.5),
                training=Training(seed=seed),
            ),
        )

    assert plan(3).ratios == plan(3).ratios


def test_without_data_a_data_driven_criterion_says_what_it_needs(folder):
    with pytest.raises(PlanError, match=r"taylor needs calibration samples.*no data"):
        make_plan(PROFILE, folder, PruningPlan(criterion="taylor", target=Target("flops", 0.5)))
    assert available_scores(PROFILE, folder, "taylor") is None


def test_a_group_without_scores_stays_whole_and_the_user_is_told(folder):
    for scope in ("uniform", "layer", "global"):
        plan = make_plan(
            PROFILE,
            folder,
            PruningPlan(criterion="bn_scale", scope=scope, target=Target("flops", 0.7)),
            scores=PARTIAL,
        )
        assert set(plan.ratios) == {"a"}
        assert plan.ratios["a"] > 0
        priced = price(PROFILE, folder, plan, scores=PARTIAL)
        assert priced.kept["b"] == 16
        assert priced.achieved is not None
        assert priced.achieved <= 0.7
        words = "Left whole, for the criterion does not apply to them: b."
        assert priced.notes == (f"{words} {REASON}",)


def test_a_floor_that_the_criterion_causes_says_so(folder):
    with pytest.raises(PlanError) as caught:
        make_plan(
            PROFILE,
            folder,
            PruningPlan(criterion="bn_scale", target=Target("params", 0.1)),
            scores=PARTIAL,
        )
    assert "b whole, to which the criterion does not apply" in caught.value.expected
    assert "choose a criterion that applies to all groups" in caught.value.fix


def test_a_ratio_for_a_group_without_scores_is_refused(folder):
    with pytest.raises(PlanError, match=r"bn_scale does not apply to 'b': No BatchNorm"):
        make_plan(
            PROFILE, folder, PruningPlan(criterion="bn_scale", ratios={"b": 0.5}), scores=PARTIAL
        )


def test_a_criterion_that_applies_to_nothing_is_refused_with_its_reason(folder):
    nothing = ChannelScores("bn_scale", {}, {"a": REASON, "b": REASON})
    with pytest.raises(PlanError, match=r"does not apply to this model: No BatchNorm.*") as caught:
        make_plan(
            PROFILE,
            folder,
            PruningPlan(criterion="bn_scale", target=Target("flops", 0.5)),
            scores=nothing,
        )
    assert "l1" in caught.value.fix
    require_applicable(replace(PROFILE, groups=PROFILE.groups[2:]), nothing)  # nothing to apply to


def test_equal_scores_remove_evenly_and_the_user_is_told(folder):
    fresh = ChannelScores("bn_scale", {"a": np.ones(8, "f"), "b": np.ones(16, "f")})
    plan = make_plan(
        PROFILE,
        folder,
        PruningPlan(criterion="bn_scale", scope="global", target=Target("flops", 0.5)),
        scores=fresh,
    )
    assert plan.ratios["a"] == pytest.approx(plan.ratios["b"], abs=1 / 8)
    notes = price(PROFILE, folder, plan, scores=fresh).notes
    assert len(notes) == 1
    assert notes[0].startswith("All channels of a, b have the same score")


def test_the_note_names_three_groups_and_counts_the_rest():
    scores = ChannelScores("apoz", {}, {"g0": "Why."})
    (note,) = left_whole_note(scores, [f"g{i}" for i in range(5)])
    assert note.endswith("not apply to them: g0, g1, g2 and 2 more. Why.")
    assert left_whole_note(PARTIAL, ["a"]) == ()
