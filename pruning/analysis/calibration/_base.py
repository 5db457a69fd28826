"""The contract of a statistic: what a criterion needs from a model besides its kernels.

Criteria are pure NumPy and name what they want in ``Criterion.needs``. What needs the model itself
is gathered here, in a worker, one file per statistic, each with a ``GATHERER`` (or several in
``GATHERERS``); :func:`pruning.analysis.calibration.gather` finds them by name.

A statistic is gathered either *per weight* or *per channel*:

- ``weight``: {weight name: array}. The names are those of
  :func:`pruning.analysis.profiler.kernel_variables` (``"conv/0"``); the array has the weight's
  shape, or one that broadcasts to it.
- ``channel``: {group id: [array, …]}, one array (channels, …) for each place where the group's
  channels were looked at.

What has no such statistic (a group without BatchNorm) is named with its reason, never left out
silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pruning.errors import Cancelled

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

KERNEL = "kernel"  # the kernels themselves: needs no gatherer
BATCH = 32  # samples that run through the model at once

Per = Literal["weight", "channel"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Calibration samples: of the training split, never of those that judge the model.

    Attributes:
        inputs: One array (n, …) per input of the model.
        targets: (n, …) for ``losses``; ``None`` when nobody needs labels.
        losses: (targets, outputs of the model as a list) -> loss of each sample, (batch,), as
            TensorFlow tensors. ``None`` when nobody needs labels.
        seed: Of whatever is drawn while gathering.
        batch: How many samples the model takes at once, where its author fixed that; their number
            is then a multiple of it.
    """

    inputs: tuple[np.ndarray, ...]
    targets: np.ndarray | None = None
    losses: Callable[[Any, Sequence[Any]], Any] | None = None
    seed: int = 0
    batch: int | None = None

    def __len__(self) -> int:
        return len(self.inputs[0])

    def batches(self, size: int = BATCH) -> Iterator[tuple[tuple[np.ndarray, ...], Any]]:
        """Consecutive batches of ``size``, or of the model's own. -> (inputs, targets or None)."""
        size = self.batch or size
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            targets = None if self.targets is None else np.asarray(self.targets[part])
            yield tuple(np.asarray(array[part]) for array in self.inputs), targets


@dataclass(frozen=True)
class Watch:
    """How a gatherer tells how far it is, and learns that it shall stop.

    Attributes:
        report: Told a fraction from 0 to 1, and words.
        should_stop: Asked after each batch.
    """

    report: Callable[[float, str], None] = lambda fraction, words: None
    should_stop: Callable[[], bool] = lambda: False

    def seen(self, done: int, total: int, what: str) -> None:
        """Say that ``done`` of ``total`` samples have been looked at.

        Raises:
            Cancelled: The user asked to stop.
        """
        if self.should_stop():
            raise Cancelled
        self.report(done / max(total, 1), f"{what}: {done:,} of {total:,} calibration samples")


@dataclass(eq=False)
class Found:
    """What one gatherer found.

    Attributes:
        weights: Per weight, see the module's docstring.
        channels: Per channel, likewise.
        reasons: Why a group (or weight) has no such statistic, by its name.
    """

    weights: dict[str, np.ndarray] = field(default_factory=dict)
    channels: dict[str, list[np.ndarray]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Gatherer:
    """One statistic.

    Attributes:
        statistic: Its name, as in ``Criterion.needs``.
        per: What it is known of.
        gather: Analysis, samples (``None`` only when neither samples nor labels are needed), watch
            -> what was found. Runs in a worker; imports TensorFlow inside.
        samples: Needs calibration samples.
        labels: Needs their targets and the loss, too.
    """

    statistic: str
    per: Per
    gather: Callable[[Analysis, Samples | None, Watch], Found]
    samples: bool = False
    labels: bool = False


@dataclass(frozen=True, eq=False)
class Gathered:
    """Everything that was gathered, by the statistic's name.

    Attributes:
        used: How many calibration samples were looked at; 0 when none were needed.
    """

    found: Mapping[str, Found]
    used: int = 0
