"""A schedule of cuts: the channels of a plan, removed little by little.

A deep cut leaves little to retrain from. In several cuts, with some training between them, the
model recovers from each, and each is chosen by the weights as they are by then (iterative pruning:
https://arxiv.org/abs/1506.02626 for weights, https://arxiv.org/abs/1611.06440 for channels).
Every cut removes the same share of what is left, so that the last one is not the deepest:

    left after cut k of n  =  (1 - ratio) ^ (k / n)

The widths after the last cut are those of the plan, whatever the number of cuts.
"""

from __future__ import annotations

from collections.abc import Mapping

from pruning.analysis.profile import ModelProfile
from pruning.strategy.plan import PruningPlan
from pruning.strategy.selection import kept_count


def widths(profile: ModelProfile, plan: PruningPlan, cut: int) -> dict[str, int]:
    """Channels of every group after some of the cuts.

    Args:
        profile: The original model.
        plan: A plan for it, method *channels*.
        cut: How many of ``plan.cuts`` are made, from 0.

    Returns:
        Prunable group id -> channels that are left.
    """
    found = {}
    for group in profile.requested(plan.on_request).prunable_groups:
        ratio = plan.ratios.get(group.id, 0.0)
        reached = ratio if cut == plan.cuts else 1 - (1 - ratio) ** (cut / plan.cuts)
        found[group.id] = kept_count(group, reached, plan.round_to)
    return found


def plan_to(wanted: Mapping[str, int], profile: ModelProfile, plan: PruningPlan) -> PruningPlan:
    """The same plan for a model that is cut already, to widths that are wanted of it.

    Args:
        wanted: Group id -> channels, at most what the group has.
        profile: The model as it is.
        plan: For the original.
    """
    ratios = {
        group.id: 1 - wanted[group.id] / group.channels
        for group in profile.requested(plan.on_request).prunable_groups
        if wanted.get(group.id, group.channels) < group.channels
    }
    return plan.with_ratios(ratios)


def changed(
    before: ModelProfile, kept: Mapping[str, int], after: ModelProfile, plan: PruningPlan
) -> frozenset[str]:
    """Groups that a cut has made others of, so that a later cut would not know them.

    Where a convolution loses some of its groups, what could only go together may go alone.

    Args:
        before: The model before the cut.
        kept: Group id -> channels that it left; a missing group was left whole.
        after: The cut model.
        plan: For the original.

    Returns:
        Ids of groups of ``before``.
    """
    now = {group.id: group for group in after.requested(plan.on_request).groups}
    return frozenset(
        group.id
        for group in before.requested(plan.on_request).prunable_groups
        if group.id not in now
        or now[group.id].channels != kept.get(group.id, group.channels)
        or now[group.id].multiple != group.multiple
        or set(now[group.id].layers) != set(group.layers)
    )
