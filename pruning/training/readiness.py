"""The graph of a training step, made before the training.

Keras makes it when the first step is due: seconds for layers that repeat their operations for every
time step. Who knows which training will come can have that done before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.frameworks._base import Framework
from pruning.intake.dataset import Dataset
from pruning.strategy.plan import Training
from pruning.training.trainee import compiled, labels, seed_everything, training_batches


@dataclass(frozen=True)
class Ready:
    """A model that can be trained at once.

    Attributes:
        model: To fit: compiled, and with the values that it had.
        seconds: What making it ready took.
    """

    model: Any
    seconds: float


def made_ready(model: Any, framework: Framework, dataset: Dataset, training: Training) -> Ready:
    """Compile a model and do one training step, and take all of it back but the graph.

    A training that begins here is the same, to the last bit, as one that begins with ``model``:
    random numbers are drawn from the seed anew.

    Args:
        model: Of that framework, not compiled; its values do not change.
        framework: The model's Keras.
        dataset: What it will be trained on.
        training: The plan's settings, of labels alone.

    Raises:
        MismatchError: The data does not feed the model's inputs, or has no training samples.
        ModelFileError: A layer has a name that Keras cannot train with.
    """
    began = time.perf_counter()
    seed_everything(model, framework, training.seed)
    trainee = compiled(model, framework, dataset, training)
    values = [*trainee.variables, *trainee.optimizer.variables]
    before = [value.numpy() for value in values]
    y = labels(trainee, dataset, "train")
    one = training_batches(trainee, dataset, "train", training, y).take(1)
    trainee.fit(one, shuffle=False, verbose=0)
    for value, old in zip(values, before, strict=True):
        value.assign(np.asarray(old))
    return Ready(trainee, time.perf_counter() - began)
