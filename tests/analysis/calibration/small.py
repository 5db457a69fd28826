"""Analyses of small models, and a loss that plain Keras can repeat."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from pruning.analysis.calibration import Samples
from pruning.analysis.profiler import Analysis, analyse
from pruning.frameworks._base import framework
from tests.models import build, keras_of, randomize, samples

CLASSES = 3


def analysed(model: Any, family: str) -> Analysis:
    """Analyse a model as if it had been loaded from a file."""
    file = SimpleNamespace(
        file_format={"keras3": "keras", "tf_keras": "h5"}[family], writer="", family=family
    )
    loaded: Any = SimpleNamespace(model=model, framework=framework(family), file=file, length=128)
    return analyse(loaded, digest="", name="", bytes=0, for_pricing=False)


def built(name: str, family: str) -> Analysis:
    """One of the shared models."""
    return analysed(build(name, family), family)


def pictures(family: str) -> Analysis:
    """c1 → BN → ReLU; c2 → BN, added to it, → ReLU; c3 with its own ReLU → pool → scores."""
    keras = keras_of(family)
    layers = keras.layers
    i = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, padding="same", name="c1")(i)
    x = layers.BatchNormalization(name="c1_bn")(x)
    x = layers.ReLU(name="r1")(x)
    y = layers.Conv2D(4, 3, padding="same", name="c2")(x)
    y = layers.BatchNormalization(name="c2_bn")(y)
    x = layers.ReLU(name="r2")(layers.Add(name="add")([x, y]))
    x = layers.Conv2D(5, 3, activation="relu", name="c3")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(i, layers.Dense(CLASSES, activation="softmax", name="scores")(x))
    randomize(model)
    return analysed(model, family)


def calibration(analysis: Analysis, count: int = 40, seed: int = 1) -> Samples:
    """Random inputs and labels, cross-entropy on the first output."""
    targets = np.random.default_rng(seed).integers(0, CLASSES, count)
    inputs = tuple(samples(analysis.model, count, seed))
    return Samples(inputs, targets, cross_entropy, seed)


def cross_entropy(targets: Any, outputs: Sequence[Any]) -> Any:
    """-log of the probability of the right class. -> (samples,)."""
    import tensorflow as tf

    return -tf.math.log(tf.gather(outputs[0], targets, batch_dims=1))


def losses_of(model: Any, inputs: Sequence[np.ndarray], targets: np.ndarray) -> np.ndarray:
    """The same by plain Keras and NumPy, in double precision. -> (samples,)."""
    given = list(inputs) if len(inputs) > 1 else inputs[0]
    answers = model(given, training=False)
    first = answers[0] if isinstance(answers, list | tuple) else answers
    picked = np.asarray(first, np.float64)[np.arange(len(targets)), targets]
    losses: np.ndarray = -np.log(picked)
    return losses
