"""Who sets weights to zero during a training: the studio's masks, or TF-MOT's wrappers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from pruning.strategy.schedules import StepSchedule
from pruning.surgery.masks import WeightMasks


class Zeroing(Protocol):
    """What a training asks of it.

    Attributes:
        sparsity: Fraction of zeros under masks at present.
    """

    sparsity: float

    def before_step(self, step: int) -> None:
        """Called before each batch; the first is step 1."""

    def after_step(self, step: int) -> None:
        """Called after each batch."""

    def settled(self, step: int) -> bool:
        """Whether the masks no longer change after ``step``."""

    def finish(self) -> dict[str, np.ndarray]:
        """Leave the model plain, its zeros exact. -> masks by kernel name, True = stays."""


class MaskZeroing:
    """The studio's masks, computed at the schedule's steps, held by constraints in between."""

    def __init__(self, masks: WeightMasks, schedule: StepSchedule) -> None:
        self._masks = masks
        self._schedule = schedule
        self.sparsity = 0.0
        masks.attach()
        self.before_step(0)  # one_shot's only step

    def before_step(self, step: int) -> None:
        """See :class:`Zeroing`."""
        if self._schedule.prunes(step):
            self._masks.update(lambda final: self._schedule.at(step, final)[1])
            self.sparsity = self._masks.sparsity()

    def after_step(self, step: int) -> None:
        """See :class:`Zeroing`."""

    def settled(self, step: int) -> bool:
        """See :class:`Zeroing`."""
        return self._schedule.settled(step)

    def finish(self) -> dict[str, np.ndarray]:
        """See :class:`Zeroing`. An optimizer may have written averages over the zeros."""
        self._masks.apply()
        self._masks.detach()
        return self._masks.arrays()


def plain(model: Any) -> None:
    """Replace -0 by +0 among the weights, which compresses better and reads as zero everywhere."""
    model.set_weights([value + value.dtype.type(0) for value in model.get_weights()])
