"""Dense on inputs of any rank: kernel (in, out), applied at every position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import check_activation


def trace(call: Call) -> Sequence[Channels]:
    """Reads the last axis, makes ``units`` new channels there.

    Where the channels lie along another axis, as between two transpositions in an MLP-Mixer, the
    layer does the same to each of them: they go through. Channels that stay anyway, as those of the
    model's input, are given up for the layer's own, so that these can go.
    """
    layer = call.layer
    size = call.input_sizes[0]
    channels = call.prefer(0, len(size) - 1)
    elsewhere = channels.axis not in (None, len(size) - 1)
    if elsewhere and not call.atoms.are_frozen(channels.atoms):
        return [_through(call, channels)]
    read = call.along(0, len(size) - 1)
    made = call.new(layer.units, unit="unit")
    call.setting("units", atoms=made)
    call.kernel(
        makes={1: made},
        reads={0: read},
        multiply_adds=int(np.prod(size[1:-1], dtype=np.int64)),
    )
    call.weight(layer.bias, carries={0: made})
    check_activation(call, layer.activation, made)
    return [Channels(len(size) - 1, made)]


def _through(call: Call, channels: Channels) -> Channels:
    """Each channel's positions are mixed by the same weights, which hold nothing of a channel."""
    layer, size = call.layer, call.input_sizes[0]
    call.weight(layer.kernel, kernel=True)
    call.weight(layer.bias)
    others = [s for axis, s in enumerate(size[:-1]) if axis not in (0, channels.axis)]
    call.work(int(np.prod(others, dtype=np.int64)), channels.atoms, *map(int, layer.kernel.shape))
    return channels


RULE = LayerRule("dense", ("Dense",), trace, "cut")
