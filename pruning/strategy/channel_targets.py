"""Targets of the method *channels*: what cutting leaves of parameters, FLOPs and bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping

import numpy as np

from pruning import quantities
from pruning.analysis.profile import Group, ModelProfile
from pruning.errors import PlanError
from pruning.strategy import cost_table, sizes
from pruning.strategy.allocation import Family, by_score, by_size, uniform
from pruning.strategy.channel_scores import SHOWN, ChannelScores, require_applicable
from pruning.strategy.plan import Scope, Target, TargetKind
from pruning.strategy.problem import Problem, Ratios, asked, nothing_to_prune
from pruning.strategy.scoring import indistinct_groups
from pruning.strategy.selection import kept_count

_ALL = 1 - 1e-9  # a ratio is below 1; the group's minimum says what stays
_CAP = 0.9  # a global threshold may empty a layer: first try to leave a tenth of each


def channel_problem(
    profile: ModelProfile,
    scores: ChannelScores,
    target: Target,
    *,
    scope: Scope,
    locked: Collection[str],
    fixed: Ratios,
    round_to: int,
) -> Problem:
    """State the target as a :class:`Problem` over the channel groups.

    Groups that the criterion does not apply to stay whole.

    Raises:
        PlanError: Everything is locked or frozen, the target counts zeros, or the criterion
            applies to nothing.
    """
    require_applicable(profile, scores)
    free = [
        g
        for g in profile.prunable_groups
        if g.id not in locked and g.id not in fixed and g.id in scores.values
    ]
    if not free:
        raise nothing_to_prune("channel group", len(locked), len(fixed), instead=_instead(profile))
    unscored = [group.id for group in profile.prunable_groups if group.id not in scores.values]
    count = _counter(profile, target.kind)
    original = count(cost_table.full_widths(profile))
    by_id = {group.id: group for group in profile.prunable_groups}

    def left(ratios: Ratios) -> float:
        kept = {
            name: kept_count(by_id[name], ratio, round_to)
            for name, ratio in (*ratios.items(), *fixed.items())
        }
        return count(cost_table.widths(profile, kept)) / original

    def finish(ratios: Ratios) -> dict[str, float]:
        if scope == "uniform":  # one figure everywhere, readable, and not a channel less
            return {name: min(math.ceil(r * 1e6) / 1e6, 0.999999) for name, r in ratios.items()}
        return {name: _exact_ratio(by_id[name], ratio, round_to) for name, ratio in ratios.items()}

    chosen = {group.id: scores.values[group.id] for group in free}
    return Problem(
        families=_families(free, scope, chosen),
        left=left,
        finish=finish,
        goal=target.value,
        fixed=fixed,
        floor=lambda least: _floor_error(profile, target, least, original, unscored),
        notes=indistinct_note(chosen) if scope == "global" else (),
    )


def smallest(profile: ModelProfile, kind: TargetKind) -> float:
    """What is left of ``params``, ``flops`` or ``bytes`` with the fewest channels, 0 to 1."""
    count = _counter(profile, kind)
    fewest = {group.id: group.minimum for group in profile.prunable_groups}
    original = count(cost_table.full_widths(profile))
    return count(cost_table.widths(profile, fewest)) / max(1, original)


def _instead(profile: ModelProfile) -> str:
    """What does something for a model of which no channel can go unasked."""
    blocks = len(profile.removable_blocks)
    layers = f"remove layers ({quantities.plural(blocks, 'block')} can go)" if blocks else ""
    ways = ", ".join(way for way in (_asking(profile), layers) if way)
    text = f"{ways} or zero weights instead" if ways else "zero weights instead"
    return text[0].upper() + text[1:]


def _asking(profile: ModelProfile) -> str:
    """How to cut groups that are cut on request only; empty where there are none."""
    waiting = [g.on_request for g in profile.groups if g.on_request and not g.prunable]
    if not waiting:
        return ""
    groups = quantities.plural(len(waiting), "group")
    return f"allow what is cut on request only ({groups}: {', '.join(sorted(set(waiting)))})"


def _counter(profile: ModelProfile, kind: TargetKind) -> Callable[[np.ndarray], int]:
    if kind == "flops":
        return cost_table.flops_table(profile).total
    if kind == "params":
        return cost_table.params_table(profile).total
    if kind == "bytes":
        weight_bytes = cost_table.bytes_table(profile).total
        return lambda kept: sizes.file_bytes(profile, weight_bytes(kept))
    raise PlanError(
        "Removing channels leaves no zeros: sparsity is not a target of this method.",
        expected="A target in params, flops or bytes, or the method weights.",
        fix="Give for example flops=0.5, or choose the method weights.",
    )


def _families(free: list[Group], scope: Scope, scores: dict[str, np.ndarray]) -> tuple[Family, ...]:
    if scope == "uniform":
        return (uniform([group.id for group in free], _ALL),)
    if scope == "layer":
        return (by_size({group.id: group.channels**2 for group in free}, _ALL),)
    return (by_score(scores, _CAP), by_score(scores, _ALL))


def indistinct_note(scores: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """The note on groups whose channels all have the same score; empty when there are none."""
    same = indistinct_groups(scores)
    if not same:
        return ()
    return (
        f"All channels of {quantities.listed(same, SHOWN)} have the same score: "
        "the criterion cannot tell them apart, and the last ones are removed.",
    )


def _exact_ratio(group: Group, ratio: float, round_to: int) -> float:
    kept = kept_count(group, ratio, round_to)
    return (group.channels - kept) / group.channels


def _floor_error(
    profile: ModelProfile, target: Target, least: float, original: int, unscored: list[str]
) -> PlanError:
    """The target cannot be reached; ``unscored`` groups stay whole under this criterion."""
    whole = {"params": profile.floor_params, "flops": profile.floor_flops}.get(target.kind)
    if whole is not None and whole >= round(least * original):
        asking = _asking(profile)
        fix = f"Raise the target, or {asking}." if asking else "Raise the target."
        limits = "with one channel left in every group"
    else:
        limits = "with these locks, ratios and rounding"
        fix = "Raise the target, unlock groups, or round channel counts less (round_to)."
        if unscored:
            named = quantities.listed(unscored, SHOWN)
            limits += f", and {named} whole, to which the criterion does not apply"
            fix = (
                "Raise the target, unlock groups, or choose a criterion that applies to all groups."
            )
        if whole:
            limits += f" (with nothing locked: {_reachable(whole / original)})"
    return PlanError(
        f"The target {asked(target)} lies below what removing channels can reach.",
        expected=f"At least {target.kind}={_reachable(least)} {limits}.",
        fix=fix,
    )


def _reachable(fraction: float) -> str:
    """A fraction as text, rounded up: given as a target it can be reached."""
    return f"{math.ceil(fraction * 1000) / 1000:g}"
