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

    Among equal scores every group gives its share: where all channels score alike, as with the
    factors of a fresh BatchNorm, this is the same ratio everywhere, and no group is emptied first.

    Args:
        scores: Group id -> (channels,), comparable between groups, larger = keep.
        cap: Largest ratio, which keeps a group from being emptied.
    """
    names = list(scores)
    owner = np.concatenate([np.full(len(scores[name]), i) for i, name in enumerate(names)])
    values = np.concatenate([scores[name] for name in names])
    ties = np.concatenate([_place_among_equals(scores[name]) for name in names])
    ranked = owner[np.lexsort((ties, values))]

    def ratios(strength: float) -> dict[str, float]:
        below = np.bincount(ranked[: round(strength * len(ranked))], minlength=len(names))
        return {
            name: min(float(count) / len(scores[name]), cap)
            for name, count in zip(names, below, strict=True)
        }

    return ratios


def _place_among_equals(scores: np.ndarray) -> np.ndarray:
    """Where a channel stands among those of its group with its score. -> (channels,) in (0, 1)."""
    _, index, counts = np.unique(scores, return_inverse=True, return_counts=True)
    order = np.argsort(index, kind="stable")
    starts = np.cumsum(counts) - counts
    place = np.empty(len(scores))
    place[order] = np.arange(len(scores)) - starts[index[order]] + 0.5
    shares: np.ndarray = place / counts[index]
    return shares


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
    table = np.stack([quantiles[name] for name in names]).astype(np.float64)
    weight = np.repeat([counts[name] / table.shape[1] for name in names], table.shape[1])
    order = np.argsort(table, axis=None, kind="stable")
    values, shares = table.ravel()[order], np.cumsum(weight[order]) / weight.sum()

    def ratios(strength: float) -> dict[str, float]:
        threshold = float(np.interp(strength, shares, values)) if strength > 0 else -1.0
        below = np.minimum(_fraction_below(table, threshold), cap)
        return dict(zip(names, below.tolist(), strict=True))

    return ratios


def _fraction_below(table: np.ndarray, threshold: float) -> np.ndarray:
    """Inverse of the quantile function of each row. table: (layers, n) -> (layers,), 0 to 1."""
    last = table.shape[1] - 1
    above = np.clip((table <= threshold).sum(axis=1), 1, last)
    rows = np.arange(len(table))
    low, high = table[rows, above - 1], table[rows, above]
    step = np.where(high > low, high - low, 1.0)
    place: np.ndarray = np.clip((above - 1 + (threshold - low) / step) / last, 0, 1)
    return np.where(table[:, -1] <= threshold, 1.0, np.where(table[:, 0] > threshold, 0.0, place))
