"""What a method gives to the solver: ratios that grow with one knob, and what they leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pruning import quantities
from pruning.errors import PlanError
from pruning.strategy.allocation import Family
from pruning.strategy.plan import Target

Ratios = Mapping[str, float]


@dataclass(frozen=True)
class Problem:
    """One target for one model.

    Attributes:
        families: Tried in this order; a later one may remove more.
        left: Ratios -> the fraction that is left; never grows with any ratio.
        finish: Ratios -> the ratios to store: as they are read by a person, and never removing
            less where ``left`` is counted in whole channels.
        goal: The fraction that may be left.
        fixed: Ratios that the user set.
        floor: Smallest fraction left -> the error that says what can be reached.
        notes: What a user should know of the choice, in sentences.
    """

    families: tuple[Family, ...]
    left: Callable[[Ratios], float]
    finish: Callable[[Ratios], dict[str, float]]
    goal: float
    fixed: Ratios
    floor: Callable[[float], PlanError]
    notes: tuple[str, ...] = ()


def asked(target: Target) -> str:
    """A target as a command and as the page say it: ``flops=0.5, 50.0 % of the FLOPs,``."""
    what = {"flops": "the FLOPs", "params": "the parameters", "bytes": "the file size"}
    of = what.get(target.kind, "the weights")
    return f"{target.kind}={target.value:g}, {quantities.percent(target.value)} of {of},"


def nothing_to_prune(
    what: str, locked: int, fixed: int, *, instead: str = "Try another method"
) -> PlanError:
    """The error for a model of which nothing may be changed.

    Args:
        what: ``channel group``, ``layer``: what the method changes.
        locked: How many of them are locked.
        fixed: How many have a ratio of the user's own.
        instead: What to do where the model has none, the start of a sentence.
    """
    if locked or fixed:
        happened = f"No {what} is left to prune: {locked} locked, {fixed} with a ratio of your own."
        fix = f"Unlock a {what}, or let the studio choose its ratio."
    else:
        happened = f"This model has no {what} that can be pruned."
        fix = f"{instead}; the layers page says why each layer is left whole."
    return PlanError(happened, expected=f"At least one {what} that may change.", fix=fix)
