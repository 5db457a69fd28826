"""``x[:, -1]`` and the like, as long as the channels are not indexed themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument


def trace(call: Call) -> Sequence[Channels]:
    """Walks the key beside the axes; the channels' own entry must be a full slice."""
    key = argument(call, 1, "key", argument(call, 1, "slice_spec"))
    channels = call.inputs[0]
    if channels.axis is None:
        # Atoms without an axis: these are the sizes of a tensor, see ``sizes``.
        if key not in (0, [0], (0,)):
            call.freeze(channels.atoms, f"{call.record.name!r} computes with the width of a layer.")
        return [Channels()]
    entries = _expanded(key if isinstance(key, tuple | list) else (key,), len(call.input_sizes[0]))
    source = target = 0
    for entry in entries:
        if entry is None:
            target += 1
            continue
        if source == channels.axis:
            if not _full(entry):
                return call.frozen_outputs(f"{call.record.name!r} picks channels by their number.")
            return [Channels(target, channels.atoms)]
        if not isinstance(entry, int | dict | slice):
            raise NotUnderstoodError("it picks values by an array.")
        source += 1
        target += not isinstance(entry, int)
    raise NotUnderstoodError("its index does not match its input.")


def sizes(call: Call) -> Sequence[Channels]:
    """``tf.shape``: numbers. Whoever reads more of them than the batch freezes the channels."""
    return [Channels(None, call.inputs[0].atoms)]


def _expanded(key: Sequence[Any], rank: int) -> list[Any]:
    """Replace the ellipsis, written or implied, by full slices."""
    spare = rank - sum(1 for entry in key if entry is not None and entry is not Ellipsis)
    if not any(entry is Ellipsis for entry in key):
        key = (*key, Ellipsis)
    entries: list[Any] = []
    for entry in key:
        entries += [slice(None)] * spare if entry is Ellipsis else [entry]
    return entries


def _full(entry: Any) -> bool:
    # tf_keras stores slices as {"start": …, "stop": …, "step": …}
    parts = entry if isinstance(entry, dict) else None
    if parts is None and isinstance(entry, slice):
        parts = {"start": entry.start, "stop": entry.stop, "step": entry.step}
    return parts is not None and all(value is None for value in parts.values())


RULES = (
    LayerRule("indexing", ("ops.GetItem", "tf.__operators__.getitem"), trace, "passed"),
    LayerRule("sizes", ("tf.shape",), sizes, "passed"),
)
