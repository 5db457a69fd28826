"""APoZ: channels that are zero most often (average percentage of zeros) go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def share_not_zero(zeros: np.ndarray) -> np.ndarray:
    """1 - APoZ. zeros: (channels, samples), shares -> scores: (channels,), larger = keep."""
    scores: np.ndarray = np.clip(1.0 - zeros.mean(axis=1, dtype=np.float64), 0.0, 1.0)
    return scores


CRITERION = Criterion(
    name="apoz",
    title="Zero activations",
    sentence="Removes the channels that are exactly zero most often, behind their ReLU, while "
    "calibration samples run through the model.",
    source="https://arxiv.org/abs/1607.03250",
    kind="channels",
    score=share_not_zero,
    needs=("zeros",),
    unit="absolute",
)
