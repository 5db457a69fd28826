"""BatchNormalization: at inference every channel is scaled and shifted by itself."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError


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


RULE = LayerRule(
    "batch normalization", ("BatchNormalization", "SyncBatchNormalization"), trace, "cut"
)
