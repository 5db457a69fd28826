"""Classification: accuracy, cross-entropy, recall per class, confusion matrices.

Targets are class indices, (n,), (n, steps) or (n, height, width): those of pixels are judged by
mean intersection over union as well. A model with one output tells two classes apart.
Steps of one sample are not independent, so that intervals resample whole samples where each has
several steps; with one answer a sample they are Wilson's and Tango's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.readings import SMALLEST, Reading, class_probabilities
from pruning.comparison import intervals
from pruning.comparison.overlap import Overlap, overlap
from pruning.comparison.result import ClassScore, Interval, Scores
from pruning.comparison.tasks._base import Paired, Task
from pruning.errors import MismatchError

MOST_CLASSES_SHOWN = 256  # a larger confusion matrix is neither read nor worth its megabytes


def check(targets: np.ndarray, predictions: np.ndarray) -> None:
    """Refuse outputs that cannot answer for the targets.

    Raises:
        MismatchError: Another shape, or a label the model has no output for.
    """
    wanted = _labels(targets).shape
    if predictions.shape[:-1] != wanted:
        raise MismatchError(
            f"The model answers with the shape {predictions.shape[1:]} for each sample, "
            f"the labels have {wanted[1:] or 'one value'}.",
            expected="One row of class scores for each label.",
            fix="Use labels of the model's output shape, or the model that belongs to this data.",
        )
    classes = max(2, predictions.shape[-1])
    if targets.min() < 0 or targets.max() >= classes:
        raise MismatchError(
            f"The labels run from {targets.min()} to {targets.max()}, "
            f"the model has {classes} classes.",
            expected=f"Labels from 0 to {classes - 1}.",
            fix="Number the classes from 0, or use the model that belongs to this data.",
        )


def predicted_classes(predictions: np.ndarray, reading: Reading) -> np.ndarray:
    """Class each answer stands for. (n, …, outputs) -> int64 (n, …)."""
    if predictions.shape[-1] == 1:
        threshold = 0.5 if reading == "probabilities" else 0.0
        return (predictions[..., 0] >= threshold).astype(np.int64)
    return np.asarray(predictions.argmax(axis=-1))


def confusion(targets: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts with rows true and columns predicted. -> int64 (classes, classes)."""
    cells = targets.ravel().astype(np.int64) * classes + predicted.ravel()
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def losses(targets: np.ndarray, predictions: np.ndarray, reading: Reading) -> np.ndarray:
    """Cross-entropy of each sample, the mean over its steps. -> float64 (n,)."""
    labels = _labels(targets)[..., None].astype(np.int64)
    chosen = np.take_along_axis(class_probabilities(predictions, reading), labels, axis=-1)
    return _per_sample(-np.log(np.clip(chosen, SMALLEST, 1)))


def scores(targets: np.ndarray, predictions: np.ndarray, reading: Reading) -> Scores:
    """Accuracy with its interval, mean cross-entropy, share of the commonest class."""
    labels = _labels(targets)
    answers = predicted_classes(predictions, reading)
    right = answers == labels
    value = (
        intervals.wilson(int(right.sum()), len(right))
        if right.ndim == 1
        else intervals.bootstrap_mean(_per_sample(right))
    )
    loss = float(losses(targets, predictions, reading).mean())
    chance = float(np.bincount(labels.ravel().astype(np.int64)).max() / labels.size)
    details = {}
    if _are_masks(labels):
        shared = overlap(labels, answers, max(2, predictions.shape[-1]))
        details["mean_iou"] = float(shared.mean()[0])
    return Scores("accuracy", value, loss, chance, details)


def pair(
    targets: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    reading: Reading,
    names: Sequence[str],
) -> Paired:
    """Compare two models' answers one by one."""
    labels = _labels(targets)
    classes = max(2, before.shape[-1])
    answers = [predicted_classes(p, reading) for p in (before, after)]
    was_right, is_right = (answer == labels for answer in answers)
    lost, gained = int((was_right & ~is_right).sum()), int((~was_right & is_right).sum())
    difference, method = _difference(was_right, is_right)
    matrices = [confusion(labels, answer, classes) for answer in answers]
    shared = [overlap(labels, a, classes) for a in answers] if _are_masks(labels) else []
    return Paired(
        difference,
        method,
        classes=_by_class(matrices, shared, names),
        both_right=int((was_right & is_right).sum()),
        only_before=lost,
        only_after=gained,
        both_wrong=int((~was_right & ~is_right).sum()),
        confusion_before=_rows(matrices[0]) if classes <= MOST_CLASSES_SHOWN else (),
        confusion_after=_rows(matrices[1]) if classes <= MOST_CLASSES_SHOWN else (),
        detail_differences={"mean_iou": _iou_difference(*shared)} if shared else {},
    )


def _difference(was_right: np.ndarray, is_right: np.ndarray) -> tuple[Interval, str]:
    if was_right.ndim == 1:
        lost, gained = int((was_right & ~is_right).sum()), int((~was_right & is_right).sum())
        difference = intervals.paired_proportions(lost, gained, len(was_right))
        return difference, "Tango's score interval for paired proportions (1998)"
    change = _per_sample(is_right) - _per_sample(was_right)
    return intervals.bootstrap_mean(change), "percentile bootstrap over samples, 2,000 resamples"


def _iou_difference(was: Overlap, now: Overlap) -> Interval:
    """After minus before of the mean, both models' samples drawn together."""
    return intervals.bootstrap(lambda w: now.mean(w) - was.mean(w), len(was.shared))


def _by_class(
    matrices: Sequence[np.ndarray], shared: Sequence[Overlap], names: Sequence[str]
) -> tuple[ClassScore, ...]:
    """Recall of each class, and of pixels its intersection over union."""
    counts = matrices[0].sum(axis=1)
    recalls = [m.diagonal() / np.maximum(counts, 1) for m in matrices]
    overlaps = [
        [None if np.isnan(value) else float(value) for value in side.by_class()[0]]
        for side in shared
    ] or [[None] * len(counts)] * 2
    return tuple(
        ClassScore(
            names[index] if index < len(names) else f"class {index}",
            int(count),
            float(recalls[0][index]),
            float(recalls[1][index]),
            *(side[index] for side in overlaps),
        )
        for index, count in enumerate(counts)
    )


def _are_masks(labels: np.ndarray) -> bool:
    """Whether each pixel of a picture has a class: labels along more than one axis."""
    return labels.ndim > 2


def _labels(targets: np.ndarray) -> np.ndarray:
    """Drop a last axis of one: (n, 1) holds one label a sample."""
    return targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets


def _per_sample(steps: np.ndarray) -> np.ndarray:
    """Mean of each sample: of steps that are right, their share. (n, steps, …) -> float64 (n,)."""
    return np.asarray(steps.reshape(len(steps), -1).mean(axis=1, dtype=np.float64))


def _rows(matrix: np.ndarray) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(value) for value in row) for row in matrix)


TASK = Task("classification", "accuracy", check, losses, scores, pair)
