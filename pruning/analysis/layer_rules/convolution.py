"""Conv1D, Conv2D, Conv3D, grouped ones included: kernel (…, in / groups, out).

A grouped convolution is cut in one of two ways, whichever leaves more to choose from:
whole groups (their inputs and outputs go together), or the same channels of every group.

Channels may lie along a spatial axis: text as an image, one row a token, read by a kernel that is
as wide as the embedding. Such a kernel sums over that axis and reads the channels there.
"""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import channel_axis, check_activation, spatial


def trace(call: Call) -> Sequence[Channels]:
    """Reads its input's channels, makes ``filters`` new ones."""
    layer = call.layer
    axis = channel_axis(layer, len(call.input_sizes[0]))
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
    call.weight(
        layer.kernel,
        makes={last: made},
        reads=reads,
        kernel=True,
        multiply_adds=spatial(layer, call.output_sizes[0]),
    )
    call.weight(layer.bias, carries={0: made})
    check_activation(call, layer.activation, made)
    return [Channels(axis, made)]


def _covered(call: Call, channel_axis: int) -> int | None:
    """Axis of the kernel that covers the channels from the first to the last, if they lie so."""
    layer, carried, size = call.layer, call.inputs[0].axis, call.input_sizes[0]
    if carried in (None, 0, channel_axis):
        return None
    axis = carried - 1 - (channel_axis < carried)
    once = layer.padding == "valid" and call.output_sizes[0][carried] == 1
    return axis if once and layer.kernel_size[axis] == size[carried] else None


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
