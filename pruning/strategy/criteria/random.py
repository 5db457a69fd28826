"""Random: channels go by lot; what every other criterion has to beat."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def drawn(noise: np.ndarray) -> np.ndarray:
    """The lots themselves. noise: (channels,) in [0, 1) -> scores: (channels,), larger = keep."""
    scores: np.ndarray = np.asarray(noise, np.float64)
    return scores


CRITERION = Criterion(
    name="random",
    title="Random",
    sentence="Removes channels by lot, the same ones for the same seed, as the mark that every "
    "other criterion has to beat.",
    source="https://arxiv.org/abs/1801.10447",
    kind="channels",
    score=drawn,
    needs=("noise",),
    unit="absolute",
)
