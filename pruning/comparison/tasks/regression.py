"""Regression: mean absolute error, mean squared error; smaller is better.

Targets are numbers, (n,) or (n, outputs). The outputs of one sample count as one value: their
mean error.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.readings import Reading
from pruning.comparison import intervals
from pruning.comparison.result import Scores
from pruning.comparison.tasks._base import Paired, Task
from pruning.errors import MismatchError


def check(targets: np.ndarray, predictions: np.ndarray) -> None:
    """Refuse outputs of another size than the targets.

    Raises:
        MismatchError: The model has not one output for each target value.
    """
    if predictions[0].size != targets[0].size:
        raise MismatchError(
            f"The model gives {predictions[0].size} values for each sample, "
            f"the targets have {targets[0].size}.",
            expected="One output for each target value.",
            fix="Use the data that belongs to this model.",
        )


def losses(targets: np.ndarray, predictions: np.ndarray, reading: Reading) -> np.ndarray:
    """Squared error of each sample, the mean over its outputs. -> float64 (n,)."""
    return np.asarray(((_flat(predictions) - _flat(targets)) ** 2).mean(axis=1))


def scores(targets: np.ndarray, predictions: np.ndarray, reading: Reading) -> Scores:
    """Mean absolute error with its interval; chance is always answering the mean target."""
    truth = _flat(targets)
    errors = _flat(predictions) - truth
    spread = truth - truth.mean(axis=0)
    squared = float(losses(targets, predictions, reading).mean())
    total = float((spread**2).mean())
    details = {"rmse": squared**0.5}
    if total > 0:
        details["r2"] = 1 - squared / total
    return Scores(
        "mae",
        intervals.bootstrap_mean(np.abs(errors).mean(axis=1)),
        loss=squared,
        chance=float(np.abs(spread).mean()),
        details=details,
    )


def pair(
    targets: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    reading: Reading,
    names: Sequence[str],
) -> Paired:
    """Compare two models' absolute errors sample by sample."""
    truth = _flat(targets)
    was, now = (np.abs(_flat(p) - truth).mean(axis=1) for p in (before, after))
    return Paired(
        intervals.bootstrap_mean(now - was), "percentile bootstrap over samples, 2,000 resamples"
    )


def _flat(values: np.ndarray) -> np.ndarray:
    """(n, …) -> float64 (n, values)."""
    return values.reshape(len(values), -1).astype(np.float64)


TASK = Task("regression", "mae", check, losses, scores, pair)
