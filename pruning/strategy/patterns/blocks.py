"""Blocks: whole rectangles of a matrix stay or go."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pruning.analysis.profile import KernelShape
from pruning.strategy.patterns._base import Pooling, Shape, kept_weights, largest


@dataclass(frozen=True)
class Blocks:
    """Whole blocks of ``height`` rows and ``width`` columns, from the first value on."""

    height: int
    width: int
    pooling: Pooling = "average"

    @property
    def text(self) -> str:
        """See :class:`Pattern`."""
        return f"{self.height}x{self.width}"

    @property
    def fixed(self) -> None:
        """See :class:`Pattern`."""
        return None

    def refusal(self, kernel: KernelShape) -> str | None:
        """See :class:`Pattern`."""
        if len(kernel.shape) != 2:
            return f"its kernel has {len(kernel.shape)} axes, and TF-MOT defines blocks for 2"
        if self.count(kernel.shape) == 1:
            rows, columns = kernel.shape
            return f"its kernel of {rows} × {columns} is a single block, which stays"
        return None

    def grid(self, shape: Shape) -> tuple[int, int]:
        """Blocks in a column and in a row of a kernel."""
        return -(-shape[0] // self.height), -(-shape[1] // self.width)

    def count(self, shape: Shape) -> int:
        """See :class:`Pattern`."""
        return math.prod(self.grid(shape))

    def kept(self, shape: Shape, sparsity: float) -> int:
        """See :class:`Pattern`. Blocks at an edge count as whole ones' share of the kernel."""
        blocks = self.count(shape)
        return round(math.prod(shape) * kept_weights(blocks, sparsity) / blocks)

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        """See :class:`Pattern`."""
        pooled = self.units(scores)
        return self.spread(largest(pooled, kept_weights(pooled.size, sparsity)), scores.shape)

    def units(self, scores: np.ndarray) -> np.ndarray:
        """See :class:`Pattern`."""
        down = _pooled(scores, self.height, self.pooling)
        return np.ascontiguousarray(_pooled(down.T, self.width, self.pooling).T).reshape(-1)

    def spread(self, kept: np.ndarray, shape: Shape) -> np.ndarray:
        """See :class:`Pattern`."""
        grid = kept.reshape(self.grid(shape))
        whole = grid.repeat(self.height, axis=0).repeat(self.width, axis=1)
        return np.ascontiguousarray(whole[: shape[0], : shape[1]])


def _pooled(values: np.ndarray, window: int, pooling: Pooling) -> np.ndarray:
    """Pool along axis 0, stride = window, as ``tf.nn.pool`` with ``SAME``. (n, m) -> (⌈n/w⌉, m).

    Values are added one after the other in their own precision, as TensorFlow does: the sums are
    equal to the last bit.
    """
    count = -(-len(values) // window)
    before = (count * window - len(values)) // 2
    edge = 0 if pooling == "average" else -np.inf
    padded = np.full((count * window, values.shape[1]), edge, values.dtype)
    padded[before : before + len(values)] = values
    windows = padded.reshape(count, window, -1)
    if pooling == "max":
        highest: np.ndarray = windows.max(axis=1)
        return highest
    total = windows[:, 0].copy()
    for index in range(1, window):
        total += windows[:, index]
    places = np.arange(count * window).reshape(count, window)
    inside = ((places >= before) & (places < before + len(values))).sum(axis=1)
    mean: np.ndarray = total / inside.astype(values.dtype)[:, None]
    return mean
