"""DepthwiseConv1D, DepthwiseConv2D: kernel (…, in, multiplier), no sum over channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import channel_axis, check_activation, spatial


def trace(call: Call) -> Sequence[Channels]:
    """Follows its input: each channel becomes ``depth_multiplier`` channels that go with it."""
    layer = call.layer
    axis = channel_axis(layer, len(call.input_sizes[0]))
    read = call.along(0, axis)
    kernel = getattr(layer, "depthwise_kernel", None)
    kernel = layer.kernel if kernel is None else kernel
    followed = np.repeat(read, layer.depth_multiplier)
    call.weight(
        kernel,
        carries={len(kernel.shape) - 2: read},
        kernel=True,
        multiply_adds=spatial(layer, call.output_sizes[0]),
    )
    call.weight(layer.bias, carries={0: followed})
    check_activation(call, layer.activation, followed)
    return [Channels(axis, followed)]


RULE = LayerRule("depthwise convolution", ("DepthwiseConv1D", "DepthwiseConv2D"), trace, "cut")
