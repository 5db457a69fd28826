"""Mean activation: channels that hold the smallest values while samples run through go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def mean_activation(activation: np.ndarray) -> np.ndarray:
    """Mean over samples. activation: (channels, samples) -> scores: (channels,), larger = keep."""
    scores: np.ndarray = activation.mean(axis=1, dtype=np.float64)
    return scores


CRITERION = Criterion(
    name="mean_activation",
    title="Mean activation",
    sentence="Removes the channels whose values are nearest to zero on average while calibration "
    "samples run through the model.",
    source="https://arxiv.org/abs/1611.06440",
    kind="channels",
    score=mean_activation,
    needs=("activation",),
)
