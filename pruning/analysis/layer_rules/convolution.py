"""Conv1D, Conv2D, Conv3D, grouped ones included: kernel (…, in / groups, out).

A grouped convolution is cut in one of two ways, whichever leaves more to choose from:
whole groups (their inputs and outputs go together), or the same channels of every group.

Channels may lie along a spatial axis. Text as an image, one row a token, is read by a kernel that
is as wide as the embedding: it sums over that axis and reads the channels there. Between two
transpositions (gMLP) a kernel of size 1 does the same to each channel: they go through. A kernel
that makes one value of neighbouring channels (ECA-Net, or of their mean and maximum in triplet
attention) lets them go inexactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import channel_axis, check_activation, spatial


def trace(call: Call) -> Sequence[Channels]:
    """Reads its input's channels, makes ``filters`` new ones."""
    layer = call.layer
    axis = channel_axis(layer, len(call.input_sizes[0]))
    call.prefer(0, axis)
    passed = _passed(call, axis)
    if passed is not None:
        return [_through(call, passed, axis)]
    covered = _covered(call, axis)
    read = call.along(0, axis) if covered is None else call.inputs[0].atoms
    made = call.new(layer.filters)
    last = len(layer.kernel.shape) - 1
    groups = int(getattr(layer, "groups", 1) or 1)
    if covered is not None:
        reads = {covered: read}
        call.setting("kernel_size", covered, atoms=read)
    elif groups == 1:
        reads = {last - 1: read}
    else:
        reads = _tie_groups(call, read, made, groups, last - 1)
    call.setting("filters", atoms=made)
    positions = spatial(layer, call.output_sizes[0])
    call.kernel(makes={last: made}, reads=reads, multiply_adds=positions)
    call.weight(layer.bias, carries={0: made})
    check_activation(call, layer.activation, made)
    return [Channels(axis, made)]


def _covered(call: Call, channel_axis: int) -> int | None:
    """Axis of the kernel that covers the channels from the first to the last, if they lie so."""
    layer, carried, size = call.layer, call.inputs[0].axis, call.input_sizes[0]
    if carried in (None, 0, channel_axis):
        return None
    axis = _of_kernel(carried, channel_axis)
    once = layer.padding == "valid" and call.output_sizes[0][carried] == 1
    return axis if once and layer.kernel_size[axis] == size[carried] else None


def _of_kernel(axis: int, channel_axis: int) -> int:
    """Number of a spatial axis among the kernel's."""
    return axis - 1 - (channel_axis < axis)


def _passed(call: Call, channel_axis: int) -> int | None:
    """The spatial axis along which channels lie that the layer leaves as they are."""
    layer, carried = call.layer, call.inputs[0].axis
    if carried in (None, 0, channel_axis) or call.atoms.are_frozen(call.inputs[0].atoms):
        return None
    axis = _of_kernel(carried, channel_axis)
    passes = layer.filters == 1 and layer.padding == "same"
    if call.input_sizes[0][channel_axis] > 1:  # else an image of channels: its filters can go
        passes = passes or layer.kernel_size[axis] == 1
    return carried if passes and layer.strides[axis] == 1 else None


def _through(call: Call, carried: int, channel_axis: int) -> Channels:
    """The same weights for every channel, which hold nothing of one."""
    layer, channels = call.layer, call.inputs[0]
    call.weight(layer.kernel, kernel=True)
    call.weight(layer.bias)
    fixed = (0, channel_axis, carried)
    others = [size for axis, size in enumerate(call.output_sizes[0]) if axis not in fixed]
    positions = int(np.prod(others, dtype=np.int64))
    call.work(positions, channels.atoms, *map(int, layer.kernel.shape))
    if layer.kernel_size[_of_kernel(carried, channel_axis)] != 1:
        call.inexact(channels.atoms, f"{call.record.name!r} combines neighbouring channels.")
    return Channels(carried, channels.atoms)


def _tie_groups(
    call: Call, read: AtomArray, made: AtomArray, groups: int, axis: int
) -> dict[int, AtomArray]:
    """Unite what must go together; return the channels along the kernel's input ``axis``."""
    inputs, outputs = read.reshape(groups, -1), made.reshape(groups, -1)
    if groups > inputs.shape[1]:
        for group_in, group_out in zip(inputs, outputs, strict=True):
            for atom in (*group_in[1:], *group_out):
                call.atoms.unite(group_in[:1], [atom])
        call.setting("groups", atoms=inputs[:, 0])
        # A removed group takes its whole input along: no kernel axis is left that reads it.
        return {}
    for later_in, later_out in zip(inputs[1:], outputs[1:], strict=True):
        call.atoms.unite(inputs[0], later_in)
        call.atoms.unite(outputs[0], later_out)
    return {axis: inputs[0]}


RULE = LayerRule("convolution", ("Conv1D", "Conv2D", "Conv3D"), trace, "cut")
