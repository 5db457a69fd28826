"""A model made ready for a training: compiled, seeded, and the batches it is fed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pruning.errors import MismatchError
from pruning.frameworks._base import Framework
from pruning.frameworks.names import require_graph_names
from pruning.frameworks.running import needs_compiler, nested
from pruning.intake.dataset import Dataset
from pruning.strategy.plan import Training
from pruning.training.distillation import distilling
from pruning.training.features import Features, matching
from pruning.training.objective import fitted_targets, objective
from pruning.training.pipeline import batches

_seeding = object()


def compiled(
    model: Any,
    framework: Framework,
    dataset: Dataset,
    training: Training,
    *,
    distil: bool = False,
    features: Features | None = None,
) -> Any:
    """Compile ``model`` for the data's task and return the model to fit.

    Of several outputs one is fitted: then it is a second model of the same layers.

    Args:
        model: Of that framework.
        framework: The model's Keras.
        dataset: What it is fitted to.
        training: The plan's settings.
        distil: It is fitted to labels and answers that lie side by side.
        features: Of ``model`` and the original, to match.

    Raises:
        PlanError: There are no features that could be matched.
        MismatchError: The data does not feed the model's inputs.
        ModelFileError: A layer has a name that Keras cannot train with.
    """
    keras = framework.keras
    if framework.family == "keras3":
        require_graph_names(framework.layers(model))
    feeds = len(dataset.manifest.input_arrays)
    if len(model.inputs) != feeds:
        raise MismatchError(
            f"The model has {len(model.inputs)} inputs, the data has arrays for {feeds}.",
            expected="An array for each input of the model.",
            fix="Set the epochs to 0 to prune without data, or prepare the data for this model.",
        )
    plain = framework.with_output(model, dataset.manifest.output)
    model = plain if features is None else matching(plain, features, dataset.manifest.output)
    target = objective(plain, framework, dataset.manifest.task)
    if distil:
        width = plain.outputs[0].shape[-1]
        target = distilling(target, framework, training.distillation, width)
    rate = learning_rate(keras, training, training.epochs * steps_of_epoch(dataset, training))
    optimizer: dict[str, Callable[..., Any]] = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": partial(keras.optimizers.SGD, momentum=0.9),
        "rmsprop": keras.optimizers.RMSprop,
    }
    model.compile(
        optimizer=optimizer[training.optimizer](learning_rate=rate),
        loss=target.loss,
        metrics=target.metrics,
        # XLA would compile for seconds before the first step; some layers cannot do without.
        jit_compile=needs_compiler(plain),
    )
    # A step that makes the optimizer's variables itself is traced twice.
    model.optimizer.build(model.trainable_variables)
    return model


def learning_rate(keras: Any, training: Training, steps: int) -> Any:
    """The learning rate of every step: a number, or what Keras asks for one."""
    if training.decay == "none":
        return training.learning_rate
    return keras.optimizers.schedules.CosineDecay(training.learning_rate, max(1, steps))


def steps_of_epoch(dataset: Dataset, training: Training) -> int:
    """Batches in one epoch, the smaller last one included.

    Raises:
        MismatchError: There is nothing to train on, but epochs are asked for.
    """
    samples = dataset.manifest.counts.get("train", 0)
    if not samples and training.epochs:
        raise MismatchError(
            "The data has no training samples.",
            expected="At least one sample in the training split.",
            fix="Prepare the data with a training split, or set the epochs to 0.",
        )
    return -(-samples // training.batch_size)


def seed_everything(model: Any, framework: Framework, seed: int) -> None:
    """Seed Python, NumPy, TensorFlow, and the layers that drew a seed when they were made."""
    global _seeding
    _seeding = object()
    framework.keras.utils.set_random_seed(seed)
    states = [v for v in model.variables if v.name.split(":")[0].endswith("seed_generator_state")]
    for index, state in enumerate(states):
        state.assign(np.array([seed % 2**31, index]).astype("uint32"))


def seeding() -> object:
    """Stands for the latest seeding: whoever draws random numbers draws on from there."""
    return _seeding


def training_batches(
    model: Any, dataset: Dataset, split: str, training: Training, y: np.ndarray
) -> Any:
    """Batches of one split as a model is trained on them; the training split is shuffled.

    Args:
        model: That is fitted.
        dataset: Prepared data.
        split: ``train`` or ``val``.
        training: The plan's settings.
        y: What the loss reads, a row a sample.
    """
    seed = training.seed if split == "train" else None
    inputs = dataset.rows(split)
    return batches(inputs, y, training.batch_size, nested=partial(nested, model), seed=seed)


def labels(model: Any, dataset: Dataset, split: str) -> np.ndarray:
    """Labels of one split as the loss of ``model`` reads them. -> (n, …), of the output's rank."""
    return fitted_targets(dataset.y(split), len(model.outputs[0].shape))
