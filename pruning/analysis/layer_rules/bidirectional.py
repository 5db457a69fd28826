"""Bidirectional: two recurrent layers, one reading backwards, merged.

Both have one configuration, so they must keep the same number of units: unit ``i`` of the one goes
with unit ``i`` of the other, whatever the merge mode.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError

_INNER = ("LSTM", "GRU", "SimpleRNN")


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
    made, mirrored = forward[0].atoms, backward[0].atoms
    call.atoms.unite(made, mirrored)
    if layer.merge_mode == "concat":
        outputs = [Channels(len(call.output_sizes[0]) - 1, np.concatenate([made, mirrored]))]
    elif layer.merge_mode is None:
        outputs = [Channels(len(out) - 1, made) for out in call.output_sizes[:2]]
    else:
        outputs = [Channels(len(call.output_sizes[0]) - 1, made)]
    while len(outputs) < len(call.output_sizes):
        outputs.append(Channels(1, made))
    return outputs


RULE = LayerRule("bidirectional", ("Bidirectional",), trace, "cut")
