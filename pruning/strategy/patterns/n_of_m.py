"""N:M: of every M neighbours along the input axis N stay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pruning.analysis.profile import KernelShape
from pruning.strategy.patterns._base import Shape

_ALMOST = 1e-3  # a share that is a float32 may lie below the whole number of zeros it stands for


@dataclass(frozen=True)
class NofM:
    """At most ``n`` of every ``m`` neighbours along the input axis stay.

    On its way to the final share of zeros a schedule takes them one by one: 3:4, then 2:4.
    """

    n: int
    m: int

    @property
    def text(self) -> str:
        """See :class:`Pattern`."""
        return f"{self.n}:{self.m}"

    @property
    def fixed(self) -> float:
        """See :class:`Pattern`."""
        return (self.m - self.n) / self.m

    def refusal(self, kernel: KernelShape) -> str | None:
        """See :class:`Pattern`."""
        if kernel.depthwise:
            return "each of its outputs reads a single input channel"
        if len(kernel.shape) not in (2, 4):
            return f"its kernel has {len(kernel.shape)} axes, and TF-MOT defines it for 2 and 4"
        if kernel.shape[_input_axis(kernel.shape)] <= self.n:
            return f"it has no more than {self.n} inputs, all of which would stay"
        return None

    def kept(self, shape: Shape, sparsity: float) -> int:
        """See :class:`Pattern`."""
        inputs, stay = shape[_input_axis(shape)], self._stay(sparsity)
        along = inputs // self.m * stay + min(inputs % self.m, stay)
        return math.prod(shape) // inputs * along

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        """See :class:`Pattern`."""
        axis = _input_axis(scores.shape)
        rows = np.moveaxis(scores, axis, -1)
        padded = np.pad(
            rows,
            [(0, 0)] * (rows.ndim - 1) + [(0, -rows.shape[-1] % self.m)],
            constant_values=-np.inf,
        )
        groups = padded.reshape(-1, self.m)
        best = np.argsort(-groups, axis=1, kind="stable")[:, : self._stay(sparsity)]
        stays = np.zeros(groups.shape, bool)
        np.put_along_axis(stays, best, True, axis=1)
        whole = stays.reshape(padded.shape)[..., : rows.shape[-1]]
        return np.ascontiguousarray(np.moveaxis(whole, -1, axis))

    def count(self, shape: Shape) -> int:
        """See :class:`Pattern`."""
        return 0

    def units(self, scores: np.ndarray) -> None:
        """See :class:`Pattern`. It decides within its groups: nothing competes over kernels."""

    def spread(self, kept: np.ndarray, shape: Shape) -> np.ndarray:
        """See :class:`Pattern`."""
        raise NotImplementedError("N:M decides within its groups and has no units to spread")

    def _stay(self, sparsity: float) -> int:
        zeros = min(int(self.m * sparsity + _ALMOST), self.m - self.n)
        return self.m - zeros


def _input_axis(shape: Shape) -> int:
    """The axis that TF-MOT groups along: the last but one."""
    return len(shape) - 2
