"""PReLU: a learned slope for each channel, shared over some axes or not."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule


def trace(call: Call) -> Sequence[Channels]:
    """The slopes follow the channels unless they are shared by all of them."""
    channels = call.inputs[0]
    if channels.axis is not None:
        axis = channels.axis - 1  # the slopes have no batch dimension
        shared = call.layer.alpha.shape[axis] != len(channels.atoms)
        call.weight(call.layer.alpha, carries={} if shared else {axis: channels.atoms})
    return [channels]


RULE = LayerRule("PReLU", ("PReLU",), trace, "cut")
