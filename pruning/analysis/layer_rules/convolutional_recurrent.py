"""ConvLSTM1D, ConvLSTM2D, ConvLSTM3D: an LSTM whose products are convolutions.

kernel (…, in, 4 x filters), recurrent_kernel (…, filters, 4 x filters), bias (4 x filters,).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import check_activation


def trace(call: Call) -> Sequence[Channels]:
    """Makes ``filters`` at every position; states passed in or out are these filters too."""
    layer, cell = call.layer, call.layer.cell
    first = layer.data_format == "channels_first"
    size = call.input_sizes[0]
    read = call.along(0, 2 if first else len(size) - 1)
    made = call.new(cell.filters)
    gates = np.tile(made, 4)
    last = len(cell.kernel.shape) - 1
    out = call.output_sizes[0]
    shape = out[-(last):] if len(out) > last else out
    positions = int(np.prod(shape[1:] if first else shape[:-1], dtype=np.int64))
    times = size[1] * positions
    call.setting("filters", atoms=made)
    call.weight(
        cell.kernel, makes={last: gates}, reads={last - 1: read}, kernel=True, multiply_adds=times
    )
    call.weight(
        cell.recurrent_kernel,
        makes={last: gates},
        reads={last - 1: made},
        kernel=True,
        multiply_adds=times,
    )
    call.weight(cell.bias, carries={0: gates})
    check_activation(call, cell.activation, made)
    check_activation(call, cell.recurrent_activation, made)
    for state in call.inputs[1:]:
        if state.axis is not None and len(state.atoms) == len(made):
            call.atoms.unite(state.atoms, made)
        else:
            call.freeze(state.atoms, f"{call.record.name!r} reads these values as a mask.")
    # The kernel has as many axes as a single step with its batch dimension: (batch, …, channels).
    return [Channels(len(o) - last if first else len(o) - 1, made) for o in call.output_sizes]


RULE = LayerRule("convolutional LSTM", ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), trace, "cut")
