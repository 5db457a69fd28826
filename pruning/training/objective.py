"""What retraining minimises: loss and metric, by the task and by what the model's output means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.frameworks._base import Framework
from pruning.intake.dataset import Task

_PROBABILITIES = ("softmax", "sigmoid", "hard_sigmoid")
# Layers after the last activation that do not change what the values mean.
_SHAPES_ONLY = frozenset(
    {
        "Flatten",
        "Reshape",
        "Dropout",
        "Identity",
        "Permute",
        "Squeeze",
        "Cast",
        "ActivityRegularization",
    }
)


@dataclass(frozen=True)
class Objective:
    """Loss and metric of one model and task.

    Attributes:
        loss: A loss object of the model's Keras.
        metrics: Metric objects; named ``accuracy``, or ``mae`` for regression.
        from_logits: The outputs are logits rather than probabilities.
        binary: One output stands for two classes.
        exclusive: Labels are class numbers, and the outputs one for each class.
    """

    loss: Any
    metrics: list[Any]
    from_logits: bool
    binary: bool
    exclusive: bool = False


def objective(model: Any, framework: Framework, task: Task) -> Objective:
    """Choose loss and metric for the model's first output.

    classification: cross-entropy with class indices, binary for a single output. multilabel:
    binary cross-entropy of each output. regression: mean squared error. Outputs that did not pass
    softmax or sigmoid count as logits.
    """
    keras = framework.keras
    width = model.outputs[0].shape[-1]
    logits = output_activation(model, framework) not in _PROBABILITIES
    if task == "regression":
        mae = keras.metrics.MeanAbsoluteError(name="mae")
        return Objective(keras.losses.MeanSquaredError(), [mae], False, False)
    if task == "multilabel" or width == 1:
        accuracy = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0 if logits else 0.5)
        loss = keras.losses.BinaryCrossentropy(from_logits=logits)
        return Objective(loss, [accuracy], logits, task != "multilabel")
    return Objective(
        keras.losses.SparseCategoricalCrossentropy(from_logits=logits),
        [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        logits,
        False,
        exclusive=True,
    )


def output_activation(model: Any, framework: Framework) -> str:
    """Name of the activation that the first output went through; ``linear`` when there is none."""
    flat = framework.flat(model)
    maker = {id(tensor): node for node in framework.nodes(flat) for tensor in node.outputs}
    node = maker.get(id(flat.outputs[0]))
    while node is not None and type(node.layer).__name__ in _SHAPES_ONLY and node.inputs:
        node = maker.get(id(node.inputs[0]))
    return "linear" if node is None else _activation(node.layer)


def fitted_targets(y: np.ndarray, output_rank: int) -> np.ndarray:
    """Give targets of a one-value output its axis. y: (n,) or (n, steps) -> (…, 1) where needed.

    Without it, a loss of (n,) against (n, 1) would compare every sample with every other.
    """
    return y[..., None] if y.ndim == output_rank - 1 else y


def _activation(layer: Any) -> str:
    inner = layer
    while hasattr(inner, "layer"):  # TimeDistributed, Bidirectional
        inner = inner.layer
    activation = getattr(inner, "activation", None)
    if activation is None:
        # A layer or operation that is an activation itself: Softmax, Sigmoid, tf.nn.softmax.
        name = str(getattr(inner, "symbol", "") or type(inner).__name__).split(".")[-1].lower()
        return name if name in (*_PROBABILITIES, "log_softmax") else "linear"
    name = getattr(activation, "__name__", "") or type(activation).__name__
    return str(name).lower()
