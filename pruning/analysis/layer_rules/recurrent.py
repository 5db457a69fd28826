"""LSTM, GRU, SimpleRNN and RNN around cells: kernels whose last axis holds the gates in a row.

kernel (in, gates x units), recurrent_kernel (units, gates x units), bias (…, gates x units).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._settings import check_activation

_STATES = {"LSTMCell": 2, "GRUCell": 1, "SimpleRNNCell": 1}


def trace(call: Call) -> Sequence[Channels]:
    """Makes ``units``; states that are passed in or out are these units too."""
    cell = getattr(call.layer, "cell", call.layer)
    made = _cell(call, cell, call.along(0, 2), "out")
    _passed_in(call, [made] * (len(call.inputs) - 1))
    # Outputs: the sequence (batch, time, units) or its last step, then the states (batch, units).
    return [Channels(len(out) - 1, made) for out in call.output_sizes]


def cells(call: Call) -> Sequence[Channels]:
    """``RNN``: one cell, or several on top of each other, each with units of its own."""
    cell = call.layer.cell
    stacked = type(cell).__name__ == "StackedRNNCells"
    listed = list(cell.cells) if stacked else [cell]
    for one in listed:
        if type(one).__name__ not in _STATES:
            raise NotUnderstoodError(f"it repeats a {type(one).__name__}.")
    read, states = call.along(0, 2), []
    for number, one in enumerate(listed):
        path: tuple[str | int, ...] = ("cells", number, "config") if stacked else ()
        name = "out" if number == len(listed) - 1 else f"cell {number}"
        read = _cell(call, one, read, name, "cell", "config", *path)
        states += [read] * _STATES[type(one).__name__]
    if getattr(cell, "reverse_state_order", False):
        raise NotUnderstoodError("its states are in reverse order.")
    _passed_in(call, states)
    return [Channels(len(call.output_sizes[0]) - 1, read)] + [
        Channels(1, atoms) for atoms in states[: len(call.output_sizes) - 1]
    ]


def _cell(call: Call, cell: Any, read: AtomArray, name: str, *path: str | int) -> AtomArray:
    """One recurrent unit that reads ``read``; returns the units it makes."""
    steps = call.input_sizes[0][1]
    made = call.new(cell.units, name, "unit")
    gates = np.tile(made, cell.kernel.shape[1] // cell.units)
    call.setting(*path, "units", atoms=made)
    call.weight(cell.kernel, makes={1: gates}, reads={0: read}, kernel=True, multiply_adds=steps)
    call.weight(
        cell.recurrent_kernel, makes={1: gates}, reads={0: made}, kernel=True, multiply_adds=steps
    )
    if cell.bias is not None:
        call.weight(cell.bias, carries={len(cell.bias.shape) - 1: gates})
    check_activation(call, cell.activation, made)
    check_activation(call, getattr(cell, "recurrent_activation", None), made)
    return made


def _passed_in(call: Call, states: Sequence[AtomArray]) -> None:
    """States that start the layer hold its units; anything else that it reads is a mask."""
    for number, state in enumerate(call.inputs[1:]):
        units = states[number] if number < len(states) else None
        if units is not None and state.axis == 1 and len(state.atoms) == len(units):
            call.atoms.unite(state.atoms, units)
        else:
            call.freeze(state.atoms, f"{call.record.name!r} reads these values as a mask.")


RULES = (
    LayerRule("recurrent", ("LSTM", "GRU", "SimpleRNN"), trace, "cut"),
    LayerRule("recurrent cells", ("RNN",), cells, "cut"),
)
