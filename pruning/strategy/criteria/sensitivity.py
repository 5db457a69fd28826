"""Sensitivity: blocks without which the loss grows least go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def loss_increase(pair: np.ndarray) -> np.ndarray:
    """Growth of the loss without a block.

    Args:
        pair: (2, samples), losses of the whole model before those of the model without the block.

    Returns:
        (samples,), negative where the block did harm; larger = keep. Their mean is the sensitivity.
    """
    scores: np.ndarray = np.asarray(pair[1], np.float64) - np.asarray(pair[0], np.float64)
    return scores


CRITERION = Criterion(
    name="sensitivity",
    title="Sensitivity",
    sentence="Removes the blocks without which the loss on validation samples grows least; each is "
    "left out once and the model evaluated.",
    source="https://arxiv.org/abs/2402.02834",
    kind="layers",
    needs=(),
    score=loss_increase,
)
