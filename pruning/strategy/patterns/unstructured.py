"""Single weights: each goes by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pruning.analysis.profile import KernelShape
from pruning.strategy.patterns._base import UNSTRUCTURED, Shape, kept_weights, largest


@dataclass(frozen=True)
class Unstructured:
    """Single weights, wherever they are."""

    @property
    def text(self) -> str:
        """See :class:`Pattern`."""
        return UNSTRUCTURED

    @property
    def fixed(self) -> None:
        """See :class:`Pattern`."""
        return None

    def refusal(self, kernel: KernelShape) -> str | None:
        """See :class:`Pattern`."""
        return None

    def kept(self, shape: Shape, sparsity: float) -> int:
        """See :class:`Pattern`."""
        return kept_weights(math.prod(shape), sparsity)

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        """See :class:`Pattern`."""
        return largest(scores, self.kept(scores.shape, sparsity))

    def count(self, shape: Shape) -> int:
        """See :class:`Pattern`."""
        return math.prod(shape)

    def units(self, scores: np.ndarray) -> np.ndarray:
        """See :class:`Pattern`."""
        return scores.reshape(-1)

    def spread(self, kept: np.ndarray, shape: Shape) -> np.ndarray:
        """See :class:`Pattern`."""
        return kept.reshape(shape)
