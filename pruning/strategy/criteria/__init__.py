"""Criteria: what decides which channels or weights matter least; one file each."""

from __future__ import annotations

from pruning.errors import PlanError
from pruning.plugins import plugins
from pruning.strategy.criteria._base import Criterion
from pruning.strategy.plan import Method

__all__ = ["Criterion", "criteria", "criterion"]


def criteria(kind: Method | None = None) -> dict[str, Criterion]:
    """All criteria, or those for one method, by name in alphabetical order."""
    found: list[Criterion] = [module.CRITERION for module in plugins(__name__)]
    return {each.name: each for each in found if kind in (None, each.kind)}


def criterion(name: str, kind: Method) -> Criterion:
    """Return the criterion of that name for that method.

    Raises:
        PlanError: There is none.
    """
    known = criteria(kind)
    if name not in known:
        raise PlanError(
            f"The method {kind} has no criterion {name!r}.",
            expected=f"One of {', '.join(known)}.",
            fix="Choose a criterion from that list.",
        )
    return known[name]
