"""TimeDistributed: the wrapped layer at every step, its weights shared by all of them."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError


def trace(call: Call) -> Sequence[Channels]:
    """Ask the wrapped layer's rule, without the time axis."""
    inner = call.layer.layer
    if hasattr(inner, "layers"):
        raise NotUnderstoodError("it repeats a whole model at every step.")
    return call.delegate(inner, "layer", "config", drop_axis=True)


RULE = LayerRule("time distributed", ("TimeDistributed",), trace, "cut")
