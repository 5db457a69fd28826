"""Bidirectional: two recurrent layers, one reading backwards, merged.

Both have one configuration, so they must keep the same number of units: unit ``i`` of the one goes
with unit ``i`` of the other, whatever the merge mode. Layers of unequal widths were given as two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError

_INNER = ("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")


def trace(call: Call) -> Sequence[Channels]:
    """Both directions by the recurrent rule, then the merge."""
    layer = call.layer
    forward_layer, backward_layer = layer.forward_layer, layer.backward_layer
    if type(forward_layer).__name__ not in _INNER:
        raise NotUnderstoodError(f"it wraps a {type(forward_layer).__name__}.")
    states = call.inputs[1:]
    half = len(states) // 2
    sequence = call.inputs[:1]
    forward = call.delegate(forward_layer, "layer", "config", inputs=sequence + states[:half])
    backward = call.delegate(
        backward_layer, "backward_layer", "config", inputs=sequence + states[half:]
    )
    for one, other in zip(forward, backward, strict=True):
        if len(one.atoms) == len(other.atoms):
            call.atoms.unite(one.atoms, other.atoms)
    made, mirrored = forward[0], backward[0]
    if layer.merge_mode == "concat":
        outputs = [Channels(made.axis, np.concatenate([made.atoms, mirrored.atoms]))]
    else:
        outputs = [made, mirrored] if layer.merge_mode is None else [made]
    # The states follow: those of the forward layer, then those of the backward layer.
    per_layer = (len(call.output_sizes) - len(outputs)) // 2
    return [*outputs, *forward[1 : per_layer + 1], *backward[1 : per_layer + 1]]


RULE = LayerRule("bidirectional", ("Bidirectional",), trace, "cut")
