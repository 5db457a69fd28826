"""What a model takes before anything is pruned, and how much of it a cut can save.

A part of the time does not shrink with the FLOPs: every operation has a price of its own, and a
recurrent layer pays it at each step; widths that are no multiple of 4 or 8 are slow. How large that
part is tells a cut to about half of the FLOPs, the target that plans begin with, timed beside the
whole model: the latency of any other cut is estimated on the line through both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.analysis.profiler import Analysis
from pruning.comparison.latency import measure, measure_one
from pruning.comparison.result import Latency
from pruning.strategy import cost_table
from pruning.strategy.plan import PruningPlan
from pruning.strategy.selection import kept_channels
from pruning.surgery.channels import cut

SMALL = 5_000_000  # parameters; the time of larger models follows their FLOPs, see benchmarks.md
_RATIO = 0.3  # of the channels: half of the FLOPs, and widths as plans have them, seldom round


def time_before(analysis: Analysis, sample: Sequence[np.ndarray]) -> tuple[Latency, float]:
    """Time a model, and tell which share of its latency no cut takes away.

    Args:
        analysis: Of the model.
        sample: One array of shape (1, …) for each input.

    Returns:
        Its latency, and the share from 0 to 1; 0 where nobody can tell, because the model is
        large, has no channels to remove, or does not run in LiteRT.
    """
    if analysis.profile.params <= SMALL and (smaller := _cut(analysis)) is not None:
        model, flops = smaller
        before, after = measure(analysis.model, model, sample)
        if before.median_ms and after.median_ms:
            return before, fixed_share(after.median_ms / before.median_ms, flops)
    return measure_one(analysis.model, sample), 0.0


def fixed_share(latency: float, flops: float) -> float:
    """The share of the latency that stays when no FLOPs are left, on a line through two points.

    Args:
        latency: What a cut leaves of the latency, 1: all of it.
        flops: What it leaves of the FLOPs, below 1.
    """
    return min(1.0, max(0.0, (latency - flops) / (1 - flops)))


def _cut(analysis: Analysis) -> tuple[Any, float] | None:
    """The model with fewer of all its channels, whichever, and what is left of its FLOPs."""
    profile = analysis.profile
    groups = profile.prunable_groups
    plan = PruningPlan(profile.digest, ratios=dict.fromkeys((g.id for g in groups), _RATIO))
    kept = kept_channels(profile, plan, {g.id: np.zeros(g.channels) for g in groups})
    widths = cost_table.widths(profile, {name: len(indices) for name, indices in kept.items()})
    flops = int(cost_table.flops_table(profile).by_layer(widths).sum())
    if not flops < profile.flops:
        return None
    return cut(analysis, kept).model, flops / profile.flops
