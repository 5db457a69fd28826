"""Contract of a criterion: what decides which weights or channels matter least. NumPy only.

One file per criterion, each with a ``CRITERION``. The page, the command line and the tests find it
there; nothing else has to be edited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pruning.strategy.plan import Method


@dataclass(frozen=True)
class Criterion:
    """One way to score what may be removed.

    Attributes:
        name: As in ``PruningPlan.criterion`` and ``scores_<name>.npy``.
        title: As a person reads it.
        sentence: What it does, in one sentence for a newcomer.
        source: Link to the paper that it comes from.
        kind: The method it serves. A criterion for *channels* scores rows, one for *weights*
            scores single weights.
        score: Larger = keep. ``channels``: kernel rows (channels, values) -> (channels,).
            ``weights``: kernel (any shape) -> the same shape. Never negative.
    """

    name: str
    title: str
    sentence: str
    source: str
    kind: Method
    score: Callable[[np.ndarray], np.ndarray]
