"""Criteria: what decides which channels or weights matter least; one file each."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from pruning.errors import PlanError
from pruning.strategy.criteria._base import Criterion
from pruning.strategy.plan import Method

__all__ = ["Criterion", "criteria", "criterion"]


def criteria(kind: Method | None = None) -> dict[str, Criterion]:
    """All criteria, or those for one method, by name in alphabetical order."""
    return {each.name: each for each in _installed() if kind in (None, each.kind)}


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


@cache
def _installed() -> tuple[Criterion, ...]:
    """Those of this folder's files, which do not change while the program runs."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    modules = [import_module(f"{__name__}.{name}") for name in names if not name.startswith("_")]
    return tuple(module.CRITERION for module in modules)
