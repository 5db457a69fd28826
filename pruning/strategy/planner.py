"""Makes the plan that a target, a table of ratios, or both ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pruning.analysis.profile import ModelProfile
from pruning.strategy.block_targets import choose_blocks
from pruning.strategy.channel_scores import (
    ChannelScores,
    known_scores,
    require_applicable,
    require_scored,
)
from pruning.strategy.plan import PruningPlan
from pruning.strategy.solver import solve
from pruning.strategy.validation import check_plan
from pruning.strategy.weight_patterns import fixed_ratios


def make_plan(
    profile: ModelProfile,
    folder: Path,
    asked: PruningPlan,
    *,
    scores: ChannelScores | None = None,
    influences: Mapping[str, float] | None = None,
) -> PruningPlan:
    """Meet the target of a request for a model, and check the plan against it.

    Args:
        profile: The model.
        folder: Where the profile's arrays are.
        asked: The request. Its target is met with what its ``ratios`` and ``removed`` leave
            open; without a target they are all, or for N:M without ratios the layers that the
            pattern applies to.
        scores: What the criterion says (channels); by default what is stored in ``folder``.
        influences: What each removable block changes, by id; needed for a target (layers).

    Raises:
        PlanError: The target cannot be reached, or a setting does not fit the model.
        MismatchError: The request is for another model.
    """
    by_hand = tuple(asked.ratios) if asked.method == "weights" else ()
    plan = replace(asked, model=asked.model or profile.digest, fixed=by_hand)
    # Before solving: a wrong name or range of what the user set is told at once.
    check_plan(profile, plan)
    if plan.method == "layers":
        return plan if plan.target is None else _with_blocks(profile, plan, influences)
    opened = profile.requested(plan.on_request)
    if plan.method == "channels":
        scores = scores or known_scores(opened, folder, plan.criterion, plan.training.seed)
        require_applicable(opened, scores)
        require_scored(plan, scores)
    elif plan.pattern_of_zeros.fixed is not None:
        plan = _with_fixed_ratios(profile, plan)
    if plan.target is None:
        return plan
    solution = solve(
        opened,
        folder,
        method=plan.method,
        target=plan.target,
        scope=plan.scope,
        criterion=plan.criterion,
        locked=plan.locked,
        fixed=plan.ratios,
        round_to=plan.round_to,
        scores=scores,
        pattern=plan.pattern_of_zeros,
    )
    return plan.with_ratios(solution.ratios)


def _with_blocks(
    profile: ModelProfile, plan: PruningPlan, influences: Mapping[str, float] | None
) -> PruningPlan:
    """The plan with the blocks that meet its target, those set by hand among them."""
    assert plan.target is not None
    chosen = choose_blocks(profile, plan.target, influences, locked=plan.locked, fixed=plan.removed)
    return replace(plan, removed=chosen)


def _with_fixed_ratios(profile: ModelProfile, plan: PruningPlan) -> PruningPlan:
    """The plan with the share of zeros that N:M has, in the layers set by hand or in all."""
    everywhere = fixed_ratios(profile, plan.pattern_of_zeros)
    if plan.target is None and not plan.ratios:
        return plan.with_ratios({n: r for n, r in everywhere.items() if n not in plan.locked})
    return plan.with_ratios(
        {name: everywhere[name] if ratio > 0 else 0.0 for name, ratio in plan.ratios.items()}
    )
