"""BatchNormalization: at inference every channel is scaled and shifted by itself."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument, constants


def trace(call: Call) -> Sequence[Channels]:
    """Its vectors follow the channels, if it normalises their axis; else they stay whole."""
    layer = call.layer
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    if len(axes) != 1:
        raise NotUnderstoodError("it normalises over several axes at once.")
    channels = call.prefer(0, int(axes[0]))
    if int(axes[0]) % len(call.input_sizes[0]) == channels.axis:
        for name in ("gamma", "beta", "moving_mean", "moving_variance"):
            call.weight(getattr(layer, name, None), carries={0: channels.atoms})
    return [channels]


def operation(call: Call) -> Sequence[Channels]:
    """``batch_normalization``: its vectors are written into the call, and follow the channels."""
    if len(call.inputs) != 1:
        raise NotUnderstoodError("it normalises by numbers that are computed.")
    axis = int(argument(call, 3, "axis")) % len(call.input_sizes[0])
    channels = call.prefer(0, axis)
    if axis == channels.axis:
        for path, vector in constants(call):
            if vector.ndim:
                call.constant(*path, axis=0, atoms=channels.atoms)
    return [channels]


RULES = (
    LayerRule(
        "batch normalization", ("BatchNormalization", "SyncBatchNormalization"), trace, "cut"
    ),
    LayerRule("batch normalization operation", ("ops.BatchNorm",), operation, "passed"),
)
