"""Taylor: channels whose removal changes the loss least, by its first derivative, go first.

The variant with gates: a factor 1 in front of each channel, behind its activation function. To
first order, setting it to 0 changes the loss of one sample by the factor's derivative; the score is
the mean over the samples of its square.
"""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def mean_squared_change(loss_changes: np.ndarray) -> np.ndarray:
    """Mean of squares. loss_changes: (channels, samples) -> scores: (channels,), larger = keep."""
    scores: np.ndarray = np.square(loss_changes, dtype=np.float64).mean(axis=1)
    return scores


CRITERION = Criterion(
    name="taylor",
    title="Taylor",
    sentence="Removes the channels without which the loss on calibration samples changes least, "
    "as its first derivative tells.",
    source="https://arxiv.org/abs/1906.10771",
    kind="channels",
    score=mean_squared_change,
    needs=("loss_changes",),
    unit="absolute",
)
