"""Movement: single weights that training moves towards zero go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def movement_score(movement: np.ndarray) -> np.ndarray:
    """The sum of ``-w · ∂ loss / ∂ w`` over the training steps so far: (any shape), larger = keep.

    Below zero: the weight is moving towards zero. The statistic is gathered while the model is
    retrained, so the schedule must leave steps before the first weights go.
    """
    return movement


CRITERION = Criterion(
    name="movement",
    title="Movement",
    sentence="Zeroes the weights that retraining moves towards zero, whatever their size, so it "
    "decides while the model is retrained.",
    source="https://arxiv.org/abs/2005.07683",
    kind="weights",
    score=movement_score,
    needs=("movement",),
    unit="absolute",
)
