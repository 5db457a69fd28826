"""Patterns of zeros: single weights, N:M, or blocks. Scores in, masks out; NumPy only.

The masks are TF-MOT's (0.8.1, ``pruning_impl`` and ``pruning_utils``) for the same weights, with
one difference: among equal scores the lower index stays and the count is kept, where TF-MOT keeps
all the equal ones (single weights and blocks; N:M breaks ties the same way in both).

===============  ==================================  ==============================================
pattern          applies to kernels of               what goes together
===============  ==================================  ==============================================
``unstructured`` any shape                           nothing
``N:M``          rank 2, and 4 but not depthwise     M neighbours along the input axis keep N:
                                                     axis 0 of rank 2, axis 2 of rank 4. The last
                                                     ones of an axis that M does not divide count as
                                                     if zeros followed them
``HxW``          rank 2                              blocks of H rows and W columns
===============  ==================================  ==============================================

A block is scored by the mean or the largest of its values. Where H or W does not divide the kernel,
TF-MOT pools with TensorFlow's ``SAME`` padding, half of which lies before the first value, but cuts
blocks from the first value on. So it is here: the scores of such blocks lean to their neighbours.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from pruning.analysis.profile import KernelShape
from pruning.errors import PlanError

Pooling = Literal["average", "max"]
Shape = tuple[int, ...]

UNSTRUCTURED = "unstructured"
POOLINGS: tuple[Pooling, ...] = ("average", "max")
MOST = 1024  # values in a group, rows or columns in a block
_ALMOST = 1e-3  # a share that is a float32 may lie below the whole number of zeros it stands for


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


def parse_pattern(text: str, pooling: Pooling = "average") -> Pattern:
    """Read ``unstructured``, ``N:M`` or ``HxW``.

    Raises:
        PlanError: It is none of them, or its numbers make no sense.
    """
    if text == UNSTRUCTURED:
        return Unstructured()
    numbers = re.fullmatch(r"([1-9]\d{0,3})([:x])([1-9]\d{0,3})", str(text))
    if numbers is None:
        raise _unknown(text)
    first, second = int(numbers[1]), int(numbers[3])
    if max(first, second) > MOST:
        raise _unknown(text)
    if numbers[2] == ":":
        if first >= second:
            raise PlanError(
                f"The pattern {text} keeps {first} of every {second} weights: it zeroes none.",
                expected="N:M with N below M: of every M weights N stay.",
                fix="Give for example 2:4, which zeroes half.",
            )
        return NofM(first, second)
    if first * second == 1:
        raise PlanError(
            "Blocks of 1x1 are single weights.",
            expected="Blocks of at least two weights, such as 4x4 or 1x16.",
            fix="Use the pattern unstructured for single weights.",
        )
    return Blocks(first, second, pooling)


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


def _input_axis(shape: Shape) -> int:
    """The axis that TF-MOT groups along: the last but one."""
    return len(shape) - 2


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


def _unknown(text: object) -> PlanError:
    return PlanError(
        f"The pattern {text!r} does not exist.",
        expected=f"unstructured, N:M such as 2:4, or blocks such as 4x4; numbers up to {MOST}.",
        fix="Choose one of these.",
    )
