"""Several labels at once: macro F1, binary cross-entropy, samples with every label right.

Targets are 0/1, (n, labels). A label is answered yes from a probability of one half on. F1 of a
label that neither occurs nor is answered is 0, as scikit-learn counts it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.readings import SMALLEST, Reading, label_probabilities
from pruning.comparison import intervals
from pruning.comparison.result import ClassScore, Scores
from pruning.comparison.tasks._base import Paired, Task
from pruning.errors import MismatchError


def check(targets: np.ndarray, predictions: np.ndarray) -> None:
    """Refuse outputs of another shape than the targets.

    Raises:
        MismatchError: The model has not one output for each label.
    """
    if predictions.shape != targets.shape:
        raise MismatchError(
            f"The model answers with the shape {predictions.shape[1:]} for each sample, "
            f"the labels have {targets.shape[1:]}.",
            expected="One output for each label.",
            fix="Use the data that belongs to this model.",
        )


def f1(truth: np.ndarray, answer: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """F1 of each label. truth, answer: bool (n, labels); weights: (r, n) -> (r, labels)."""
    agreed = weights @ (truth & answer).astype(float)
    total = weights @ (truth.astype(float) + answer)
    return np.asarray(2 * agreed / np.where(total > 0, total, 1))


def losses(targets: np.ndarray, predictions: np.ndarray, reading: Reading) -> np.ndarray:
    """Binary cross-entropy of each sample, the mean over its labels. -> float64 (n,)."""
    probability = label_probabilities(predictions, reading)
    given = np.where(targets > 0.5, probability, 1 - probability)
    each = -np.log(np.clip(given, SMALLEST, 1))
    return np.asarray(each.reshape(len(each), -1).mean(axis=1, dtype=np.float64))


def scores(targets: np.ndarray, predictions: np.ndarray, reading: Reading) -> Scores:
    """Macro F1 with its interval; chance is answering yes to every label."""
    truth, probability = targets > 0.5, label_probabilities(predictions, reading)
    answer = probability >= 0.5
    value = intervals.bootstrap(lambda w: f1(truth, answer, w).mean(axis=1), len(truth))
    return Scores(
        "macro_f1",
        value,
        loss=float(losses(targets, predictions, reading).mean()),
        chance=float(f1(truth, np.ones_like(truth), np.ones((1, len(truth)))).mean()),
        details={"subset_accuracy": float((truth == answer).all(axis=1).mean())},
    )


def pair(
    targets: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    reading: Reading,
    names: Sequence[str],
) -> Paired:
    """Compare two models' labels; a sample is right when all its labels are."""
    truth = targets > 0.5
    was, now = (label_probabilities(p, reading) >= 0.5 for p in (before, after))
    difference = intervals.bootstrap(
        lambda w: (f1(truth, now, w) - f1(truth, was, w)).mean(axis=1), len(truth)
    )
    once = np.ones((1, len(truth)))
    f1_was, f1_now = f1(truth, was, once)[0], f1(truth, now, once)[0]
    was_right, is_right = ((truth == answer).all(axis=1) for answer in (was, now))
    return Paired(
        difference,
        "percentile bootstrap over samples, 2,000 resamples",
        classes=tuple(
            ClassScore(
                names[index] if index < len(names) else f"label {index}",
                int(truth[:, index].sum()),
                float(f1_was[index]),
                float(f1_now[index]),
            )
            for index in range(truth.shape[1])
        ),
        both_right=int((was_right & is_right).sum()),
        only_before=int((was_right & ~is_right).sum()),
        only_after=int((~was_right & is_right).sum()),
        both_wrong=int((~was_right & ~is_right).sum()),
    )


TASK = Task("multilabel", "macro_f1", check, losses, scores, pair)
