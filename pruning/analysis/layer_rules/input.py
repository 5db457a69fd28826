"""The model's inputs: their width is given from outside."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule

REASON = "This is an input of the model: its shape is given from outside."


def trace(call: Call) -> Sequence[Channels]:
    """Frozen channels on the last axis."""
    call.record.reason = REASON
    return call.frozen_outputs(REASON)


RULE = LayerRule("input", ("InputLayer",), trace, "frozen", REASON)
