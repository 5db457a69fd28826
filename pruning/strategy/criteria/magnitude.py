"""Magnitude: single weights nearest to zero go first, as TensorFlow Model Optimization does."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def absolute(kernel: np.ndarray) -> np.ndarray:
    """Absolute value. kernel: (any shape) -> scores: the same shape, larger = keep."""
    scores: np.ndarray = np.abs(kernel)
    return scores


CRITERION = Criterion(
    name="magnitude",
    title="Weight magnitude",
    sentence="Sets the weights that are nearest to zero to exactly zero.",
    source="https://arxiv.org/abs/1710.01878",
    kind="weights",
    score=absolute,
    unit="absolute",
)
