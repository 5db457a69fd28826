"""Embedding: a table (tokens, channels). The table's rows are the vocabulary and stay."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule


def trace(call: Call) -> Sequence[Channels]:
    """Makes ``output_dim`` channels on a new last axis; a look-up costs no multiplication."""
    made = call.new(call.layer.output_dim)
    call.freeze(call.inputs[0].atoms, f"{call.record.name!r} looks these values up in its table.")
    call.setting("output_dim", atoms=made)
    call.kernel("embeddings", makes={1: made})
    return [Channels(len(call.output_sizes[0]) - 1, made)]


RULE = LayerRule("embedding", ("Embedding",), trace, "cut")
