"""Criteria: what decides which channels or weights matter least; one file each."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from pruning.errors import PlanError
from pruning.strategy.criteria._base import Criterion
from pruning.strategy.plan import Method

__all__ = ["Criterion", "criteria", "criterion"]


def criteria(kind: Method | None = None) -> dict[str, Criterion]:
    """All criteria, or those for one method, by name in alphabetical order."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_"):
            continue
        plugin: Criterion = import_module(f"{__name__}.{module.name}").CRITERION
        if kind in (None, plugin.kind):
            found[plugin.name] = plugin
    return found


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
