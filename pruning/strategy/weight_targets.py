"""Targets of the method *weights*: the share of zeros, and what that compresses to."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from pruning.analysis.profile import ModelProfile, load_magnitudes
from pruning.errors import PlanError
from pruning.strategy import sizes
from pruning.strategy.allocation import Family, by_magnitude, by_size, uniform
from pruning.strategy.patterns import Blocks, Pattern, Unstructured
from pruning.strategy.plan import Scope, Target
from pruning.strategy.problem import Problem, Ratios, nothing_to_prune
from pruning.strategy.weight_patterns import fixed_ratios, kernel_counts, refusals, zero_shares
from pruning.strategy.weight_scores import ESTIMATED, lamp_quantiles
from pruning.strategy.weight_selection import MOST_ZEROS

__all__ = ["kernel_counts", "weight_problem", "zeros_and_parts"]

_ROUNDING = 1e-9  # of a fraction that is left; ratios are kept to six digits


def weight_problem(
    profile: ModelProfile,
    folder: Path,
    target: Target,
    *,
    scope: Scope,
    locked: Collection[str],
    fixed: Ratios,
    criterion: str = "magnitude",
    pattern: Pattern | None = None,
) -> Problem:
    """State the target as a :class:`Problem` over the maskable layers.

    N:M has one share of zeros: the target is met by the number of layers that it is put on.

    Raises:
        PlanError: Everything is locked or nothing can be masked, or the target counts FLOPs, which
            zeros do not change.
    """
    pattern = pattern or Unstructured()
    counts, refused = kernel_counts(profile), refusals(profile, pattern)
    free = [n for n in counts if n not in locked and n not in fixed and n not in refused]
    if not free:
        raise _nothing_free(pattern, refused, locked, fixed)
    left_of = _counter(profile, counts, target)

    def left(ratios: Ratios) -> float:
        chosen = {**ratios, **fixed}
        # The ratios of N:M are the shares that it leaves, counted already.
        shares = zero_shares(profile, pattern, chosen) if pattern.fixed is None else chosen
        return left_of(shares)

    def finish(ratios: Ratios) -> dict[str, float]:
        if isinstance(pattern, Blocks):  # not a block less than the target asks for
            return {n: min(math.ceil(r * 1e6) / 1e6, MOST_ZEROS) for n, r in ratios.items()}
        return {name: min(round(ratio, 6), MOST_ZEROS) for name, ratio in ratios.items()}

    goal = 1 - target.value if target.kind == "sparsity" else target.value
    if pattern.fixed is None:
        free_counts = {name: counts[name] for name in free}
        family = _family(profile, folder, free_counts, scope, criterion)
    else:
        own = fixed_ratios(profile, pattern)
        chosen = _layers({name: own[name] for name in free}, counts, left, goal)
        family = lambda strength: chosen if strength > 0 else {}  # noqa: E731
    return Problem(
        families=(family,),
        left=left,
        finish=finish,
        goal=goal,
        fixed=fixed,
        floor=lambda least: _floor_error(target, least, pattern, refused, counts),
    )


def zeros_and_parts(
    profile: ModelProfile, counts: dict[str, int], ratios: Ratios
) -> list[tuple[int, float]]:
    """``(weights, fraction of zeros)`` of each maskable layer, then of all other weights."""
    already = {layer.name: layer.zeros for layer in profile.layers}
    parts = [(n, max(ratios.get(name, 0.0), already[name])) for name, n in counts.items()]
    return [*parts, (max(profile.params - sum(counts.values()), 0), 0.0)]


def _counter(
    profile: ModelProfile, counts: dict[str, int], target: Target
) -> Callable[[Ratios], float]:
    total = sum(counts.values())
    if target.kind == "sparsity":
        return lambda ratios: 1 - sum(counts[n] * r for n, r in ratios.items()) / total
    if target.kind == "params":
        return lambda ratios: 1 - sum(counts[n] * r for n, r in ratios.items()) / profile.params
    if target.kind == "bytes":
        before = sizes.gzip_bytes(profile, zeros_and_parts(profile, counts, {}))
        return lambda ratios: (
            sizes.gzip_bytes(profile, zeros_and_parts(profile, counts, ratios)) / before
        )
    raise PlanError(
        "Zeros among the weights do not change the FLOPs: the same multiplications are made.",
        expected="A target in sparsity, params (those not zero) or bytes (compressed).",
        fix="Give for example sparsity=0.8, or choose the method channels.",
    )


def _family(
    profile: ModelProfile, folder: Path, counts: dict[str, int], scope: Scope, criterion: str
) -> Family:
    """Of the scope ``global`` an estimate: who carries the plan out has the scores themselves."""
    if scope == "layer":
        return by_size(counts, MOST_ZEROS)
    if scope == "uniform" or criterion not in ESTIMATED:
        return uniform(list(counts), MOST_ZEROS)
    rows = load_magnitudes(profile, folder)
    known = {name: rows[name] for name in counts}
    if criterion == "lamp":
        known = {name: lamp_quantiles(row, counts[name]) for name, row in known.items()}
    return by_magnitude(known, counts, MOST_ZEROS)


def _layers(
    own: Mapping[str, float],
    counts: Mapping[str, int],
    left: Callable[[Ratios], float],
    goal: float,
) -> dict[str, float]:
    """Choose the layers that N:M is put on: together they just meet the goal.

    Larger ones first, each that does not meet the goal yet; then the smallest one that does; in
    the end those that it makes needless are left whole again. Where no choice meets the goal, all.
    """
    met = goal + _ROUNDING
    order = sorted(own, key=lambda name: own[name] * counts[name], reverse=True)
    chosen: dict[str, float] = {}
    for name in order:
        if left(trial := {**chosen, name: own[name]}) > met:
            chosen = trial
    for name in reversed(order):
        if name not in chosen and left(trial := {**chosen, name: own[name]}) <= met:
            chosen = trial
            break
    for name in order:
        fewer = {other: ratio for other, ratio in chosen.items() if other != name}
        if name in chosen and left(fewer) <= met:
            chosen = fewer
    return chosen


def _nothing_free(
    pattern: Pattern, refused: Mapping[str, str], locked: Collection[str], fixed: Ratios
) -> PlanError:
    if not refused or locked or fixed:
        return nothing_to_prune("layer", len(locked), len(fixed))
    name, reason = next(iter(refused.items()))
    return PlanError(
        f"No layer of this model can take the pattern {pattern.text}: of {name!r}, {reason}.",
        expected="At least one layer that the pattern applies to.",
        fix="Choose another pattern, or unstructured, which applies to every kernel.",
    )


def _floor_error(
    target: Target,
    least: float,
    pattern: Pattern,
    refused: Mapping[str, str],
    counts: Mapping[str, int],
) -> PlanError:
    if pattern.fixed is not None:
        return _fixed_error(target, least, pattern, pattern.fixed)
    if target.kind == "sparsity":
        reach = f"At most sparsity={math.floor((1 - least) * 1000) / 1000:g}"
    else:
        reach = f"At least {target.kind}={math.ceil(least * 1000) / 1000:g}"
    fix = "Choose a milder target, or unlock layers."
    if refused:
        lies = f"{pattern.text} lies on {len(counts) - len(refused)} of {len(counts)} layers"
        reach, fix = f"{reach}, for {lies},", f"{fix[:-1]}, or the pattern unstructured."
    return PlanError(
        f"The target {target.kind}={target.value:g} cannot be reached by zeroing weights.",
        expected=f"{reach} with these locks and ratios.",
        fix=fix,
    )


def _fixed_error(target: Target, least: float, pattern: Pattern, share: float) -> PlanError:
    if target.kind == "sparsity":
        reach = f"sparsity={math.floor((1 - least) * 1000) / 1000:g}"
    else:
        reach = f"{target.kind}={math.ceil(least * 1000) / 1000:g}"
    return PlanError(
        f"{pattern.text} zeroes {share:.4g} of each layer it is applied to; on all layers that it "
        f"applies to and that are not locked it comes to {reach}, not to "
        f"{target.kind}={target.value:g}.",
        expected=f"A target no stricter than {reach}, or none: then it is put on all of them.",
        fix="Give no target or a milder one, a pattern with fewer weights left, or unstructured.",
    )
