"""``x[:, -1]``, ``x[..., :8]`` and the like: positions are picked, or channels in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument, argument_path

_Bounds = tuple[int | None, int | None, int | None]


def trace(call: Call) -> Sequence[Channels]:
    """Walks the key beside the axes; channels in a row are followed, one by its number stays."""
    key = argument(call, 1, "key", argument(call, 1, "slice_spec"))
    channels = call.inputs[0]
    if channels.axis is None:
        return [Channels() if channels.sizes_of is None else _size(call, channels, key)]
    entries = _expanded(key if isinstance(key, tuple | list) else (key,), len(call.input_sizes[0]))
    source = target = 0
    for place, entry in entries:
        if entry is None:
            target += 1
            continue
        bounds = _bounds(entry)
        if source == channels.axis:
            if bounds is None:
                return [_one(call, channels.atoms, entry, place)]
            return [Channels(target, _row(call, channels.atoms, bounds, place))]
        if not isinstance(entry, int) and bounds is None:
            raise NotUnderstoodError("it picks values by an array.")
        source += 1
        target += not isinstance(entry, int)
    raise NotUnderstoodError("its index does not match its input.")


def sizes(call: Call) -> Sequence[Channels]:
    """``tf.shape``: numbers. Whoever reads the number of the channels among them freezes these."""
    channels = call.inputs[0].decided()
    return [Channels(None, channels.atoms, sizes_of=channels.axis)]


def _size(call: Call, channels: Channels, key: Any) -> Channels:
    """One or some of a tensor's sizes: how many samples and positions there are may be read.

    The number of the channels is handed on by itself: a reshape may write it down again.
    """
    call.followed.append(channels.atoms)
    entries = key if isinstance(key, tuple | list) else (key,)
    (length,) = call.input_shapes[0]
    read: Any = None
    if len(entries) == 1 and length is not None:
        bounds = _bounds(entries[0])
        chosen = entries[0] if bounds is None else slice(*bounds)
        if isinstance(chosen, int | slice):
            read = np.arange(length)[chosen]
    if read is not None and channels.sizes_of not in np.atleast_1d(read):
        return Channels()
    if np.ndim(read) or read is None:
        call.freeze(channels.atoms, f"{call.record.name!r} computes with the width of a layer.")
        return Channels()
    return Channels(None, channels.atoms, sizes_of=0)


def _row(call: Call, atoms: AtomArray, bounds: _Bounds, place: int) -> AtomArray:
    """Channels from one number to another; the numbers that are written down follow the cut.

    Every n-th channel from the first to the last is what it was as long as whole runs of n go.
    """
    start, stop, step = bounds
    picked = atoms[slice(*bounds)]
    if step in (None, 1):
        for name, bound in (("start", start), ("stop", stop)):
            _write(call, atoms, bound, place, name)
        return picked
    if step == -1 and (start, stop) == (None, None):
        return picked
    every = step if step is not None and step > 1 and not len(atoms) % step else 0
    if every and (start or 0) in range(every) and stop is None:
        runs = atoms.reshape(-1, every)
        for others in runs.T[1:]:
            call.atoms.unite(runs[:, 0], others)
        return picked
    call.freeze(atoms, f"{call.record.name!r} picks channels by their number.")
    return picked


def _one(call: Call, atoms: AtomArray, number: Any, place: int) -> Channels:
    """A single channel becomes a position: it stays, and so does nothing but it."""
    if not isinstance(number, int):
        raise NotUnderstoodError("it picks values by an array.")
    call.freeze(atoms[[number]], f"{call.record.name!r} picks this channel by its number.")
    _write(call, atoms, number, place)
    return Channels()


def _write(call: Call, atoms: AtomArray, bound: int | None, place: int, *name: str) -> None:
    """Tell what a written bound counts: channels before it, or from it to the end."""
    path = argument_path(call, 1, "key") or argument_path(call, 1, "slice_spec")
    if not bound or path is None:
        return
    counted = atoms[:bound] if bound > 0 else atoms[bound:]
    call.argument(*path, place, *name, atoms=counted, from_end=bound < 0)


def _expanded(key: Sequence[Any], rank: int) -> list[tuple[int, Any]]:
    """Replace the ellipsis, written or implied, by full slices. -> [(place in the key, entry)]."""
    spare = rank - sum(1 for entry in key if entry is not None and entry is not Ellipsis)
    if not any(entry is Ellipsis for entry in key):
        key = (*key, Ellipsis)
    entries: list[tuple[int, Any]] = []
    for place, entry in enumerate(key):
        entries += [(place, slice(None))] * spare if entry is Ellipsis else [(place, entry)]
    return entries


def _bounds(entry: Any) -> _Bounds | None:
    """Start, stop and step of a slice; ``None`` for anything else."""
    if isinstance(entry, dict):  # so tf_keras stores them
        entry = slice(entry.get("start"), entry.get("stop"), entry.get("step"))
    if not isinstance(entry, slice):
        return None
    bounds = (entry.start, entry.stop, entry.step)
    if not all(bound is None or isinstance(bound, int) for bound in bounds):
        raise NotUnderstoodError("it picks values by numbers that are computed.")
    return bounds


RULES = (
    LayerRule("indexing", ("ops.GetItem", "tf.__operators__.getitem"), trace, "passed"),
    LayerRule("sizes", ("tf.shape",), sizes, "passed"),
)
