"""ReversibleEmbedding of Keras 3: a table (tokens, channels), and back from channels to tokens.

Backwards it reads the same table, or with ``tie_weights=False`` one of its own, (channels, tokens).
"""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._flow import argument

TOKENS = "There is one of these values for every token of the vocabulary."


def trace(call: Call) -> Sequence[Channels]:
    """Makes ``output_dim`` channels, or reads the very same ones."""
    layer = call.layer
    made = call.new(layer.output_dim)
    call.setting("output_dim", atoms=made)
    axis = len(call.output_sizes[0]) - 1
    # The channels of a tied table are made and read by one weight.
    tied = {1: made} if layer.tie_weights else {}
    call.weight(layer.embeddings, makes={1: made}, reads=tied, kernel=True)
    if not layer.tie_weights:
        call.weight(layer.reverse_embeddings, reads={0: made}, kernel=True)
    if not argument(call, 1, "reverse", False):
        call.freeze(
            call.inputs[0].atoms, f"{call.record.name!r} looks these values up in its table."
        )
        return [Channels(axis, made)]
    call.atoms.unite(made, call.along(0, axis))
    tokens = call.new(layer.input_dim, "tokens")
    call.freeze(tokens, TOKENS)
    positions = 1
    for size in call.input_sizes[0][1:-1]:
        positions *= size
    call.work(positions, made, int(layer.input_dim))
    return [Channels(axis, tokens)]


RULE = LayerRule("reversible embedding", ("ReversibleEmbedding",), trace, "cut")
