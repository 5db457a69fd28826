"""How long a plain training step of a model takes, to set before beside after."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from pruning.frameworks._base import Framework
from pruning.frameworks.strided import sound_gradients
from pruning.intake.dataset import Dataset
from pruning.strategy.plan import PruningPlan
from pruning.training.trainee import compiled, labels, training_batches

_WARM_UP = 3  # steps: the first traces, the next still fill caches
_STEPS = 15
_LONGEST = 10.0  # seconds after warm-up; a slow model is measured on fewer steps


def step_seconds(
    model: Any, framework: Framework, dataset: Dataset, plan: PruningPlan
) -> float | None:
    """Median seconds of a plain training step, no masks, with the plan's batch size and optimizer.

    A copy is trained; ``model`` is not changed. Measured before and after pruning in the same way,
    the two can be compared. ``None`` without training samples.
    """
    if not dataset.manifest.counts.get("train", 0):
        return None
    copy = framework.clone(model, lambda layer: layer.get_config())
    copy.set_weights(model.get_weights())
    trainee = compiled(copy, framework, dataset, plan.training)
    y = labels(trainee, dataset, "train")
    x, y = next(iter(training_batches(trainee, dataset, "train", plan.training, y)))
    durations: list[float] = []
    with sound_gradients(trainee, framework):
        for _ in range(_WARM_UP):
            trainee.train_on_batch(x, y)
        while len(durations) < _STEPS and sum(durations) < _LONGEST:
            began = time.perf_counter()
            trainee.train_on_batch(x, y)
            durations.append(time.perf_counter() - began)
    return float(np.median(durations))
