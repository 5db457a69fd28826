"""BatchNorm scale: channels that BatchNormalization multiplies by the smallest factors go first.

A factor means something beside those of the same BatchNormalization only, for the weights of the
next layer can undo it: unlike in the paper, whose models were trained towards small factors.
"""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def absolute_factor(gamma: np.ndarray) -> np.ndarray:
    """Mean absolute factor. gamma: (channels, k) -> scores: (channels,), larger = keep."""
    scores: np.ndarray = np.abs(gamma, dtype=np.float64).mean(axis=1)
    return scores


CRITERION = Criterion(
    name="bn_scale",
    title="BatchNorm scale",
    sentence="Removes the channels that the BatchNormalization behind them multiplies by the "
    "smallest factors.",
    source="https://arxiv.org/abs/1708.06519",
    kind="channels",
    score=absolute_factor,
    needs=("gamma",),
)
