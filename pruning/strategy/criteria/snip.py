"""SNIP: single weights whose removal changes the loss least, to first order, go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def connection_sensitivity(kernel: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """``|w · ∂ loss / ∂ w|``. Both (any shape) -> the same shape, larger = keep.

    The paper divides by the sum over all weights, which changes no order.
    """
    scores: np.ndarray = np.abs(kernel * gradient)
    return scores


CRITERION = Criterion(
    name="snip",
    title="SNIP",
    sentence="Zeroes the weights whose removal would change the loss least, told from one look at "
    "its gradient on calibration samples.",
    source="https://arxiv.org/abs/1810.02340",
    kind="weights",
    score=connection_sensitivity,
    needs=("kernel", "gradient"),
    unit="absolute",
)
