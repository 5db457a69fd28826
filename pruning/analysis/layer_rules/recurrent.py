"""LSTM, GRU and SimpleRNN: kernels whose last axis holds the gates one after another.

kernel (in, gates x units), recurrent_kernel (units, gates x units), bias (…, gates x units).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import check_activation


def trace(call: Call) -> Sequence[Channels]:
    """Makes ``units``; states that are passed in or out are these units too."""
    cell = getattr(call.layer, "cell", call.layer)
    size = call.input_sizes[0]
    read = call.along(0, 2)
    made = call.new(cell.units, unit="unit")
    gates = np.tile(made, cell.kernel.shape[1] // cell.units)
    call.setting("units", atoms=made)
    call.weight(cell.kernel, makes={1: gates}, reads={0: read}, kernel=True, multiply_adds=size[1])
    call.weight(
        cell.recurrent_kernel, makes={1: gates}, reads={0: made}, kernel=True, multiply_adds=size[1]
    )
    if cell.bias is not None:
        call.weight(cell.bias, carries={len(cell.bias.shape) - 1: gates})
    check_activation(call, cell.activation, made)
    check_activation(call, getattr(cell, "recurrent_activation", None), made)
    for state in call.inputs[1:]:
        if len(state.atoms) == cell.units and state.axis == 1:
            call.atoms.unite(state.atoms, made)
        else:
            call.freeze(state.atoms, f"{call.record.name!r} reads these values as a mask.")
    # Outputs: the sequence (batch, time, units) or its last step, then the states (batch, units).
    return [Channels(len(out) - 1, made) for out in call.output_sizes]


RULE = LayerRule("recurrent", ("LSTM", "GRU", "SimpleRNN"), trace, "cut")
