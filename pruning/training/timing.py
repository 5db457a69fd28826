"""How long a plain training step of a model takes, to set before beside after."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from pruning.frameworks._base import Framework
from pruning.frameworks.strided import sound_gradients
from pruning.intake.dataset import Dataset
from pruning.strategy.plan import PruningPlan
from pruning.training.trainee import compiled, labels, training_batches

_WARM_UP = 3  # steps: the first traces, the next still fill caches
_STEPS = 15
_LONGEST = 20.0  # seconds after warm-up; slow models are measured on fewer steps


def step_seconds(
    models: Sequence[Any], framework: Framework, dataset: Dataset, plan: PruningPlan
) -> list[float] | None:
    """Median seconds of a plain training step of each model, no masks, as the plan trains.

    The models make their steps by turns: what else the machine does slows down all of them, not
    the one that happened to be measured then. Copies are trained; the models are not changed.

    Args:
        models: Of that framework, all for the same data.
        framework: Their Keras.
        dataset: Prepared data.
        plan: Gives batch size, optimizer and loss.

    Returns:
        A time for each model; ``None`` without training samples.
    """
    if not dataset.manifest.counts.get("train", 0):
        return None
    durations: list[list[float]] = [[] for _ in models]
    with ExitStack() as stack:
        steps = [_step(model, framework, dataset, plan, stack) for model in models]
        for step in steps:
            for _ in range(_WARM_UP):
                step()
        until = time.perf_counter() + _LONGEST
        while len(durations[-1]) < _STEPS and (not durations[-1] or time.perf_counter() < until):
            for step, taken in zip(steps, durations, strict=True):
                began = time.perf_counter()
                step()
                taken.append(time.perf_counter() - began)
    return [float(np.median(taken)) for taken in durations]


def _step(
    model: Any, framework: Framework, dataset: Dataset, plan: PruningPlan, stack: ExitStack
) -> Callable[[], Any]:
    """A training step of a copy of ``model``, on the same batch each time."""
    copy = framework.clone(model, lambda layer: layer.get_config())
    copy.set_weights(model.get_weights())
    trainee = compiled(copy, framework, dataset, plan.training)
    y = labels(trainee, dataset, "train")
    x, y = next(iter(training_batches(trainee, dataset, "train", plan.training, y)))
    stack.enter_context(sound_gradients(trainee, framework))
    return lambda: trainee.train_on_batch(x, y)
