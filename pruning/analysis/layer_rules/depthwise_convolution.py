"""DepthwiseConv1D, DepthwiseConv2D: kernel (…, in, multiplier), no sum over channels.

The operation of that name is used with a kernel that is written down: blurring before a stride,
edges (antialiased networks, arXiv:1904.11486).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument, argument_path
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


def operation(call: Call) -> Sequence[Channels]:
    """As the layer, with a constant for its kernel that is cut where the call holds it."""
    path = argument_path(call, 1, "kernel") or argument_path(call, 1, "filter")
    if path is None or len(call.inputs) != 1:
        raise NotUnderstoodError("its kernel is not written down.")
    if str(argument(call, 5, "data_format") or "").endswith(("first", "NCHW")):
        raise NotUnderstoodError("its channels are not on the last axis.")
    held: Any = {"args": call.args, "kwargs": call.kwargs}
    shape = np.shape(held[path[0]][path[1]])
    axis = len(call.input_sizes[0]) - 1
    read = call.along(0, axis)
    call.constant(*path, axis=len(shape) - 2, atoms=read)
    positions = int(np.prod(call.output_sizes[0][1:-1], dtype=np.int64))
    call.work(positions * int(np.prod(shape[:-2])) * shape[-1], read)
    return [Channels(axis, np.repeat(read, shape[-1]))]


RULES = (
    LayerRule("depthwise convolution", ("DepthwiseConv1D", "DepthwiseConv2D"), trace, "cut"),
    LayerRule(
        "depthwise operation",
        ("ops.DepthwiseConv", "tf.nn.depthwise_conv2d"),
        operation,
        "passed",
    ),
)
