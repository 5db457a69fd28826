"""Which blocks go for a target, on a profile written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.analysis import liveness
from pruning.analysis.cost import Cost, Term
from pruning.analysis.profile import Block, Call, Layer, ModelProfile
from pruning.errors import OutdatedError, PlanError
from pruning.strategy.block_targets import choose_blocks, smallest
from pruning.strategy.description import describe
from pruning.strategy.estimates import Timed, price
from pruning.strategy.plan import PruningPlan, Target
from pruning.strategy.planner import make_plan
from pruning.strategy.validation import check_plan
from tests.strategy.profiles import MODEL, small_profile

COSTS = {"entry": 100, "a1": 50, "b1": 200, "b2": 100, "c1": 150, "logits": 400}


def profile() -> ModelProfile:
    """x → entry → [a1] → [b1 → b2] → [c1] → logits, 1000 in all; b2 is a block too, c cannot go."""
    layers = tuple(
        Layer(
            name=name, cls="Dense", params=cost, flops=2 * cost, output_shape=(4,), prunable=False,
            reason="test", zeros=0.0, maskable=False, magnitude_row=None, stats=None,
            groups_out=(), groups_in=(), params_cost=Cost((Term(cost),)),
            flops_cost=Cost((Term(2 * cost),)),
        )
        for name, cost in {"x": 0, **COSTS}.items()
    )  # fmt: skip
    order = list(COSTS)
    calls = (
        Call("x", (), (0,), 0),
        *(Call(name, (i,), (i + 1,), 2 * COSTS[name]) for i, name in enumerate(order)),
    )

    def block(name: str, gone: tuple[str, ...], pair: tuple[int, int], **more) -> Block:
        total = sum(COSTS[n] for n in gone)
        return Block(
            id=name, kind="residual", layers=gone, params=total, flops=2 * total, source="x",
            target=gone[-1], shape=(4,), bypasses=(pair,), axis=1, **more,
        )  # fmt: skip

    blocks = (
        block("a", ("a1",), (2, 1)),
        block("b", ("b1", "b2"), (4, 2)),
        block("b.inner", ("b2",), (4, 3), within=("b",)),
        block("c", ("c1",), (5, 4), reason="Its shortcut is a projection."),
    )
    return replace(
        small_profile(), layers=layers, calls=calls, ends=(6,), blocks=blocks, groups=(),
        params=1000, flops=2000, criteria=(),
    )  # fmt: skip


INFLUENCES = {"a": 0.1, "b": 0.3, "b.inner": 0.2}


@pytest.mark.parametrize(
    ("target", "removed", "left"),
    [
        (0.95, ("a",), 0.95),  # the lowest influence is enough
        (0.9, ("b.inner",), 0.9),  # a, then b.inner; a can be spared
        (0.85, ("a", "b.inner"), 0.85),
        (0.7, ("b",), 0.7),  # a, b.inner, b: the first two can be spared
        (0.65, ("a", "b"), 0.65),
    ],
)
def test_lowest_influence_first_and_nothing_to_spare(target, removed, left) -> None:
    for kind in ("params", "flops"):
        chosen = choose_blocks(profile(), Target(kind, target), INFLUENCES)
        assert set(chosen) == set(removed)
        kept = liveness.left(profile(), chosen)[kind == "flops"]
        assert sum(kept.values()) == left * (2000 if kind == "flops" else 1000)


def test_a_locked_block_keeps_those_around_it() -> None:
    """Without b its inner block would be gone, lock or not."""
    target = Target("flops", 0.95)
    assert choose_blocks(profile(), target, INFLUENCES, locked=["b.inner"]) == ("a",)
    with pytest.raises(PlanError, match=r"At least flops=0\.95"):
        choose_blocks(profile(), Target("flops", 0.9), INFLUENCES, locked=["b.inner"])
    # What the user removes by name goes in any case.
    assert choose_blocks(profile(), target, {}, locked=["b.inner", "a"], fixed=["b"]) == ("b",)


def test_locks_and_blocks_of_the_user() -> None:
    target = Target("flops", 0.9)
    assert choose_blocks(profile(), target, INFLUENCES, locked=["a"]) == ("b.inner",)
    assert choose_blocks(profile(), target, INFLUENCES, fixed=["a"]) == ("a", "b.inner")
    assert choose_blocks(
        profile(), Target("flops", 0.95), {}, fixed=["a"], locked=["b", "b.inner"]
    ) == ("a",)


def test_what_is_out_of_reach_says_the_floor() -> None:
    assert smallest(profile(), "flops") == 0.65
    with pytest.raises(PlanError, match=r"At least flops=0\.65"):
        choose_blocks(profile(), Target("flops", 0.6), INFLUENCES)
    with pytest.raises(PlanError, match=r"At least params=0\.95"):
        choose_blocks(profile(), Target("params", 0.6), INFLUENCES, locked=["b", "b.inner"])
    with pytest.raises(PlanError, match="3 locked"):
        choose_blocks(profile(), Target("params", 0.6), INFLUENCES, locked=["a", "b", "b.inner"])


def test_errors_say_what_is_missing() -> None:
    with pytest.raises(PlanError, match="measured on data"):
        choose_blocks(profile(), Target("flops", 0.9), None)
    with pytest.raises(PlanError, match="'b' was not measured"):
        choose_blocks(profile(), Target("flops", 0.9), {"a": 1.0, "b.inner": 1.0})
    with pytest.raises(PlanError, match="sparsity is not a target"):
        choose_blocks(profile(), Target("sparsity", 0.5), INFLUENCES)
    frozen = replace(profile(), blocks=profile().blocks[-1:])
    with pytest.raises(PlanError, match=r"no block that can be removed\. 'c': Its shortcut"):
        choose_blocks(frozen, Target("flops", 0.9), {})
    with pytest.raises(OutdatedError, match="older version of the studio"):
        choose_blocks(replace(profile(), blocks=(), calls=()), Target("flops", 0.9), {})


def plan_of(**fields) -> PruningPlan:
    return PruningPlan(MODEL, "layers", "block_influence", **fields)


def test_a_plan_of_blocks_goes_through_json_and_is_checked() -> None:
    plan = make_plan(
        profile(),
        Path(),
        PruningPlan(method="layers", target=Target("flops", 0.7)),
        influences=INFLUENCES,
    )
    assert plan.removed == ("b",)
    assert PruningPlan.from_dict(plan.to_dict()) == plan
    assert describe(plan).startswith("Remove 1 block, to 70 % of the FLOPs · block influence · ")
    assert plan.touched == 1
    check_plan(profile(), plan)
    with pytest.raises(PlanError, match="no block 'z'"):
        check_plan(profile(), plan_of(removed=("z",)))
    with pytest.raises(PlanError, match="'c' cannot be pruned: Its shortcut"):
        check_plan(profile(), plan_of(removed=("c",)))
    with pytest.raises(PlanError, match="locked and removed"):
        plan_of(removed=("a",), locked=("a",))
    with pytest.raises(PlanError, match="takes no ratios"):
        plan_of(ratios={"a": 0.5})
    with pytest.raises(PlanError, match="takes no list of blocks"):
        PruningPlan(MODEL, removed=("a",))
    assert "removed" not in PruningPlan(MODEL).to_dict()


def test_the_price_counts_the_layers_that_stay() -> None:
    plan = plan_of(removed=("b", "a"), target=Target("params", 0.65))
    prices = price(profile(), Path(), plan, latency=Timed(10.0, fixed=0.4))
    assert (prices.after["params"].value, prices.after["params"].basis) == (650, "exact")
    assert (prices.after["flops"].value, prices.after["flops"].basis) == (1300, "exact")
    # 20,000 bytes beside the weights of seven layers, four of which stay, with 4 bytes a value.
    assert prices.after["bytes"].value == round(20_000 * 4 / 7) + 4 * 650
    assert prices.after["bytes"].basis == "estimated"
    assert prices.after["latency_ms"].value == 6.5
    assert prices.achieved == 0.65
    assert prices.kept == {"a": 0, "b": 0, "b.inner": 1}
    assert [layer.params_after for layer in prices.layers] == [0, 100, 0, 0, 0, 150, 400]
    nothing = price(profile(), Path(), plan_of())
    assert nothing.after["bytes"].basis == "exact"
    assert nothing.after["bytes"].value == nothing.before["bytes"].value


@given(
    st.floats(0.66, 0.999),
    st.permutations(["a", "b", "b.inner"]),
    st.sampled_from(["params", "flops", "bytes"]),
)
def test_the_target_is_met_and_no_block_can_be_spared(target, order, kind) -> None:
    influences = {name: float(rank) for rank, name in enumerate(order)}
    chosen = choose_blocks(profile(), Target(kind, target), influences)

    def left(names) -> float:
        prices = price(profile(), Path(), plan_of(removed=tuple(names), target=Target(kind, 0.5)))
        return prices.achieved

    assert left(chosen) <= target + 1e-9
    for name in chosen:
        assert left([other for other in chosen if other != name]) > target - 1e-9
