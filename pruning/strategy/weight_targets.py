"""Targets of the method *weights*: the share of zeros, and what that compresses to."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from pathlib import Path

from pruning.analysis.profile import ModelProfile, load_magnitudes
from pruning.errors import PlanError
from pruning.strategy import sizes
from pruning.strategy.allocation import Family, by_magnitude, by_size, uniform
from pruning.strategy.plan import Scope, Target
from pruning.strategy.problem import Problem, Ratios, nothing_to_prune

MOST_ZEROS = 0.999  # of a layer: one weight in a thousand stays


def weight_problem(
    profile: ModelProfile,
    folder: Path,
    target: Target,
    *,
    scope: Scope,
    locked: Collection[str],
    fixed: Ratios,
) -> Problem:
    """State the target as a :class:`Problem` over the maskable layers.

    Raises:
        PlanError: Everything is locked or nothing can be masked, or the target counts FLOPs, which
            zeros do not change.
    """
    counts = kernel_counts(profile)
    free = [name for name in counts if name not in locked and name not in fixed]
    if not free:
        raise nothing_to_prune("layer", len(locked), len(fixed))
    left_of = _counter(profile, counts, target)

    def left(ratios: Ratios) -> float:
        return left_of({**ratios, **fixed})

    def finish(ratios: Ratios) -> dict[str, float]:
        return {name: min(round(ratio, 6), MOST_ZEROS) for name, ratio in ratios.items()}

    return Problem(
        families=(_family(profile, folder, {name: counts[name] for name in free}, scope),),
        left=left,
        finish=finish,
        goal=1 - target.value if target.kind == "sparsity" else target.value,
        fixed=fixed,
        floor=lambda least: _floor_error(target, least),
    )


def kernel_counts(profile: ModelProfile) -> dict[str, int]:
    """Maskable weights of each maskable layer, in the model's order."""
    return {
        layer.name: layer.stats.count
        for layer in profile.layers
        if layer.maskable and layer.stats is not None and layer.stats.count
    }


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


def _family(profile: ModelProfile, folder: Path, counts: dict[str, int], scope: Scope) -> Family:
    if scope == "uniform":
        return uniform(list(counts), MOST_ZEROS)
    if scope == "layer":
        return by_size(counts, MOST_ZEROS)
    rows = load_magnitudes(profile, folder)
    return by_magnitude({name: rows[name] for name in counts}, counts, MOST_ZEROS)


def _floor_error(target: Target, least: float) -> PlanError:
    if target.kind == "sparsity":
        reach = f"At most sparsity={math.floor((1 - least) * 1000) / 1000:g}"
    else:
        reach = f"At least {target.kind}={math.ceil(least * 1000) / 1000:g}"
    return PlanError(
        f"The target {target.kind}={target.value:g} is out of reach of zeroing weights.",
        expected=f"{reach} with these locks and ratios.",
        fix="Choose a milder target, or unlock layers.",
    )
