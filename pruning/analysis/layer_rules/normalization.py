"""Layers that normalise over channels: their statistics change when one goes."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._flow import frozen

REASON = (
    "It normalises over all its channels: without one, the result would change for those that stay."
)


def trace(call: Call) -> Sequence[Channels]:
    """Frozen, but the same channels come out as go in, so that the graph stays connected."""
    call.record.reason = REASON
    call.freeze(call.inputs[0].atoms, f"{call.record.name!r}: {REASON}")
    return [call.inputs[0]]


RULES = (
    LayerRule(
        "normalization over channels",
        ("LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization"),
        trace,
        "frozen",
        REASON,
    ),
    frozen(
        "masking",
        "It looks at all values of a step to decide whether the step counts.",
        ("Masking",),
    ),
)
