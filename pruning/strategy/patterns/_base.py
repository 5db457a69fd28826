"""Contract of a pattern of zeros, and the two rules that all of them share."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

from pruning.analysis.profile import KernelShape

Pooling = Literal["average", "max"]
Shape = tuple[int, ...]

UNSTRUCTURED = "unstructured"
POOLINGS: tuple[Pooling, ...] = ("average", "max")


class Pattern(Protocol):
    """What every pattern can say."""

    @property
    def text(self) -> str:
        """As in ``PruningPlan.pattern``."""

    @property
    def fixed(self) -> float | None:
        """The share of zeros that it always has, where M divides; ``None``: any share."""

    def refusal(self, kernel: KernelShape) -> str | None:
        """Why it cannot lie on ``kernel``; ``None`` when it can."""

    def kept(self, shape: Shape, sparsity: float) -> int:
        """How many weights stay at ``sparsity``; exact unless blocks are cut off at an edge."""

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        """Mark what stays. scores: any shape it applies to, larger = keep -> bool, same shape."""

    def count(self, shape: Shape) -> int:
        """How many things stay or go as one in a kernel of that shape; 0 for N:M."""

    def units(self, scores: np.ndarray) -> np.ndarray | None:
        """Their scores, to compare over kernels. -> (count,); N:M has none."""

    def spread(self, kept: np.ndarray, shape: Shape) -> np.ndarray:
        """Mask of a kernel of ``shape``. kept: bool (count,) -> bool ``shape``."""


def kept_weights(count: int, sparsity: float) -> int:
    """How many of ``count`` weights (or blocks) stay at ``sparsity``; at least one.

    ``round(count * (1 - sparsity))``, half to even and in float32: the rule of TF-MOT's
    ``pruning_impl``, so that both zero the same number.
    """
    share = np.float32(1) - np.float32(sparsity)
    return max(int(np.round(np.float32(count) * share)), 1) if count else 0


def largest(scores: np.ndarray, kept: int) -> np.ndarray:
    """Mark the ``kept`` largest scores. scores: any shape -> bool, the same shape.

    Among equal scores the lower index stays.
    """
    flat = scores.reshape(-1)
    if kept >= flat.size:
        return np.ones(scores.shape, bool)
    # The least are left out, usually zeros: selection among thousands of equals is forty times
    # slower.
    least = flat.min()
    candidates = flat[flat > least]
    rank = candidates.size - kept
    threshold = np.partition(candidates, rank)[rank] if rank >= 0 else least
    mask: np.ndarray = flat > threshold
    ties = np.flatnonzero(flat == threshold)
    mask[ties[: kept - int(mask.sum())]] = True
    return mask.reshape(scores.shape)
