"""Distribution of a layer's kernel values."""

from __future__ import annotations

import numpy as np

from pruning.analysis.profile import WeightStats

BINS = 40


def weight_stats(kernels: list[np.ndarray]) -> WeightStats | None:
    """Describe all values of ``kernels`` (any shapes) together; ``None`` without values.

    The histogram has ``BINS`` equal bins from minimum to maximum.
    """
    kernels = [kernel for kernel in kernels if kernel.size]
    if not kernels:
        return None
    values = np.concatenate([kernel.reshape(-1).astype(np.float32) for kernel in kernels])
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    spread = (low, high) if high > low else (low - 0.5, low + 0.5)
    histogram, edges = np.histogram(values, bins=BINS, range=spread)
    return WeightStats(
        count=int(values.size),
        mean=float(values.mean(dtype=np.float64)),
        std=float(values.std(dtype=np.float64)),
        minimum=low,
        maximum=high,
        histogram=tuple(histogram.tolist()),
        edges=tuple(round(edge, 9) for edge in edges.tolist()),
    )


def zero_fraction(kernels: list[np.ndarray]) -> float:
    """Fraction of exact zeros among all values; 0 without values."""
    count = sum(kernel.size for kernel in kernels)
    zeros = sum(kernel.size - int(np.count_nonzero(kernel)) for kernel in kernels)
    return zeros / count if count else 0.0
