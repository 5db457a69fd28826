"""LAMP: single weights whose square is smallest beside those that would outlive them."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def lamp(kernel: np.ndarray) -> np.ndarray:
    """Layer-adaptive magnitude. kernel: (any shape) -> float64, the same shape, larger = keep.

    ``w² / sum of v²`` over the weights v of the kernel that are not smaller than w, itself
    included; of equal ones the later index counts as larger. The largest weight has the score 1 in
    every kernel, which is what makes kernels comparable: no kernel is emptied by the global scope.
    Zeros score 0. Within a kernel the order is that of the magnitudes.
    """
    squares = np.square(kernel, dtype=np.float64).reshape(-1)
    order = np.argsort(squares, kind="stable")
    ascending = squares[order]
    outliving = np.cumsum(ascending[::-1])[::-1]
    scores = np.zeros_like(squares)
    scores[order] = np.divide(
        ascending, outliving, out=np.zeros_like(ascending), where=outliving > 0
    )
    shaped: np.ndarray = scores.reshape(kernel.shape)
    return shaped


CRITERION = Criterion(
    name="lamp",
    title="LAMP",
    sentence="Zeroes the weights that are smallest beside the larger ones of their layer, which "
    "tells the scope global fairly how much each layer can lose.",
    source="https://arxiv.org/abs/2010.07611",
    kind="weights",
    score=lamp,
    unit="absolute",
)
