"""Concatenate, along the channels or along another axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._flow import agree, argument


def trace(call: Call) -> Sequence[Channels]:
    """Along the channels they stand one after another; along another axis they are united."""
    rank = len(call.output_sizes[0])
    beside = type(call.layer).__name__ == "Hstack"
    axis = 1 if beside else int(argument(call, 1, "axis", -1)) % rank
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


RULE = LayerRule(
    "concatenation",
    ("Concatenate", "ops.Concatenate", "ops.Hstack", "tf.concat"),
    trace,
    "passed",
)
