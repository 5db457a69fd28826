"""L2: channels whose filters have the smallest Euclidean norm go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def l2_norm(rows: np.ndarray) -> np.ndarray:
    """Euclidean norm. rows: (channels, values) -> scores: (channels,), larger = keep."""
    scores: np.ndarray = np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1))
    return scores


CRITERION = Criterion(
    name="l2",
    title="L2 magnitude",
    sentence="Removes the channels whose filters have the smallest length, so that one large "
    "weight is enough to keep a channel.",
    source="https://arxiv.org/abs/1808.06866",
    kind="channels",
    score=l2_norm,
)
