"""Concatenate, along the channels or along another axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import agree, argument

_STACKED = {"Hstack": 1, "Dstack": 2}


def trace(call: Call) -> Sequence[Channels]:
    """Along the channels they stand one after another; along another axis they are united."""
    rank = len(call.output_sizes[0])
    stacked = _STACKED.get(type(call.layer).__name__)
    if stacked is not None and len(call.input_sizes[0]) <= stacked:
        raise NotUnderstoodError("it stacks tensors on a new axis.")
    axis = (argument(call, 1, "axis", -1) if stacked is None else stacked) % rank
    agree(call)
    tracked = {channels.axis for channels in call.inputs}
    if axis in tracked:
        atoms = [call.along(i, axis) for i in range(len(call.inputs))]
        return [Channels(axis, np.concatenate(atoms))]
    if len(tracked) != 1:
        return call.frozen_outputs(f"{call.record.name!r} joins tensors with different axes.")
    first = call.inputs[0]
    for other in call.inputs[1:]:
        call.atoms.unite(first.atoms, other.atoms)
    return [first]


def both_signs(call: Call) -> Sequence[Channels]:
    """``crelu``: what is positive of the channels, and behind it what is negative of them."""
    axis = int(argument(call, 2, "axis", -1)) % len(call.input_sizes[0])
    channels = call.prefer(0, axis)
    if channels.axis != axis:
        return [channels]
    return [Channels(axis, np.tile(channels.atoms, 2))]


RULES = (
    LayerRule(
        "concatenation",
        ("Concatenate", "ops.Concatenate", "ops.Hstack", "ops.Dstack", "tf.concat"),
        trace,
        "passed",
    ),
    LayerRule("both signs", ("tf.nn.crelu",), both_signs, "passed"),
)
