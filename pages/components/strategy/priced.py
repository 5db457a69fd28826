"""The plan that the strategy page says, with all that its start and its rivals are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pruning.analysis.profile import ModelProfile
from pruning.runs.library import RunSummary
from pruning.strategy.plan import PruningPlan
from pruning.strategy.prices import Prices


@dataclass(frozen=True)
class Priced:
    """A plan and what it comes to.

    Attributes:
        model: What is pruned.
        plan: What the page says.
        prices: Of that plan.
        data: Ref of the open data: accuracy is measured on it.
        runs: All runs, newest first: what they took and came to is better than any estimate.
    """

    model: ModelProfile
    plan: PruningPlan
    prices: Prices
    data: str | None
    runs: Sequence[RunSummary]
