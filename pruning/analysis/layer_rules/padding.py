"""``pad`` written as an operation: passes as long as no channels are added."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument


def trace(call: Call) -> Sequence[Channels]:
    """Pass when nothing is added before or after the channels."""
    channels = call.inputs[0]
    if channels.axis is None:
        return [channels]
    widths = argument(call, 1, "pad_width", argument(call, 1, "paddings"))
    rank = len(call.input_sizes[0])
    if widths is None:
        raise NotUnderstoodError("it pads by an amount that is not written down.")
    added = np.broadcast_to(np.asarray(widths), (rank, 2))
    if added[channels.axis].any():
        return call.frozen_outputs(f"{call.record.name!r} adds constant channels.")
    return [channels]


RULE = LayerRule("padding operation", ("ops.Pad", "tf.pad"), trace, "passed")
