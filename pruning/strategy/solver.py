"""From one target to a ratio for every group or layer.

A scope is a family of ratios with one knob (:mod:`pruning.strategy.allocation`). What is left
never grows with the knob, so bisection finds the smallest strength that meets the target: the
result is at or below the target, and the closest that this scope can come.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pruning.analysis.profile import ModelProfile
from pruning.strategy.allocation import Family
from pruning.strategy.channel_scores import ChannelScores, known_scores
from pruning.strategy.channel_targets import channel_problem
from pruning.strategy.patterns import Pattern
from pruning.strategy.plan import Method, Scope, Target
from pruning.strategy.problem import Problem, Ratios
from pruning.strategy.weight_targets import weight_problem

_BISECTIONS = 40  # 2**-40: far below the resolution of any ratio
_ROUNDING = 1e-12  # of a fraction that is left, summed in floating point


@dataclass(frozen=True)
class Solution:
    """Ratios that meet a target.

    Attributes:
        ratios: Fraction to remove or zero by group id or layer name, the user's own included.
        requested: The target.
        achieved: What the ratios come to, in the target's unit. For the method channels at most
            ``requested.value``.
        notes: What a user should know of the choice, in sentences.
    """

    ratios: dict[str, float]
    requested: Target
    achieved: float
    notes: tuple[str, ...] = ()


def solve(
    profile: ModelProfile,
    folder: Path,
    *,
    method: Method,
    target: Target,
    scope: Scope = "uniform",
    criterion: str | None = None,
    locked: Collection[str] = (),
    fixed: Ratios | None = None,
    round_to: int = 1,
    scores: ChannelScores | None = None,
    pattern: Pattern | None = None,
) -> Solution:
    """Find the ratios that meet ``target`` as closely from below as the scope allows.

    Args:
        profile: The model.
        folder: Where its ``scores_*.npy`` and ``magnitudes.npy`` are.
        method: What is removed.
        target: What is to be reached. For the method weights ``params`` counts the weights that
            are not zero, and ``bytes`` the compressed file (estimated).
        scope: How it is shared out.
        criterion: Whose scores the global scope compares; ``l1`` or ``magnitude`` by default.
        locked: Groups or layers that stay whole.
        fixed: Ratios that the user set; the others are solved for.
        round_to: Kept channel counts are rounded up to a multiple of this.
        scores: What the criterion says (channels); by default what is stored in ``folder``.
        pattern: Of the zeros (weights); single ones by default.

    Raises:
        PlanError: The target cannot be reached (with the floor), everything is locked or frozen,
            or the method does not change what the target counts.
    """
    own = {name: ratio for name, ratio in (fixed or {}).items() if name not in locked}
    if method == "channels":
        problem = channel_problem(
            profile,
            scores or known_scores(profile, folder, criterion or "l1"),
            target,
            scope=scope,
            locked=locked,
            fixed=own,
            round_to=round_to,
        )
    else:
        problem = weight_problem(
            profile,
            folder,
            target,
            scope=scope,
            locked=locked,
            fixed=own,
            criterion=criterion or "magnitude",
            pattern=pattern,
        )
    ratios = problem.finish(_meet(problem))
    left = problem.left(ratios)
    achieved = 1 - left if target.kind == "sparsity" else left
    return Solution({**ratios, **own}, target, achieved, problem.notes)


def _meet(problem: Problem) -> dict[str, float]:
    least = 1.0
    for family in problem.families:
        least = problem.left(family(1.0))
        if least <= problem.goal + _ROUNDING:
            return family(_smallest_strength(problem, family))
    raise problem.floor(least)


def _smallest_strength(problem: Problem, family: Family) -> float:
    """Bisect; the upper end always meets the goal."""
    low, high = 0.0, 1.0
    if problem.left(family(low)) <= problem.goal:
        return low
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if problem.left(family(middle)) <= problem.goal + _ROUNDING:
            high = middle
        else:
            low = middle
    return high
