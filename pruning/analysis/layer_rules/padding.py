"""``pad`` written as an operation: positions pass, constant channels are added and cut.

Channels of a constant are those of a shortcut without weights (ResNet's option A): they go with
the channels that they are added to, and the number to pad by is edited.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument, argument_path


def trace(call: Call) -> Sequence[Channels]:
    """Positions pass; channels that are added hold a constant."""
    channels = call.inputs[0]
    if channels.axis is None:
        return [channels]
    widths = argument(call, 1, "pad_width", argument(call, 1, "paddings"))
    rank = len(call.input_sizes[0])
    if widths is None:
        raise NotUnderstoodError("it pads by an amount that is not written down.")
    front, back = np.broadcast_to(np.asarray(widths), (rank, 2))[channels.axis].tolist()
    if not front and not back:
        return [channels]
    mode = str(argument(call, 2, "mode", "constant")).lower()
    if mode != "constant" or np.shape(widths) != (rank, 2) or not isinstance(widths, list | tuple):
        return call.frozen_outputs(f"{call.record.name!r} adds channels by a rule of its own.")
    added = [call.atoms.new(count) for count in (front, back)]
    for side, atoms in enumerate(added):
        if hasattr(call.layer, "pad_width"):
            call.setting("pad_width", channels.axis, side, atoms=atoms)
        elif (path := argument_path(call, 1, "paddings")) is not None:
            call.argument(*path, channels.axis, side, atoms=atoms)
    return [Channels(channels.axis, np.concatenate([added[0], channels.atoms, added[1]]))]


RULE = LayerRule("padding operation", ("ops.Pad", "tf.pad"), trace, "passed")
