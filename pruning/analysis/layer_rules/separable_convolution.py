"""SeparableConv1D, SeparableConv2D: a depthwise kernel, then a pointwise one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import channel_axis, check_activation, spatial


def trace(call: Call) -> Sequence[Channels]:
    """The depthwise kernel follows the input, the pointwise one reads it and makes channels."""
    layer = call.layer
    axis = channel_axis(layer, len(call.input_sizes[0]))
    read = call.along(0, axis)
    made = call.new(layer.filters)
    positions = spatial(layer, call.output_sizes[0])
    last = len(layer.pointwise_kernel.shape) - 1
    call.setting("filters", atoms=made)
    call.weight(
        layer.depthwise_kernel, carries={last - 1: read}, kernel=True, multiply_adds=positions
    )
    call.weight(
        layer.pointwise_kernel,
        makes={last: made},
        reads={last - 1: np.repeat(read, layer.depth_multiplier)},
        kernel=True,
        multiply_adds=positions,
    )
    call.weight(layer.bias, carries={0: made})
    check_activation(call, layer.activation, made)
    return [Channels(axis, made)]


RULE = LayerRule("separable convolution", ("SeparableConv1D", "SeparableConv2D"), trace, "cut")
