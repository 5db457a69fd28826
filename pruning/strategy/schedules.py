"""When weights are zeroed during training: pure functions of the step, those of TF-MOT.

:func:`constant_sparsity` and :func:`polynomial_decay` answer ``(should_prune, sparsity)`` for a
step exactly as ``tfmot.sparsity.keras.ConstantSparsity`` and ``PolynomialDecay`` do
(arXiv:1710.01878), in NumPy, so that the server can draw them.

A plan gives begin and end as fractions of the training. :func:`resolve` turns them into steps. In
training, steps count from 1, as TF-MOT's do: step 1 is the first batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pruning.strategy.plan import Schedule, ScheduleKind

FEWEST_UPDATES = 4  # a short training still approaches its sparsity in so many steps


def is_pruning_step(step: int, *, begin: int, end: int, frequency: int) -> bool:
    """Whether masks are computed at ``step``. ``end`` < 0: for ever."""
    in_range = step >= begin and (step <= end or end < 0)
    return in_range and (step - begin) % frequency == 0


def constant_sparsity(
    step: int, *, final: float, begin: int, end: int = -1, frequency: int = 100
) -> tuple[bool, float]:
    """TF-MOT's ``ConstantSparsity``. -> (should prune, sparsity)."""
    return is_pruning_step(step, begin=begin, end=end, frequency=frequency), float(
        np.float32(final)
    )


def polynomial_decay(
    step: int,
    *,
    initial: float,
    final: float,
    begin: int,
    end: int,
    power: float = 3.0,
    frequency: int = 100,
) -> tuple[bool, float]:
    """TF-MOT's ``PolynomialDecay``, in float32 as it is there. -> (should prune, sparsity).

    ``final + (initial - final) * (1 - progress) ** power``; with ``begin == end`` the sparsity is
    ``final`` from that step on (TF-MOT divides by zero there and gets NaN at the step itself).
    """
    if begin == end:
        progress = np.float32(step >= begin)
    else:
        progress = np.clip(np.float32(step - begin) / np.float32(end - begin), 0, 1)
    left = np.power(np.float32(1) - np.float32(progress), np.float32(power))
    sparsity = np.float32(initial - final) * left + np.float32(final)
    return is_pruning_step(step, begin=begin, end=end, frequency=frequency), float(sparsity)


@dataclass(frozen=True)
class StepSchedule:
    """A schedule in steps.

    Attributes:
        begin, end: First and last step at which masks are computed; ``end - begin`` is a multiple
            of ``frequency``, so that the last one reaches the final sparsity.
        frequency: In steps.
    """

    kind: ScheduleKind
    initial: float
    begin: int
    end: int
    frequency: int
    power: float

    def at(self, step: int, final: float) -> tuple[bool, float]:
        """Whether masks are computed at ``step``, and with which sparsity, for a ``final`` one."""
        if self.kind == "polynomial":
            return polynomial_decay(
                step,
                initial=min(self.initial, final),
                final=final,
                begin=self.begin,
                end=self.end,
                power=self.power,
                frequency=self.frequency,
            )
        return constant_sparsity(
            step, final=final, begin=self.begin, end=self.end, frequency=self.frequency
        )

    def prunes(self, step: int) -> bool:
        """Whether masks are computed at ``step``."""
        return is_pruning_step(step, begin=self.begin, end=self.end, frequency=self.frequency)

    def settled(self, step: int) -> bool:
        """Whether the masks no longer change after ``step``."""
        return step >= self.end


def resolve(schedule: Schedule, total_steps: int) -> StepSchedule:
    """Turn fractions of a training of ``total_steps`` steps into steps.

    ``one_shot`` is step 0: before the first batch. Otherwise the first step is at least 1, because
    training never sees step 0. When the frequency leaves fewer than four updates between begin and
    end it is shortened; the end moves back to the last update, so that the final sparsity is
    reached and not merely approached.
    """
    if schedule.kind == "one_shot" or total_steps == 0:
        return StepSchedule("one_shot", schedule.initial_sparsity, 0, 0, 1, schedule.power)
    begin = min(max(1, round(schedule.begin * total_steps)), total_steps)
    end = min(max(begin, round(schedule.end * total_steps)), total_steps)
    frequency = min(schedule.frequency, max(1, (end - begin) // FEWEST_UPDATES))
    return StepSchedule(
        kind=schedule.kind,
        initial=schedule.initial_sparsity,
        begin=begin,
        end=end - (end - begin) % frequency,
        frequency=frequency,
        power=schedule.power,
    )


def sparsity_at(schedule: Schedule, final: float, step: int, total_steps: int) -> float:
    """Sparsity in force after ``step`` of ``total_steps``: that of the last mask computed by then.

    Between two updates TF-MOT's function goes on rising while the masks stay; this is what the
    weights show. 0 before the first update.
    """
    steps = resolve(schedule, total_steps)
    if step < steps.begin:
        return 0.0
    last = min(step, steps.end)
    last -= (last - steps.begin) % steps.frequency
    return steps.at(last, final)[1]


def curve(schedule: Schedule, final: float, total_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The corners of :func:`sparsity_at` as a staircase. -> steps int64 (n,), sparsities (n,)."""
    steps = resolve(schedule, total_steps)
    corners = {0, *range(steps.begin, steps.end + 1, steps.frequency), total_steps}
    at = np.array(sorted(corners), np.int64)
    return at, np.array([sparsity_at(schedule, final, int(s), total_steps) for s in at])
