"""How fast a training run goes and when it will end, read from its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
