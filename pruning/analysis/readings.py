"""Whether a model's outputs are probabilities or logits, and the one from the other."""

from __future__ import annotations

from typing import Literal

import numpy as np

Reading = Literal["probabilities", "logits"]

SMALLEST = 1e-7  # probabilities are held this far from 0 and 1 in a logarithm, as Keras does
SUM_TOLERANCE = 1e-2  # float16 softmax sums are off by up to 5e-3


def reading_of(predictions: np.ndarray, activation: str | None = None) -> Reading:
    """Tell probabilities from logits.

    The activation of the last layer decides where it says so. Otherwise, values within [0, 1]
    (that sum to 1, for several outputs) are probabilities: a trained model's logits are not.

    Args:
        predictions: (n, …, outputs).
        activation: ``softmax``, ``sigmoid``, another name, or None when not known.
    """
    if activation in ("softmax", "sigmoid"):
        return "probabilities"
    inside = predictions.min() >= 0 and predictions.max() <= 1
    if activation == "linear" and predictions.shape[-1] == 1:
        return "logits"
    if not inside:
        return "logits"
    sums = predictions.sum(axis=-1)
    summed = predictions.shape[-1] == 1 or bool(np.all(np.abs(sums - 1) < SUM_TOLERANCE))
    return "probabilities" if summed else "logits"


def class_probabilities(predictions: np.ndarray, reading: Reading) -> np.ndarray:
    """Probability of each class. (…, outputs) -> float64 (…, classes); one output is two classes.

    Outputs that are probabilities but do not sum to 1 (a sigmoid per class) are divided by their
    sum, as Keras' cross-entropy does.
    """
    values = predictions.astype(np.float64)
    if values.shape[-1] == 1:
        positive = values if reading == "probabilities" else sigmoid(values)
        return np.concatenate([1 - positive, positive], axis=-1)
    if reading == "logits":
        values = np.exp(values - values.max(axis=-1, keepdims=True))
    total = values.sum(axis=-1, keepdims=True)
    # A row of zeros gives no class any preference.
    return np.where(total > 0, values / np.where(total > 0, total, 1), 1 / values.shape[-1])


def label_probabilities(predictions: np.ndarray, reading: Reading) -> np.ndarray:
    """Probability of each label on its own. (n, labels) -> float64 (n, labels)."""
    values = predictions.astype(np.float64)
    return values if reading == "probabilities" else sigmoid(values)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-x))`` without overflow."""
    return 0.5 * (1 + np.tanh(values / 2))
