"""LayerScale, as ConvNeXt has it: one learned factor for each channel."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule


def trace(call: Call) -> Sequence[Channels]:
    """The factors follow the channels on the last axis."""
    atoms = call.along(0, len(call.input_sizes[0]) - 1)
    call.setting("projection_dim", atoms=atoms)
    call.weight(call.layer.gamma, carries={0: atoms})
    return [Channels(len(call.output_sizes[0]) - 1, atoms)]


RULE = LayerRule("layer scale", ("LayerScale",), trace, "cut")
