"""How a scope shares out what is removed: families of ratios with one knob, the strength.

A family maps a strength in [0, 1] to one ratio for each name. It removes nothing at 0, all it may
at 1, and never less at a greater strength, so that a solver can bisect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

Family = Callable[[float], dict[str, float]]


def uniform(names: Sequence[str], cap: float) -> Family:
    """The same ratio everywhere."""
    return lambda strength: dict.fromkeys(names, min(strength, cap))


def by_size(sizes: Mapping[str, int], cap: float) -> Family:
    """Larger ones lose more: the kept share falls with the square root of the size.

    For a layer with as many inputs as outputs this is the Erdős-Rényi allocation of sparse training
    (arXiv:1707.04780).

    Args:
        sizes: Weights of each layer, or for channels their squared number, since the weights
            grow with the square of the width.
        cap: Largest ratio.
    """
    shares = {name: 1 / np.sqrt(max(size, 1)) for name, size in sizes.items()}
    least = min(shares.values())

    def ratios(strength: float) -> dict[str, float]:
        return {
            name: min(1 - min(1.0, (1 - strength) * float(share / least)), cap)
            for name, share in shares.items()
        }

    return ratios


def by_score(scores: Mapping[str, np.ndarray], cap: float) -> Family:
    """One threshold for all channels: those with the lowest scores go, wherever they are.

    Args:
        scores: Group id -> (channels,), comparable between groups, larger = keep.
        cap: Largest ratio, which keeps a group from being emptied.
    """
    names = list(scores)
    owner = np.concatenate([np.full(len(scores[name]), i) for i, name in enumerate(names)])
    order = np.argsort(np.concatenate([scores[name] for name in names]), kind="stable")
    ranked = owner[order]

    def ratios(strength: float) -> dict[str, float]:
        below = np.bincount(ranked[: round(strength * len(ranked))], minlength=len(names))
        return {
            name: min(float(count) / len(scores[name]), cap)
            for name, count in zip(names, below, strict=True)
        }

    return ratios


def by_magnitude(
    quantiles: Mapping[str, np.ndarray], counts: Mapping[str, int], cap: float
) -> Family:
    """One threshold for all weights: those nearest to zero go, wherever they are.

    Args:
        quantiles: Layer name -> (n,), evenly spaced quantiles of its absolute weights, ascending.
        counts: Layer name -> number of weights.
        cap: Largest ratio.
    """
    names = list(quantiles)
    values = np.concatenate([quantiles[name] for name in names])
    weights = np.concatenate(
        [np.full(len(quantiles[n]), counts[n] / len(quantiles[n])) for n in names]
    )
    order = np.argsort(values, kind="stable")
    values, shares = values[order], np.cumsum(weights[order]) / weights.sum()

    def ratios(strength: float) -> dict[str, float]:
        threshold = np.interp(strength, shares, values) if strength > 0 else -1.0
        return {name: min(_below(quantiles[name], threshold), cap) for name in names}

    return ratios


def _below(quantiles: np.ndarray, threshold: float) -> float:
    grid = np.linspace(0, 1, len(quantiles))
    return float(np.interp(threshold, quantiles, grid, left=0.0, right=1.0))
