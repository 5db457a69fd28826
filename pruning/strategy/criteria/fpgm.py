"""FPGM: channels whose filters are nearest to all the others, hence replaceable, go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion

_ROWS = 1024  # filters that are compared with as many others at once: bounds the memory


def distances(rows: np.ndarray) -> np.ndarray:
    """Sum of distances to all filters. rows: (channels, values) -> scores: (channels,).

    The geometric median is the point with the smallest such sum; what lies near it adds little to
    the others. Distances come from matrix products of blocks, |a-b|² = |a|² + |b|² - 2a·b, so that
    channels² × values differences are never held.
    """
    points = np.asarray(rows, np.float32)
    largest = float(np.abs(points).max(initial=0)) or 1.0
    points = points / np.float32(largest)
    points -= points.mean(axis=0, dtype=np.float64)  # shorter vectors: fewer digits cancel
    squares = np.square(points).sum(axis=1)
    scores = np.zeros(len(points))
    starts = range(0, len(points), _ROWS)
    for first in starts:
        one = slice(first, first + _ROWS)
        for second in starts[first // _ROWS :]:
            other = slice(second, second + _ROWS)
            squared = points[one] @ (-2 * points[other]).T
            squared += squares[one, None]
            squared += squares[other]
            # What is left of equal filters is rounding, far below any real distance.
            squared[squared < 1e-6 * (squares[one, None] + squares[other])] = 0
            np.sqrt(squared, out=squared)
            scores[one] += squared.sum(axis=1)
            if other != one:
                scores[other] += squared.sum(axis=0)
    return scores * largest


CRITERION = Criterion(
    name="fpgm",
    title="Geometric median",
    sentence="Removes the channels whose filters lie nearest to all the others, so that those can "
    "take their place.",
    source="https://arxiv.org/abs/1811.00250",
    kind="channels",
    score=distances,
    stored=False,  # channels² × values: seconds for VGG16, where the others take none
)
