"""What each model answered on each test sample, in words, and whether it was right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pruning import quantities
from pruning.analysis.readings import class_probabilities, label_probabilities, reading_of
from pruning.comparison.tasks.classification import predicted_classes

Outcome = Literal["fixed", "broken", "both wrong", "both right"]
OUTCOMES: tuple[Outcome, ...] = ("fixed", "broken", "both wrong", "both right")


@dataclass(frozen=True)
class Answer:
    """One model's answer in words, with its confidence from 0 to 1 where it has one."""

    words: str
    confidence: float | None
    right: bool


@dataclass(frozen=True)
class SampleOutcome:
    """One test sample: the truth and both answers.

    Attributes:
        index: Position in the test split.
        label: Class index for filtering; None where a sample has no single class.
    """

    index: int
    truth: str
    label: int | None
    before: Answer
    after: Answer

    @property
    def outcome(self) -> Outcome:
        """Regression counts an answer as right when its error is below the median of before's."""
        if self.before.right == self.after.right:
            return "both right" if self.before.right else "both wrong"
        return "fixed" if self.after.right else "broken"


def outcomes(
    task: str,
    targets: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    classes: Sequence[str],
    activation: str | None = None,
) -> list[SampleOutcome]:
    """Tell for every test sample what was answered.

    Args:
        task: ``classification``, ``multilabel`` or ``regression``.
        targets: As the data has them, (n,) or (n, …).
        before: Predictions of the original, (n, …, outputs).
        after: Predictions of the pruned model, same shape.
        classes: Class names; missing ones are numbered.
        activation: Of the model's last layer, when known.
    """
    sides = {
        "classification": _classes,
        "multilabel": _labels,
        "regression": _values,
    }[task](targets, before, after, _Names(classes), activation)
    truths, labels, answers_before, answers_after = sides
    return [
        SampleOutcome(index, *entry)
        for index, entry in enumerate(
            zip(truths, labels, answers_before, answers_after, strict=True)
        )
    ]


class _Names:
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __call__(self, index: int) -> str:
        return self._names[index] if index < len(self._names) else f"class {index}"


_Sides = tuple[list[str], list[int | None], list[Answer], list[Answer]]


def _classes(
    targets: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    name: _Names,
    activation: str | None,
) -> _Sides:
    reading = reading_of(before, activation)
    truth = targets.reshape(before.shape[:-1]).astype(int)
    if truth.ndim > 1:
        return _steps(truth, before, after, activation)
    answers = []
    for predictions in (before, after):
        probabilities = class_probabilities(predictions, reading)
        chosen = probabilities.argmax(axis=-1)
        if predictions.shape[-1] == 1:  # a tie is a yes, as everywhere in this room
            chosen = (probabilities[:, 1] >= 0.5).astype(int)
        confidence = probabilities[np.arange(len(chosen)), chosen]
        answers.append(
            [
                Answer(name(int(c)), float(p), bool(c == t))
                for c, p, t in zip(chosen, confidence, truth, strict=True)
            ]
        )
    return [name(int(t)) for t in truth], [int(t) for t in truth], answers[0], answers[1]


def _steps(
    truth: np.ndarray, before: np.ndarray, after: np.ndarray, activation: str | None
) -> _Sides:
    """Answers at each step or pixel: right when all are, or more than in before's median sample.

    Hardly any picture has every pixel right: by that alone, all would be wrong before and after.
    """
    steps, reading = truth[0].size, reading_of(before, activation)
    what = "steps" if truth.ndim == 2 else "labels"
    counts = [
        (predicted_classes(predictions, reading) == truth).reshape(len(truth), -1).sum(axis=1)
        for predictions in (before, after)
    ]
    usual = np.median(counts[0])
    sides = [
        [
            Answer(f"{n:,} of {steps:,} {what} right", None, bool(n == steps or n > usual))
            for n in right.tolist()
        ]
        for right in counts
    ]
    return [f"{steps:,} {what}"] * len(truth), [None] * len(truth), sides[0], sides[1]


def _labels(
    targets: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    name: _Names,
    activation: str | None,
) -> _Sides:
    reading, truth = reading_of(before, activation), targets > 0.5

    def words(row: np.ndarray) -> str:
        return ", ".join(name(int(i)) for i in np.flatnonzero(row)) or "(none)"

    answers = []
    for predictions in (before, after):
        yes = label_probabilities(predictions, reading) >= 0.5
        answers.append(
            [Answer(words(y), None, bool((y == t).all())) for y, t in zip(yes, truth, strict=True)]
        )
    return [words(t) for t in truth], [None] * len(truth), answers[0], answers[1]


def _values(
    targets: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    name: _Names,
    activation: str | None,
) -> _Sides:
    truth = targets.reshape(len(targets), -1)
    errors = [np.abs(p.reshape(truth.shape) - truth).mean(axis=1) for p in (before, after)]
    good = np.median(errors[0])
    answers = [
        [
            Answer(_numbers(row), None, bool(e <= good))
            for row, e in zip(p.reshape(truth.shape), error, strict=True)
        ]
        for p, error in zip((before, after), errors, strict=True)
    ]
    return [_numbers(row) for row in truth], [None] * len(truth), answers[0], answers[1]


def _numbers(row: np.ndarray) -> str:
    shown = ", ".join(quantities.number(value) for value in row[:4])
    return f"{shown}, …" if row.size > 4 else shown
