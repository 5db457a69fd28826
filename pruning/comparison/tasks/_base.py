"""Contract of a task: how predictions become figures. NumPy only, no files, no models.

Predictions arrive as the model gave them, float32 (n, outputs) or (n, steps, outputs); targets as
the data has them. Both are checked with the task's ``check`` before anything else is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pruning.analysis.readings import Reading
from pruning.comparison.result import ClassScore, Interval, Scores


@dataclass(frozen=True)
class Paired:
    """Two models on the same samples; the fields of :class:`Comparison` that need both."""

    difference: Interval
    difference_method: str
    classes: tuple[ClassScore, ...] = ()
    both_right: int | None = None
    only_before: int | None = None
    only_after: int | None = None
    both_wrong: int | None = None
    confusion_before: tuple[tuple[int, ...], ...] = ()
    confusion_after: tuple[tuple[int, ...], ...] = ()
    detail_differences: dict[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One kind of task.

    Attributes:
        name: ``classification``, ``multilabel`` or ``regression``.
        metric: Name of the metric, as in ``Scores.metric``.
        check: ``(targets, predictions) -> None``; raises MismatchError when they do not fit.
        losses: ``(targets, predictions, reading) -> float64 (n,)``: each sample's own; ``loss`` of
            the scores is their mean.
        scores: ``(targets, predictions, reading) -> Scores`` of one model.
        pair: ``(targets, before, after, reading, class names) -> Paired``.
    """

    name: str
    metric: str
    check: Callable[[np.ndarray, np.ndarray], None]
    losses: Callable[[np.ndarray, np.ndarray, Reading], np.ndarray]
    scores: Callable[[np.ndarray, np.ndarray, Reading], Scores]
    pair: Callable[[np.ndarray, np.ndarray, np.ndarray, Reading, Sequence[str]], Paired]
