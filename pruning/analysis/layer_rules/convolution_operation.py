"""Convolutions that are called as operations, with kernels that are written into the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument_path, stays

_WRITTEN = (
    "Its kernel is an array in the model's graph, not a layer's weight: what it reads and makes "
    "stays whole. Put a convolution layer with this kernel in its place to remove channels."
)


def trace(call: Call) -> Sequence[Channels]:
    """Channels stay. Kernel (…, in, out): every output position reads all of it."""
    kernel = _shape(call, 1, "kernel", "filters", "filter")
    call.work(math.prod(call.output_sizes[0][1:]) // kernel[-1] * math.prod(kernel))
    return stays(call, _WRITTEN)


def transposed(call: Call) -> Sequence[Channels]:
    """Channels stay. Kernel (…, out, in): every input position is spread by all of it."""
    kernel = _shape(call, 1, "kernel", "filters", "filter")
    call.work(math.prod(call.input_sizes[0][1:]) // kernel[-1] * math.prod(kernel))
    return stays(call, _WRITTEN)


def separable(call: Call) -> Sequence[Channels]:
    """Channels stay. Kernels (…, in, multiplier) and (1, …, 1, in x multiplier, out)."""
    depthwise = _shape(call, 1, "depthwise_kernel", "depthwise_filter")
    pointwise = _shape(call, 2, "pointwise_kernel", "pointwise_filter")
    positions = math.prod(call.output_sizes[0][1:]) // pointwise[-1]
    call.work(positions * (math.prod(depthwise) + math.prod(pointwise)))
    return stays(call, _WRITTEN)


def _shape(call: Call, position: int, *names: str) -> tuple[int, ...]:
    """Shape of an array among the call's arguments."""
    paths = (argument_path(call, position, name) for name in names)
    path = next((path for path in paths if path is not None), None)
    if path is None or len(call.inputs) != 1:
        raise NotUnderstoodError("its kernel is computed by other layers.")
    held: Any = {"args": call.args, "kwargs": call.kwargs}
    return tuple(np.shape(held[path[0]][path[1]]))


def _rule(name: str, covers: tuple[str, ...], trace: Any) -> LayerRule:
    return LayerRule(name, covers, trace, "frozen", _WRITTEN)


RULES = (
    _rule(
        "convolution operation",
        (
            "ops.Conv",
            *(f"tf.nn.{name}" for name in ("conv1d", "conv2d", "conv3d", "convolution")),
        ),
        trace,
    ),
    _rule(
        "transposed convolution operation",
        (
            "ops.ConvTranspose",
            *(f"tf.nn.conv{n}d_transpose" for n in (1, 2, 3)),
            "tf.nn.conv_transpose",
        ),
        transposed,
    ),
    _rule(
        "separable convolution operation",
        ("ops.SeparableConv", "tf.nn.separable_conv2d"),
        separable,
    ),
)
