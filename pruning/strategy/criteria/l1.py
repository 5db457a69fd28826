"""L1: channels whose filters have the smallest sum of absolute weights go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def l1_norm(rows: np.ndarray) -> np.ndarray:
    """Sum of absolute weights. rows: (channels, values) -> scores: (channels,), larger = keep."""
    scores: np.ndarray = np.abs(rows, dtype=np.float64).sum(axis=1)
    return scores


CRITERION = Criterion(
    name="l1",
    title="L1 magnitude",
    sentence="Removes the channels whose filters have the smallest sum of absolute weights.",
    source="https://arxiv.org/abs/1608.08710",
    kind="channels",
    score=l1_norm,
)
