"""Flatten, Reshape, Permute and their operators: values move, channels are followed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument, by_example, reduce_axes


def flatten(call: Call) -> Sequence[Channels]:
    """(height, width, channels) becomes one row: every channel occurs once per position."""
    if getattr(call.layer, "data_format", None) == "channels_first" and call.input_sizes[0][2:]:
        return by_example(call, lambda values: np.moveaxis(values, 0, -1).reshape(-1))
    return by_example(call, lambda values: values.reshape(-1))


def reshape(call: Call) -> Sequence[Channels]:
    """Row order is kept; the channels must end up on one axis of the target."""
    target = tuple(call.output_sizes[0][1:])
    outputs = by_example(call, lambda values: values.reshape(target))
    axis = outputs[0].axis
    if axis is None:
        return outputs
    # A layer writes its target without the batch dimension, a Keras 3 operation with it.
    for key, place in (("target_shape", axis - 1), ("newshape", axis)):
        if hasattr(call.layer, key):
            if call.layer.get_config()[key][place] != -1:
                call.setting(key, place, atoms=outputs[0].atoms)
            return outputs
    written = argument(call, 1, "shape")
    if not isinstance(written, list | tuple) or len(written) <= axis or written[axis] != -1:
        call.freeze(outputs[0].atoms, f"{call.record.name!r} has this width written into it.")
    return outputs


def permute(call: Call) -> Sequence[Channels]:
    """The channels go with their axis."""
    channels = call.inputs[0]
    dims = argument(call, 1, "dims", None)
    order = [0, *dims] if dims is not None else _order(call)
    if channels.axis is None:
        return [channels]
    return [Channels([int(o) for o in order].index(channels.axis), channels.atoms)]


def expand(call: Call) -> Sequence[Channels]:
    """A new axis of length 1."""
    rank = len(call.output_sizes[0])
    axis = int(argument(call, 1, "axis")) % rank
    channels = call.inputs[0]
    if channels.axis is None:
        return [channels]
    return [Channels(channels.axis + (axis <= channels.axis), channels.atoms)]


def squeeze(call: Call) -> Sequence[Channels]:
    """Axes of length 1 go."""
    axes = argument(call, 1, "axis")
    if axes is None:
        raise NotUnderstoodError("it removes axes without naming them.")
    return reduce_axes(call, axes, keepdims=False)


def _order(call: Call) -> Sequence[int]:
    order = argument(call, 1, "axes", argument(call, 1, "perm"))
    return list(range(len(call.input_sizes[0])))[::-1] if order is None else list(order)


RULES = (
    LayerRule("flatten", ("Flatten",), flatten, "passed"),
    LayerRule("reshape", ("Reshape", "ops.Reshape", "tf.reshape"), reshape, "passed"),
    LayerRule("permute", ("Permute", "ops.Transpose", "tf.transpose"), permute, "passed"),
    LayerRule("new axis", ("ops.ExpandDims", "tf.expand_dims"), expand, "passed"),
    LayerRule("squeeze", ("ops.Squeeze", "tf.squeeze"), squeeze, "passed"),
)
