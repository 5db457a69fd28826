"""Intersection over union of classes that are told at each pixel. Pure NumPy.

Of a class, the pixels that both the labels and the answers give to it, out of those that either
of them does: the Jaccard index, and what segmentation is judged by since M. Everingham et al., The
PASCAL Visual Object Classes (VOC) Challenge, IJCV 88 (2010) 303-338, section 4.3: true positives
/ (true positives + false positives + false negatives), pixels counted over all samples together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Overlap:
    """Pixels of each sample by class, from which samples can be drawn again.

    Attributes:
        shared: In the labels and in the answers, float64 (samples, classes).
        either: In at least one of them, same shape.
    """

    shared: np.ndarray
    either: np.ndarray

    def by_class(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Intersection over union of each class. -> (resamples, classes).

        Args:
            weights: How often each sample counts, (resamples, samples); ``None``: once each.

        Returns:
            NaN for classes that neither the labels nor the answers have.
        """
        weights = np.ones((1, len(self.shared))) if weights is None else weights
        shared, either = weights @ self.shared, weights @ self.either
        found: np.ndarray = np.divide(
            shared, either, out=np.full_like(shared, np.nan), where=either > 0
        )
        return found

    def mean(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Mean over the classes that the labels or the answers have. -> (resamples,).

        A class that neither has is left out, as ``keras.metrics.MeanIoU`` does it.
        """
        return np.asarray(np.nanmean(self.by_class(weights), axis=1))


def overlap(labels: np.ndarray, predicted: np.ndarray, classes: int) -> Overlap:
    """Count the pixels of each sample.

    Args:
        labels: Class numbers, (samples, …).
        predicted: Class numbers, same shape.
        classes: How many there are.
    """
    truth, answers = (_per_sample(side, classes) for side in (labels, predicted))
    # Wrong pixels count for a class that does not exist, and that is cut off.
    agreed = np.where(labels == predicted, labels, classes)
    shared = _per_sample(agreed, classes + 1)[:, :classes]
    return Overlap(shared, truth + answers - shared)


def _per_sample(numbers: np.ndarray, classes: int) -> np.ndarray:
    """How often each sample has each class. (samples, …) -> float64 (samples, classes)."""
    rows = numbers.reshape(len(numbers), -1)
    counts = [np.bincount(row, minlength=classes) for row in rows]
    return np.asarray(counts, np.float64)
