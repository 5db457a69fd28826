"""Means, sums and maxima over positions, as operations and operators."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._flow import argument, reduce_axes


def trace(call: Call) -> Sequence[Channels]:
    """Passes when the axes leave the channels alone."""
    axes = argument(call, 1, "axis")
    keepdims = len(call.output_sizes[0]) == len(call.input_sizes[0])
    return reduce_axes(call, axes, keepdims)


RULE = LayerRule(
    "reduction",
    (
        *("ops.Mean", "ops.Sum", "ops.Max", "ops.Min", "ops.Amax", "ops.Amin"),
        *("ops.Var", "ops.Std", "ops.Prod", "ops.Logsumexp", "ops.Median", "ops.All", "ops.Any"),
        *("tf.math.reduce_mean", "tf.math.reduce_sum", "tf.math.reduce_max", "tf.math.reduce_min"),
        *("tf.reduce_mean", "tf.reduce_sum", "tf.reduce_max", "tf.reduce_min"),
    ),
    trace,
    "passed",
)
