"""The solver comes as close to a target from below as the scope allows, or names the floor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning.errors import PlanError
from pruning.strategy.plan import PruningPlan, Target
from pruning.strategy.selection import kept_channels, kept_count
from pruning.strategy.solver import solve
from tests.strategy.profiles import CONTAINER, FLOPS, KERNELS, MODEL, small_profile, write_arrays

PROFILE = small_profile()
COSTS = {
    "params": lambda a, b: 27 * a + a + 9 * a * b + b + 640 * b + 10,
    "flops": lambda a, b: 128 * (27 * a + 9 * a * b) + 1280 * b,
    "bytes": lambda a, b: CONTAINER + 4 * (27 * a + a + 9 * a * b + b + 640 * b + 10),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_arrays(tmp_path_factory.mktemp("arrays"))


def kept_of(solution, round_to=1):
    return [
        kept_count(g, solution.ratios.get(g.id, 0.0), round_to) for g in PROFILE.prunable_groups
    ]


@settings(max_examples=60)
@given(
    kind=st.sampled_from(["params", "flops", "bytes"]),
    value=st.floats(0.5, 0.99),
    scope=st.sampled_from(["uniform", "layer", "global"]),
    round_to=st.sampled_from([1, 2, 4]),
)
def test_never_above_the_target_and_no_step_too_far(folder, kind, value, scope, round_to):
    solution = solve(
        PROFILE, folder, method="channels", target=Target(kind, value), scope=scope,
        round_to=round_to,
    )  # fmt: skip
    a, b = kept_of(solution, round_to)
    whole = COSTS[kind](8, 16)
    assert solution.achieved == pytest.approx(COSTS[kind](a, b) / whole)
    assert solution.achieved <= value + 1e-9
    if scope == "uniform":
        # Removing a little less everywhere would miss the target.
        ratio = solution.ratios["a"]
        assert set(solution.ratios) == {"a", "b"}
        assert solution.ratios["b"] == ratio
        gentler = max(ratio - 2e-6, 0.0)
        less = [kept_count(g, gentler, round_to) for g in PROFILE.prunable_groups]
        assert less == [8, 16] or less == [a, b] or COSTS[kind](*less) / whole > value


def test_uniform_by_hand(folder):
    # The ratios at which a count changes: 1/32, 1/16, 3/32, 5/32, 3/16 … The first with at most
    # half of the FLOPs keeps 5 of 8 and 11 of 16: 128·(135 + 495) + 1280·11 = 94720 of 195584.
    solution = solve(PROFILE, folder, method="channels", target=Target("flops", 0.5))
    assert kept_of(solution) == [5, 11]
    assert solution.ratios["a"] == 0.3125
    assert solution.achieved == 94720 / sum(FLOPS.values())
    assert solution.requested == Target("flops", 0.5)


def test_larger_groups_lose_more_in_scope_layer(folder):
    solution = solve(
        PROFILE, folder, method="channels", target=Target("params", 0.5), scope="layer"
    )
    assert solution.ratios["b"] > solution.ratios["a"]


def test_global_compares_channels_of_all_groups(tmp_path):
    # Group a is worthless but for one channel; b matters throughout.
    scores = np.concatenate([[0.1] * 7 + [5.0], np.linspace(1, 2, 16)])
    folder = write_arrays(tmp_path, scores)
    solution = solve(
        PROFILE, folder, method="channels", target=Target("flops", 0.15), scope="global"
    )
    # 128·(27 + 9·b) + 1280·b is at most .15 of 195584 for b = 10.
    assert kept_of(solution) == [1, 10]
    plan = PruningPlan(MODEL, scope="global", ratios=solution.ratios)
    chosen = kept_channels(PROFILE, plan, {"a": scores[:8], "b": scores[8:]})
    assert chosen["a"].tolist() == [7]
    assert chosen["b"].tolist() == list(range(6, 16))


def test_global_reports_scores_that_are_all_equal(tmp_path):
    folder = write_arrays(tmp_path, np.ones(24))
    solution = solve(
        PROFILE, folder, method="channels", target=Target("flops", 0.5), scope="global"
    )
    assert "All channels of a, b have the same score" in solution.notes[0]


def test_locks_and_own_ratios_stay(folder):
    solution = solve(PROFILE, folder, method="channels", target=Target("params", 0.5), locked=["a"])
    assert solution.ratios.keys() == {"b"}
    fixed = solve(
        PROFILE, folder, method="channels", target=Target("params", 0.5), fixed={"a": 0.75}
    )
    assert fixed.ratios["a"] == 0.75
    assert fixed.ratios["b"] < solution.ratios["b"]


def test_a_target_below_the_floor_names_the_floor(folder):
    floor = COSTS["params"](1, 2)
    assert PROFILE.floor_params == floor
    with pytest.raises(PlanError) as caught:
        solve(PROFILE, folder, method="channels", target=Target("params", 0.05))
    # 1338 of 11642, rounded up to what is surely reachable
    assert caught.value.expected == "At least params=0.115 with one channel left in every group."
    with pytest.raises(PlanError) as caught:
        solve(PROFILE, folder, method="channels", target=Target("params", 0.05), locked=["a"])
    assert "(with nothing locked: 0.115)" in caught.value.expected
    again = solve(PROFILE, folder, method="channels", target=Target("params", 0.115))
    assert kept_of(again) == [1, 2]
    with pytest.raises(PlanError, match="below"):
        solve(PROFILE, folder, method="channels", target=Target("params", 0.115), round_to=8)


@pytest.mark.parametrize("scope", ["uniform", "layer", "global"])
def test_everything_locked(folder, scope):
    with pytest.raises(PlanError, match="2 locked"):
        solve(
            PROFILE, folder, method="channels", target=Target("flops", 0.5), scope=scope,
            locked=["a", "b"],
        )  # fmt: skip
    with pytest.raises(PlanError, match="3 locked"):
        solve(
            PROFILE, folder, method="weights", target=Target("sparsity", 0.5), scope=scope,
            locked=list(KERNELS),
        )  # fmt: skip


def test_everything_frozen(folder):
    groups = tuple(g for g in PROFILE.groups if not g.prunable)
    frozen = PROFILE.__class__(**{**vars(PROFILE), "groups": groups})
    with pytest.raises(PlanError, match="no channel group that can be pruned"):
        solve(frozen, folder, method="channels", target=Target("flops", 0.5))


def test_what_is_cut_on_request_is_a_way_out(folder):
    """Of a model of which everything is normalised, all that could go waits to be asked for."""
    asked = tuple(
        replace(g, prunable=False, reason="Only on request: …", on_request="inexact")
        if g.prunable
        else g
        for g in PROFILE.groups
    )
    with pytest.raises(PlanError) as caught:
        solve(
            replace(PROFILE, groups=asked),
            folder,
            method="channels",
            target=Target("flops", 0.5),
        )
    assert caught.value.fix.startswith("Allow what is cut on request only (2 groups: inexact)")
    first, *others = asked
    opened = (replace(first, prunable=True, on_request=None), *others)
    some = replace(PROFILE, groups=opened, floor_params=COSTS["params"](8, 16))
    with pytest.raises(PlanError) as caught:
        solve(some, folder, method="channels", target=Target("params", 0.01))
    assert "or allow what is cut on request only (1 group: inexact)" in caught.value.fix


def test_targets_that_a_method_does_not_change(folder):
    with pytest.raises(PlanError, match="FLOPs"):
        solve(PROFILE, folder, method="weights", target=Target("flops", 0.5))
    with pytest.raises(PlanError, match="sparsity"):
        solve(PROFILE, folder, method="channels", target=Target("sparsity", 0.5))


def test_an_unknown_criterion_is_refused(folder):
    with pytest.raises(PlanError, match="'bn_scale'"):
        solve(
            PROFILE, folder, method="channels", target=Target("flops", 0.5), scope="global",
            criterion="bn_scale",
        )  # fmt: skip


def test_uniform_sparsity_is_the_target_itself(folder):
    solution = solve(PROFILE, folder, method="weights", target=Target("sparsity", 0.8))
    assert solution.ratios == {"conv1": 0.8, "conv2": 0.8, "dense": 0.8}
    assert solution.achieved == pytest.approx(0.8)


def test_locked_weights_are_made_up_for_by_the_others(folder):
    solution = solve(
        PROFILE, folder, method="weights", target=Target("sparsity", 0.8), locked=["conv1", "conv2"]
    )
    assert solution.ratios == {"dense": round(0.8 * 11608 / 10240, 6)}
    with pytest.raises(PlanError, match="cannot be reached") as caught:
        solve(PROFILE, folder, method="weights", target=Target("sparsity", 0.8), locked=["dense"])
    assert "sparsity=0.117" in caught.value.expected  # .999 · 1368 / 11608


def test_global_sparsity_has_one_threshold(folder):
    # |w| is uniform up to 1, 2 and 4: at a threshold t the layers lose t, t/2 and t/4.
    solution = solve(
        PROFILE, folder, method="weights", target=Target("sparsity", 0.2), scope="global"
    )
    one, two, four = (solution.ratios[name] for name in KERNELS)
    assert two == pytest.approx(one / 2, abs=2e-3)
    assert four == pytest.approx(one / 4, abs=2e-3)
    zeros = sum(n * r for n, r in zip(KERNELS.values(), (one, two, four), strict=True))
    assert zeros / sum(KERNELS.values()) == pytest.approx(0.2, abs=1e-3)
    assert solution.achieved == pytest.approx(0.2, abs=1e-3)


def test_params_of_the_method_weights_are_those_that_are_not_zero(folder):
    solution = solve(PROFILE, folder, method="weights", target=Target("params", 0.4))
    assert solution.ratios["dense"] == pytest.approx(0.6 * 11642 / 11608, abs=1e-6)
    assert solution.achieved == pytest.approx(0.4, abs=1e-5)
