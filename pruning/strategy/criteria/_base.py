"""Contract of a criterion: what decides which weights or channels matter least. NumPy only.

One file per criterion, each with a ``CRITERION``. The page, the command line and the tests find it
there; nothing else has to be edited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pruning.analysis.calibration import needs_samples
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
        score: Larger = keep; never negative, but for ``movement`` and ``layers``. It is handed the
            statistics of ``needs``, in that order. ``channels``: arrays with one row per channel
            -> (channels,). ``weights``: the kernel (any shape), and arrays of that shape or
            broadcast to it -> the same shape. ``layers``: what is seen before and after a block,
            (2, …), whose scores are averaged; their files say what.
        needs: Names of statistics: ``kernel``, ``noise`` (see :mod:`pruning.strategy.scoring`), or
            what is gathered in :mod:`pruning.analysis.calibration`. None for ``layers``.
        unit: ``relative``: scores mean something beside those of the same kernel only, and are
            divided by their mean. ``absolute``: the same number means the same in every group.
        stored: Scored while a model is analysed, if it needs no data; else when it is asked for.
    """

    name: str
    title: str
    sentence: str
    source: str
    kind: Method
    score: Callable[..., np.ndarray]
    needs: tuple[str, ...] = ("kernel",)
    unit: Literal["relative", "absolute"] = "relative"
    stored: bool = True

    @property
    def data_driven(self) -> bool:
        """It needs samples of the data."""
        return self.kind == "layers" or needs_samples(self.needs)
