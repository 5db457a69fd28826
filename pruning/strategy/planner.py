"""Makes the plan that a target, a table of ratios, or both ask for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
from pruning.strategy.patterns import UNSTRUCTURED, Pooling
from pruning.strategy.plan import (
    Engine,
    Method,
    PruningPlan,
    Schedule,
    Scope,
    Target,
    Training,
)
from pruning.strategy.solver import solve
from pruning.strategy.validation import check_plan
from pruning.strategy.weight_patterns import fixed_ratios

_DEFAULT_CRITERION: dict[Method, str] = {
    "channels": "l1",
    "weights": "magnitude",
    "layers": "block_influence",
}


def make_plan(
    profile: ModelProfile,
    folder: Path,
    *,
    method: Method = "channels",
    criterion: str | None = None,
    scope: Scope = "uniform",
    target: Target | None = None,
    locked: Collection[str] = (),
    ratios: Mapping[str, float] | None = None,
    schedule: Schedule | None = None,
    training: Training | None = None,
    engine: Engine = "studio",
    round_to: int = 1,
    name: str = "",
    on_request: Collection[str] = (),
    calibration_samples: int = PruningPlan.calibration_samples,
    scores: ChannelScores | None = None,
    pattern: str = UNSTRUCTURED,
    block_pooling: Pooling = "average",
    recalibrate: bool = True,
    removed: Collection[str] = (),
    influences: Mapping[str, float] | None = None,
    cuts: int = 1,
) -> PruningPlan:
    """Make a plan and check it against the model.

    Args:
        profile: The model.
        folder: Where the profile's arrays are.
        method: What is removed.
        criterion: What decides; by default ``l1`` for channels, ``magnitude`` for weights,
            ``block_influence`` for layers.
        scope: How a target is shared out.
        target: What to reach; ``None`` takes ``ratios`` alone, or for N:M without ratios all the
            layers that the pattern applies to.
        locked: Groups or layers that stay whole.
        ratios: Ratios that the user set by name; a target is met with the others.
        schedule: When weights are zeroed.
        training: How the model is retrained.
        engine: Who zeroes the weights.
        round_to: Kept channel counts are rounded up to a multiple of this.
        name: Of the plan.
        on_request: Kinds of groups to cut besides those that are cut anyway.
        calibration_samples: What a data-driven criterion looks at, noted in the plan.
        scores: What the criterion says (channels); by default what is stored in ``folder``.
        pattern: Of the zeros, for the method weights.
        block_pooling: How a block is scored.
        recalibrate: Measure BatchNormalization's statistics again after the cut.
        removed: Blocks that the user chose (layers); a target is met with others besides.
        influences: What each removable block changes, by id; needed for a target (layers).
        cuts: In how many cuts the channels go.

    Raises:
        PlanError: The target cannot be reached, or a setting does not fit the model.
    """
    chosen = criterion or _DEFAULT_CRITERION[method]
    # Built before solving, with the user's own ratios: a wrong name or range is told at once.
    own = {key: ratio for key, ratio in (ratios or {}).items() if key not in locked}
    plan = PruningPlan(
        model=profile.digest,
        method=method,
        criterion=chosen,
        scope=scope,
        ratios=own,
        locked=tuple(locked),
        target=target,
        schedule=schedule or Schedule(),
        training=training or Training(),
        engine=engine,
        round_to=round_to,
        name=name,
        on_request=tuple(on_request),
        calibration_samples=calibration_samples,
        pattern=pattern,
        block_pooling=block_pooling,
        fixed=tuple(own) if method == "weights" else (),
        recalibrate=recalibrate,
        removed=tuple(removed),
        cuts=cuts,
    )
    check_plan(profile, plan)
    opened, zeros = profile.requested(on_request), plan.pattern_of_zeros
    if method == "channels":
        scores = scores or known_scores(opened, folder, chosen, plan.training.seed)
        require_applicable(opened, scores)
        require_scored(plan, scores)
    if zeros.fixed is not None:
        everywhere = fixed_ratios(profile, zeros)
        own = {name: everywhere[name] if ratio > 0 else 0.0 for name, ratio in own.items()}
        plan = plan.with_ratios(own)
        if target is None and not own:
            return plan.with_ratios({n: r for n, r in everywhere.items() if n not in locked})
    if target is None:
        return plan
    if method == "layers":
        chosen_blocks = choose_blocks(profile, target, influences, locked=locked, fixed=removed)
        return replace(plan, removed=chosen_blocks)
    solution = solve(
        opened,
        folder,
        method=method,
        target=target,
        scope=scope,
        criterion=chosen,
        locked=locked,
        fixed=own,
        round_to=round_to,
        scores=scores,
        pattern=zeros,
    )
    return plan.with_ratios(solution.ratios)


def default_criterion(method: Method) -> str:
    """The criterion that a new plan starts with."""
    return _DEFAULT_CRITERION[method]
