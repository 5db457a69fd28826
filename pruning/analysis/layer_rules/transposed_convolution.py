"""Conv1DTranspose, Conv2DTranspose, Conv3DTranspose: kernel (…, out, in)."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import channel_axis, check_activation, spatial


def trace(call: Call) -> Sequence[Channels]:
    """Reads its input's channels, makes ``filters`` new ones; works once per input position."""
    layer = call.layer
    axis = channel_axis(layer, len(call.input_sizes[0]))
    read = call.along(0, axis)
    made = call.new(layer.filters)
    last = len(layer.kernel.shape) - 1
    call.setting("filters", atoms=made)
    call.weight(
        layer.kernel,
        makes={last - 1: made},
        reads={last: read},
        kernel=True,
        multiply_adds=spatial(layer, call.input_sizes[0]),
    )
    call.weight(layer.bias, carries={0: made})
    check_activation(call, layer.activation, made)
    return [Channels(axis, made)]


RULE = LayerRule(
    "transposed convolution",
    ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution2DTranspose"),
    trace,
    "cut",
)
