"""LocallyConnected1D, LocallyConnected2D of tf_keras: a kernel of its own at every position.

Implementation 1: kernel (positions, kernel size x in, out). Implementation 2: kernel (positions
in…, in, positions out…, out), or channels first on both sides. Implementation 3 has no such axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._settings import channel_axis, check_activation


def trace(call: Call) -> Sequence[Channels]:
    """Reads its input's channels, makes ``filters`` new ones."""
    layer = call.layer
    if layer.implementation not in (1, 2):
        raise NotUnderstoodError("with implementation 3 its kernel has no channel axis.")
    rank = len(call.input_sizes[0])
    axis = channel_axis(layer, rank)
    read = call.along(0, axis)
    made = call.new(layer.filters)
    first = layer.data_format == "channels_first"
    if layer.implementation == 2:
        reads, makes = (
            ({0: read}, {rank - 1: made})
            if first
            else (
                {rank - 2: read},
                {2 * rank - 3: made},
            )
        )
    else:
        places = layer.kernel.shape[1] // len(read)
        reads = {1: np.repeat(read, places) if first else np.tile(read, places)}
        makes = {2: made}
    call.setting("filters", atoms=made)
    call.weight(layer.kernel, makes=makes, reads=reads, kernel=True, multiply_adds=1)
    if layer.bias is not None:
        call.weight(layer.bias, carries={len(layer.bias.shape) - 1: made})
    check_activation(call, layer.activation, made)
    return [Channels(axis, made)]


RULE = LayerRule("local convolution", ("LocallyConnected1D", "LocallyConnected2D"), trace, "cut")
