"""How fast a training run goes and when it will end, read from its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pruning.strategy.plan import Training

TRAINING_PASSES = (2.0, 7.0)  # forward passes that a step of training takes as long as
LEAST_SHARE = 0.3  # of the time, however few FLOPs are left

WINDOW = 20  # lines: enough to be steady, few enough to follow a machine that slows down


@dataclass(frozen=True)
class Pace:
    """Where training stands.

    Attributes:
        step, steps: Steps done and steps in all.
        epoch: The current epoch, counted from 1.
        steps_per_second: Over the last lines, the first step left out; None before it can be told.
        seconds_left: Estimated; None while it cannot be told.
    """

    step: int
    steps: int
    epoch: int
    steps_per_second: float | None
    seconds_left: float | None


def retraining_seconds(
    answer_seconds: float, flops_left: float, samples: int, training: Training
) -> tuple[float, float]:
    """Estimate how long a retraining takes, before any run of the model has told.

    A step computes a forward pass and about twice as much for the gradients, and the optimizer's
    part besides: measured on the three demos, a sample takes 2.2 to 6.4 times as long to learn
    as to answer. A small model is not faster in proportion, hence the least share.

    Args:
        answer_seconds: How long the original takes to answer one sample, in batches.
        flops_left: Share of its FLOPs that the model has while it is retrained.
        samples: In the training split.
        training: The plan's settings; the original answers as well where it is learned from.

    Returns:
        The shortest and the longest time to expect, in seconds.
    """
    passes = samples * training.epochs * answer_seconds
    own = passes * max(flops_left, LEAST_SHARE)
    teacher = passes if training.distillation or training.feature_matching else 0.0
    low, high = TRAINING_PASSES
    return low * own + teacher, high * own + teacher


def pace(metrics: Sequence[dict[str, Any]]) -> Pace | None:
    """Tell the pace from the lines of ``metrics.jsonl``; None before the first step."""
    lines = [line for line in metrics if line.get("step") is not None]
    if not lines:
        return None
    last = lines[-1]
    # Between the first step and the second Keras makes the graph: seconds that no other step takes.
    lines = [line for line in lines if line["step"] != 1] or lines
    first = lines[-min(WINDOW, len(lines))]
    steps = int(last.get("steps") or last["step"])
    done, seconds = last["step"] - first["step"], last["t"] - first["t"]
    speed = done / seconds if done > 0 and seconds > 0 else None
    left = (steps - last["step"]) / speed if speed else None
    return Pace(int(last["step"]), steps, int(last.get("epoch") or 0), speed, left)
