"""Sums, means and maxima over positions or over channels, as operations and operators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import (
    Across,
    argument,
    constants,
    frozen,
    reduce_axes,
)


def trace(call: Call) -> Sequence[Channels]:
    """Over positions the channels pass; over the channels the result changes without one."""
    return _reduced(call, 1, "inexact")


def summed(call: Call) -> Sequence[Channels]:
    """Over positions the channels pass; over the channels each counts by itself, and can go."""
    return _reduced(call, 1, "sum")


def length(call: Call) -> Sequence[Channels]:
    """As a sum: a channel that is zero adds nothing to most lengths of a vector."""
    order = argument(call, 1, "ord")
    smallest = isinstance(order, int | float) and order < 0
    return _reduced(call, 2, "inexact" if smallest else "sum")


def moments(call: Call) -> Sequence[Channels]:
    """Mean and variance at once."""
    axes = argument(call, 1, "axes")
    keepdims = len(call.output_sizes[0]) == len(call.input_sizes[0])
    return [reduce_axes(call, axes, keepdims, "inexact")[0] for _ in call.output_sizes]


def places(call: Call) -> Sequence[Channels]:
    """``argmax``: along positions a place for each channel; along channels it is a number."""
    return _reduced(call, 1, "frozen")


def _reduced(call: Call, position: int, across: Across) -> Sequence[Channels]:
    axes = argument(call, position, "axis")
    keepdims = len(call.output_sizes[0]) == len(call.input_sizes[0])
    return reduce_axes(call, axes, keepdims, across)


def weighted(call: Call) -> Sequence[Channels]:
    """``average``: a mean, in which positions may have weights."""
    weights = [array for _, array in constants(call) if array.ndim]
    if len(call.inputs) != 1 or any(array.ndim > 1 for array in weights):
        raise NotUnderstoodError("it weighs each value by another number.")
    return _reduced(call, 1, "frozen" if weights else "inexact")


def integral(call: Call) -> Sequence[Channels]:
    """``trapezoid``: a sum over the steps of an axis, each as long as it is."""
    if np.ndim(call.layer.x) > 1:
        raise NotUnderstoodError("each sample has steps of its own length.")
    return _reduced(call, 3, "frozen")


def quantile(call: Call) -> Sequence[Channels]:
    """``quantile`` and ``percentile`` of each channel; several at once stand on a new axis."""
    if np.ndim(argument(call, 1, "q")):
        raise NotUnderstoodError("it answers with several quantiles at once.")
    return trace(call)


_OPERATIONS = (
    "Mean Max Min Amax Amin Var Std Prod Logsumexp Median All Any Nanmean Nanmax Nanmin Nanvar "
    "Nanstd Nanprod Nanmedian CountNonzero Ptp"
)
_SYMBOLS = "mean max min variance std prod logsumexp all any"

RULES = (
    LayerRule(
        "reduction",
        (
            *(f"ops.{name}" for name in _OPERATIONS.split()),
            *(f"tf.{m}reduce_{name}" for m in ("", "math.") for name in _SYMBOLS.split()),
            "tf.math.count_nonzero",
        ),
        trace,
        "passed",
    ),
    LayerRule(
        "sum",
        (
            *("ops.Sum", "ops.Nansum", "tf.reduce_sum", "tf.math.reduce_sum"),
            "tf.math.reduce_euclidean_norm",
        ),
        summed,
        "passed",
    ),
    LayerRule("weighted mean", ("ops.Average",), weighted, "passed"),
    LayerRule("integral", ("ops.Trapezoid",), integral, "passed"),
    LayerRule(
        "quantile",
        ("ops.Quantile", "ops.Percentile", "ops.Nanquantile", "ops.Nanpercentile"),
        quantile,
        "passed",
    ),
    LayerRule("moments", ("ops.Moments", "tf.nn.moments"), moments, "passed"),
    LayerRule(
        "place of the largest",
        (
            *("ops.Argmax", "ops.Argmin", "tf.argmax", "tf.argmin"),
            *("tf.math.argmax", "tf.math.argmin", "ops.Nanargmax", "ops.Nanargmin"),
        ),
        places,
        "passed",
    ),
    frozen(
        "one number of all",
        "It computes one number from whole tensors: all of their channels belong together.",
        (
            *("ops.Vdot", "ops.SSIM", "ops.PSNR"),
            *("tf.image.ssim", "tf.image.psnr", "tf.image.total_variation"),
        ),
    ),
    LayerRule("length", ("ops.Norm", "tf.norm", "tf.linalg.norm"), length, "passed"),
)
