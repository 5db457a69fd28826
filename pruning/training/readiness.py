"""The graph of a training step, made before the training.

Keras makes it when the first step is due: seconds for layers that repeat their operations for every
time step. Who knows which training will come can have that done before. The training of such a
model always begins with it, early or not: then it draws the same random numbers either way.
Seeding anew in between would be simpler, but TensorFlow throws its ready functions away then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from pruning.frameworks._base import Framework
from pruning.frameworks.running import forget
from pruning.frameworks.strided import sound_gradients
from pruning.intake.dataset import Dataset
from pruning.strategy.plan import PruningPlan, Training
from pruning.training.first_step import beginning
from pruning.training.trainee import (
    compiled,
    labels,
    seed_everything,
    seeding,
    training_batches,
)


@dataclass(frozen=True)
class Ready:
    """A model that can be trained at once.

    Attributes:
        model: To fit: compiled, and with the values that it had.
        seconds: What making it ready took.
        seeding: Where its random numbers begin.
    """

    model: Any
    seconds: float
    seeding: object

    @property
    def holds(self) -> bool:
        """Whether nobody has seeded since: TensorFlow would draw the first numbers again."""
        return self.seeding is seeding()


def graph_comes_first(model: Any, framework: Framework, plan: PruningPlan) -> bool:
    """Whether the training of a model begins with its graph.

    The layers say so, see :func:`~pruning.training.first_step.beginning`; not where the training is
    of more than labels, or of weights whose masks change what is trained.
    """
    training = plan.training
    labels_alone = not (training.distillation or training.feature_matching)
    return (
        plan.method != "weights"
        and plan.cuts == 1
        and labels_alone
        and beginning(model, framework) == "graph before"
    )


def made_ready(model: Any, framework: Framework, dataset: Dataset, training: Training) -> Ready:
    """Seed and compile a model, do one training step, and put every value back.

    What stays is the graph, and what TensorFlow made of it.

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
    with sound_gradients(trainee, framework):
        trainee.fit(one, shuffle=False, verbose=0)
    for value, old in zip(values, before, strict=True):
        value.assign(old)
    forget(trainee)  # stateful layers, of tf_keras not among the variables
    return Ready(trainee, time.perf_counter() - began, seeding())
