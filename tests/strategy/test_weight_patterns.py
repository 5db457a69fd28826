"""Patterns on a model: which layers, how many zeros, at what price, and what is refused.

The model of ``profiles``: conv1 3×3×3×8 (216 weights), conv2 3×3×8×16 (1,152), dense 1024×10
(10,240); 11,608 in all.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning.analysis.profile import KernelShape, ModelProfile
from pruning.errors import OutdatedError, PlanError
from pruning.strategy.description import describe
from pruning.strategy.estimates import price
from pruning.strategy.patterns import parse_pattern
from pruning.strategy.plan import PruningPlan, Schedule, Target
from pruning.strategy.planner import make_plan
from pruning.strategy.weight_patterns import fixed_ratios, refusals, zero_shares
from tests.strategy.profiles import KERNELS, MODEL, small_profile, write_arrays

PROFILE = small_profile()
TOTAL = sum(KERNELS.values())


def weights(folder, **settings) -> PruningPlan:
    return make_plan(PROFILE, folder, PruningPlan(method="weights", **settings))


def test_without_a_target_n_of_m_lies_on_all_layers_that_it_can(tmp_path) -> None:
    # conv1 has 3 inputs: of each 3 (and a zero that would follow) 2 stay, a third goes.
    plan = weights(tmp_path, pattern="2:4")
    assert plan.ratios == {"conv1": 0.333333, "conv2": 0.5, "dense": 0.5}
    assert plan.target is None
    prices = price(PROFILE, tmp_path, plan)
    assert prices.kept == {"conv1": 144, "conv2": 576, "dense": 5120}
    assert prices.after["sparsity"].value == (72 + 576 + 5120) / TOTAL
    assert prices.after["nonzero_params"].value == PROFILE.params - (72 + 576 + 5120)
    (note,) = prices.notes
    assert note.startswith("2:4 sets 33.3 to 50.0 % of the weights to zero in each of the 3 layers")


def test_locks_leave_layers_whole(tmp_path) -> None:
    plan = weights(tmp_path, pattern="2:4", locked=["dense"])
    assert plan.ratios == {"conv1": 0.333333, "conv2": 0.5}


def test_a_target_of_n_of_m_chooses_whole_layers(tmp_path) -> None:
    # 0.05 of 11,608 are 581: conv2's 576 are too few, conv2 and conv1 (648) just enough.
    plan = weights(tmp_path, pattern="2:4", target=Target("sparsity", 0.05))
    assert {name for name, ratio in plan.ratios.items() if ratio > 0} == {"conv1", "conv2"}
    prices = price(PROFILE, tmp_path, plan)
    assert prices.achieved == pytest.approx(648 / TOTAL)
    # 0.03 are 349: conv2 alone.
    plan = weights(tmp_path, pattern="2:4", target=Target("sparsity", 0.03))
    assert {name for name, ratio in plan.ratios.items() if ratio > 0} == {"conv2"}
    # Weights left: 0.6 of 11,642 parameters leave 6,985: the dense layer's 5,120 zeros do it.
    plan = weights(tmp_path, pattern="2:4", target=Target("params", 0.6))
    assert {name for name, ratio in plan.ratios.items() if ratio > 0} == {"dense"}


def test_a_target_beyond_n_of_m_is_refused_with_what_it_comes_to(tmp_path) -> None:
    with pytest.raises(PlanError) as caught:
        weights(tmp_path, pattern="2:4", target=Target("sparsity", 0.8))
    assert "2:4 zeroes 0.5 of each layer" in caught.value.happened
    assert "sparsity=0.496" in caught.value.happened  # 5,768 / 11,608
    plan = weights(tmp_path, pattern="1:8", target=Target("sparsity", 0.8))
    assert plan.ratios["dense"] == 0.875


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(3, 40), st.integers(1, 40)), min_size=1, max_size=9),
    st.floats(0.01, 0.9),
)
def test_the_layers_chosen_meet_the_target_and_no_layer_is_too_many(shapes, wanted) -> None:
    base = PROFILE.layers[-1]
    layers = tuple(
        replace(
            base,
            name=str(number),
            params=rows * columns,
            stats=replace(base.stats, count=rows * columns),
            kernels=(KernelShape((rows, columns)),),
        )
        for number, (rows, columns) in enumerate(shapes)
    )
    profile = replace(PROFILE, layers=layers, params=sum(layer.params for layer in layers))
    own = {n: r * layers[int(n)].params for n, r in fixed_ratios(profile, TWO_OF_FOUR).items()}
    total = profile.params
    try:
        plan = make_plan(
            profile,
            _NOWHERE,
            PruningPlan(method="weights", pattern="2:4", target=Target("sparsity", wanted)),
        )
    except PlanError:
        assert sum(own.values()) / total < wanted + 1e-5
        return
    chosen = {name for name, ratio in plan.ratios.items() if ratio > 0}
    zeros = sum(own[name] for name in chosen)
    assert zeros / total >= wanted - 1e-5
    assert all((zeros - own[name]) / total < wanted + 1e-5 for name in chosen)


TWO_OF_FOUR = parse_pattern("2:4")
_NOWHERE = None  # N:M reads no arrays


def test_a_ratio_of_its_own_is_not_possible_with_n_of_m(tmp_path) -> None:
    with pytest.raises(PlanError, match=r"'dense' is 0\.3, but 2:4 always zeroes 0\.5"):
        weights(tmp_path, pattern="2:4", ratios={"dense": 0.3})
    plan = weights(tmp_path, pattern="2:4", ratios={"dense": 0.5, "conv1": 0.0})
    assert plan.ratios == {"dense": 0.5, "conv1": 0.0}
    assert price(PROFILE, tmp_path, plan).kept["dense"] == 5120


def test_blocks_lie_on_matrices_only_and_leave_the_others_whole(tmp_path) -> None:
    plan = weights(tmp_path, pattern="4x5", target=Target("sparsity", 0.6))
    assert list(plan.ratios) == ["dense"]
    prices = price(PROFILE, tmp_path, plan)
    # 0.6 of 11,608 are 6,964.8; the 512 blocks have 20 weights: 349 of them go.
    assert prices.kept["dense"] == 10240 - 349 * 20
    assert prices.achieved == pytest.approx(6980 / TOTAL)
    (note,) = prices.notes
    assert note.startswith("4x5 leaves these layers whole: conv1 (its kernel has 4 axes")
    assert "conv2" in note


def test_blocks_that_do_not_divide_are_estimated_and_named(tmp_path) -> None:
    plan = weights(tmp_path, pattern="1x16", ratios={"dense": 0.5})
    prices = price(PROFILE, tmp_path, plan)
    assert "1x16 does not divide the kernels of dense" in prices.notes[-1]
    assert prices.kept["dense"] == 5120
    assert prices.after["sparsity"].basis == "estimated"


def test_what_a_pattern_cannot_lie_on_is_refused_by_name(tmp_path) -> None:
    with pytest.raises(
        PlanError, match="4x4 cannot be applied to the layer 'conv1': its kernel has 4"
    ):
        weights(tmp_path, pattern="4x4", ratios={"conv1": 0.5})


def test_no_layer_for_a_pattern_is_an_error_with_the_reason(tmp_path) -> None:
    layers = tuple(layer for layer in PROFILE.layers if layer.name != "dense")
    profile = replace(PROFILE, layers=layers)
    with pytest.raises(PlanError, match="No layer of this model can take the pattern 4x4"):
        make_plan(
            profile,
            tmp_path,
            PruningPlan(method="weights", pattern="4x4", target=Target("sparsity", 0.5)),
        )


def test_a_profile_of_an_earlier_version_knows_single_weights_only(tmp_path) -> None:
    layers = tuple(replace(layer, kernels=()) for layer in PROFILE.layers)
    old = replace(PROFILE, layers=layers)
    make_plan(old, tmp_path, PruningPlan(method="weights", target=Target("sparsity", 0.5)))
    with pytest.raises(OutdatedError, match="older version of the studio"):
        make_plan(old, tmp_path, PruningPlan(method="weights", pattern="2:4"))


def test_the_profile_keeps_the_shapes(tmp_path) -> None:
    record = json.loads(json.dumps(PROFILE.to_dict()))
    assert ModelProfile.from_dict(record) == PROFILE
    for layer in record["layers"]:
        del layer["kernels"]
    assert ModelProfile.from_dict(record).layers[0].kernels == ()


def test_tfmot_is_not_asked_for_what_it_fails_on(tmp_path) -> None:
    with pytest.raises(PlanError, match=r"TF-MOT fails on 'dense'.*1024 × 10 is a single"):
        weights(tmp_path, pattern="1x16", ratios={"dense": 0.5}, engine="tfmot")
    weights(tmp_path, pattern="4x4", ratios={"dense": 0.5}, engine="tfmot")


def test_a_pattern_is_part_of_the_plan_and_of_its_words(tmp_path) -> None:
    plan = weights(tmp_path, pattern="4x4", block_pooling="max", ratios={"dense": 0.5})
    again = PruningPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert (again.pattern, again.block_pooling, again.fixed) == ("4x4", "max", ("dense",))
    assert describe(plan).startswith("Zero weights in blocks of 4x4 in 1 layer")
    assert describe(weights(tmp_path, pattern="2:4")).startswith("Zero weights by 2:4 in 3 layers")
    old = {k: v for k, v in plan.to_dict().items() if k not in ("pattern", "block_pooling")}
    assert PruningPlan.from_dict(old).pattern == "unstructured"


def test_patterns_are_checked_when_a_plan_is_made() -> None:
    with pytest.raises(PlanError, match="'diagonal' does not exist"):
        PruningPlan(MODEL, method="weights", criterion="magnitude", pattern="diagonal")
    with pytest.raises(PlanError, match="block pooling 'sum' does not exist"):
        PruningPlan(MODEL, method="weights", pattern="4x4", block_pooling="sum")
    with pytest.raises(PlanError, match="removing channels or layers leaves none"):
        PruningPlan(MODEL, pattern="2:4")


def test_the_scope_layer_and_global_share_blocks_out(tmp_path) -> None:
    write_arrays(tmp_path)
    for scope in ("layer", "global"):
        plan = weights(tmp_path, scope=scope, pattern="2x2", target=Target("sparsity", 0.5))
        achieved = price(PROFILE, tmp_path, plan).achieved
        assert achieved == pytest.approx(0.5, abs=2e-4)


def test_shares_of_single_weights_are_the_ratios() -> None:
    ratios = {"conv1": 0.123, "dense": 0.5}
    assert zero_shares(PROFILE, parse_pattern("unstructured"), ratios) == ratios
    assert refusals(PROFILE, parse_pattern("4x4")).keys() == {"conv1", "conv2"}


def test_masks_have_as_many_weights_as_the_price_says(tmp_path) -> None:
    rng = np.random.default_rng(0)
    for text, ratios in (
        ("2:4", {}),
        ("3:8", {}),
        ("2x5", {"dense": 0.37}),
        ("8x10", {"dense": 0.9}),
    ):
        plan = weights(tmp_path, pattern=text, ratios=ratios, schedule=Schedule("one_shot"))
        prices, pattern = price(PROFILE, tmp_path, plan), plan.pattern_of_zeros
        for layer in PROFILE.layers:
            if plan.ratios.get(layer.name, 0) > 0:
                scores = rng.random(layer.kernels[0].shape)
                share = pattern.fixed or plan.ratios[layer.name]
                assert pattern.mask(scores, share).sum() == prices.kept[layer.name]
