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

import re

from pruning.errors import PlanError
from pruning.strategy.patterns._base import (
    POOLINGS,
    UNSTRUCTURED,
    Pattern,
    Pooling,
    kept_weights,
    largest,
)
from pruning.strategy.patterns.blocks import Blocks
from pruning.strategy.patterns.n_of_m import NofM
from pruning.strategy.patterns.unstructured import Unstructured

__all__ = [
    "POOLINGS",
    "UNSTRUCTURED",
    "Blocks",
    "NofM",
    "Pattern",
    "Pooling",
    "Unstructured",
    "kept_weights",
    "largest",
    "parse_pattern",
]

MOST = 1024  # values in a group, rows or columns in a block


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


def _unknown(text: object) -> PlanError:
    return PlanError(
        f"The pattern {text!r} does not exist.",
        expected=f"unstructured, N:M such as 2:4, or blocks such as 4x4; numbers up to {MOST}.",
        fix="Choose one of these.",
    )
