"""Latency before and after: LiteRT, one thread, one sample, the two models in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pruning.comparison.litert import Interpreter, convert
from pruning.comparison.result import Latency
from pruning.errors import ExportError

WARM_UP_SECONDS = 0.25
MEASURE_SECONDS = 3.0  # of both models together
MOST_RUNS = 200
FEWEST_RUNS = 10


def measure(
    before: Any,
    after: Any,
    sample: Sequence[np.ndarray],
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[Latency, Latency]:
    """Time both models on the same sample.

    The runs alternate, and so does who goes first: whatever slows the machine for a moment meets
    both alike. A model that LiteRT cannot convert has no latency but a note; the other then goes
    without too, since a lone figure compares with nothing.

    Args:
        before: Model of either Keras.
        after: Model of either Keras.
        sample: One array of shape (1, …) for each input.
        should_stop: Asked before each run; what was measured until then is kept.
    """
    interpreters = []
    for name, model in (("before", before), ("after", after)):
        found = _ready(model, sample)
        if isinstance(found, str):
            nothing = Latency(None, None, 0, note=f"Not measured: the model {name} {found}")
            return nothing, nothing
        interpreters.append(found)
    times = interleaved([i.invoke for i in interpreters], should_stop=should_stop)
    return summary(times[0]), summary(times[1])


def measure_one(model: Any, sample: Sequence[np.ndarray]) -> Latency:
    """Time one model alone: what a plan starts from. See :func:`measure`."""
    found = _ready(model, sample)
    if isinstance(found, str):
        return Latency(None, None, 0, note=f"Not measured: the model {found}")
    return summary(interleaved([found.invoke])[0])


def interleaved(
    calls: Sequence[Callable[[], None]],
    *,
    clock: Callable[[], float] = time.perf_counter,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[list[float]]:
    """Time calls in turn, after a warm-up. -> milliseconds of each call's runs.

    Args:
        calls: What to time.
        clock: Seconds; another clock in tests.
        should_stop: Asked before each round.
    """
    start = clock()
    while clock() - start < WARM_UP_SECONDS and not should_stop():
        for call in calls:
            call()
    times: list[list[float]] = [[] for _ in calls]
    start = clock()
    for round_number in range(MOST_RUNS):
        late = clock() - start > MEASURE_SECONDS and round_number >= FEWEST_RUNS
        if late or should_stop():
            break
        order = range(len(calls)) if round_number % 2 == 0 else reversed(range(len(calls)))
        for index in order:
            began = clock()
            calls[index]()
            times[index].append(1000 * (clock() - began))
    return times


def summary(times: Sequence[float]) -> Latency:
    """Median and 95th percentile of single runs in milliseconds."""
    if not times:
        return Latency(None, None, 0, note="Not measured: stopped before the first run.")
    median, p95 = np.percentile(times, [50, 95])
    rounded = tuple(round(value, 4) for value in times)
    return Latency(float(median), float(p95), len(times), rounded)


def _ready(model: Any, sample: Sequence[np.ndarray]) -> Interpreter | str:
    """An interpreter that has run once on the sample, or why there is none."""
    try:
        interpreter = Interpreter(convert(model, [value.shape[1:] for value in sample]))
        interpreter.feed(sample)
        interpreter.invoke()
    except ExportError as error:
        return f"does not convert. {error.happened}"
    except (RuntimeError, ValueError) as error:
        return f"does not run in LiteRT. {error}"
    return interpreter
