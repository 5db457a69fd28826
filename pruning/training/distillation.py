"""Distillation: a pruned model also learns what the original answered to the training samples.

The loss is (1 - share) · loss(labels) + share · loss(the original's answers), with the
same kind of loss for both: cross-entropy against the original's probabilities, or the squared
distance from its values (https://arxiv.org/abs/1503.02531, with the temperature 1). Labels and
answers reach the loss side by side along the last axis, since Keras hands it one array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pruning.analysis.readings import class_probabilities, label_probabilities
from pruning.frameworks._base import Framework
from pruning.training.objective import Objective


def side_by_side(y: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Labels and answers as one array.

    Args:
        y: Class numbers (n, …, 1), or values (n, …, outputs).
        answers: (n, …, outputs).

    Returns:
        float32 (n, …, 1 + outputs) for class numbers, (n, …, 2 · outputs) for values.
    """
    # Joined as float32: as float64, which whole numbers make of it, it would take twice as much.
    return np.concatenate([y, answers], axis=-1, dtype="float32", casting="same_kind")


def probabilities(outputs: np.ndarray, target: Objective) -> np.ndarray:
    """Outputs of a model as the loss compares them: probabilities, or values as they are."""
    if not target.from_logits:
        return outputs
    read = class_probabilities if target.exclusive else label_probabilities
    return read(outputs, "logits")


def as_answers(y: np.ndarray, outputs: int, target: Objective) -> np.ndarray:
    """Labels in the form of answers: with them as the original's, the loss is the labels' own."""
    if not target.exclusive:
        return y
    return np.asarray(np.eye(outputs, dtype="float32")[y[..., 0].astype(int)])


def distilling(target: Objective, framework: Framework, share: float, outputs: int) -> Objective:
    """The objective for labels and answers that lie side by side.

    Args:
        target: What is minimised without answers.
        framework: The model's Keras.
        share: Weight of the answers, from 0 to 1.
        outputs: Of the model, along the last axis.
    """
    keras = framework.keras
    logits = target.from_logits
    if target.exclusive:
        to_answers: Any = keras.losses.CategoricalCrossentropy(from_logits=logits, reduction="none")
        to_labels: Any = keras.losses.SparseCategoricalCrossentropy(
            from_logits=logits, reduction="none"
        )
    else:
        to_labels = to_answers = type(target.loss).from_config(
            target.loss.get_config() | {"reduction": "none"}
        )
    exclusive = target.exclusive

    def labels(given: Any) -> Any:
        return given[..., 0] if exclusive else given[..., :-outputs]

    def loss(given: Any, predicted: Any) -> Any:
        own = to_labels(labels(given), predicted)
        return (1 - share) * own + share * to_answers(given[..., -outputs:], predicted)

    (metric,) = target.metrics

    class Judged(type(metric)):  # type: ignore[misc]
        """The same metric, of the labels alone."""

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            return super().update_state(labels(y_true), y_pred, sample_weight)

    judged = Judged.from_config(metric.get_config())
    return Objective(loss, [judged], logits, target.binary, exclusive)
