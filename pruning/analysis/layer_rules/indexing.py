"""``x[:, -1]``, ``x[..., :8]``, ``slice``: positions are picked, or channels in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import agree, argument, argument_path

_Bounds = tuple[int | None, int | None, int | None]
_Path = tuple[str | int, ...] | None
_Where = Callable[[int, str], _Path]
"""(place in the key, ``start``, ``stop`` or ``""``) -> where the call holds that number."""
_BOUNDS = ("start", "stop")


def trace(call: Call) -> Sequence[Channels]:
    """Walks the key beside the axes; channels in a row are followed, one by its number stays."""
    key = argument(call, 1, "key", argument(call, 1, "slice_spec"))
    path = argument_path(call, 1, "key") or argument_path(call, 1, "slice_spec")

    def where(place: int, name: str) -> _Path:
        return None if path is None else (*path, place, name) if name else (*path, place)

    return _picked(call, key, where)


def sliced(call: Call) -> Sequence[Channels]:
    """``slice``: so many in a row from a number on."""
    begin, start = _listed(call, 1, "start_indices", "begin")
    sizes, length = _listed(call, 2, "shape", "size")
    channels = call.inputs[0]
    if channels.sizes_of is not None or len(call.inputs) > 1:
        raise NotUnderstoodError("it picks values by numbers that are computed.")
    axis = channels.axis
    if axis is None:
        return [Channels()]
    first, count = int(begin[axis]), int(sizes[axis])
    picked = channels.atoms[first:] if count == -1 else channels.atoms[first : first + count]
    if first:
        _write(call, channels.atoms, first, (*start, axis))
    if count != -1 and hasattr(call.layer, "shape"):
        call.setting("shape", axis, atoms=picked)
    elif count != -1:
        call.argument(*length, axis, atoms=picked)
    return [Channels(axis, picked)]


def updated(call: Call) -> Sequence[Channels]:
    """``slice_update``: from some numbers on, the values of another tensor stand in its place."""
    begin, start = _listed(call, 1, "start_indices")
    if len(call.inputs) != 2:
        raise NotUnderstoodError("it replaces values in a way that is not followed.")
    agree(call)
    whole, part = call.inputs
    if whole.axis != part.axis:
        return call.frozen_outputs(f"{call.record.name!r} combines different axes.")
    if whole.axis is None:
        return [Channels()]
    first = int(begin[whole.axis])
    if first not in range(len(whole.atoms) - len(part.atoms) + 1):
        raise NotUnderstoodError("what it puts in reaches beyond the end.")
    call.atoms.unite(whole.atoms[first : first + len(part.atoms)], part.atoms)
    _write(call, whole.atoms, first, (*start, whole.axis))
    return [Channels(whole.axis, whole.atoms)]


def strided(call: Call) -> Sequence[Channels]:
    """``strided_slice``, TensorFlow's way to write a key: numbers, and bits of what they are."""
    begin, start = _listed(call, 1, "begin")
    end, stop = _listed(call, 2, "end")
    steps = argument(call, 3, "strides") or [1] * len(begin)
    masks = [int(argument(call, 4 + n, f"{name}_mask", 0)) for n, name in enumerate(_MASKS)]
    if len(call.inputs) > 1 or call.inputs[0].sizes_of is not None:
        raise NotUnderstoodError("it picks values in a way that is not followed.")
    key: list[Any] = []
    for place, bounds in enumerate(zip(begin, end, steps, strict=True)):
        given = (int(value) for value in bounds)
        first, last, step = next(given), next(given), next(given)
        if masks[2] >> place & 1:
            key.append(Ellipsis)
        elif masks[3] >> place & 1:
            key.append(None)
        elif masks[4] >> place & 1:
            key.append(first)
        else:
            open_first, open_last = masks[0] >> place & 1, masks[1] >> place & 1
            key.append(slice(None if open_first else first, None if open_last else last, step))

    def where(place: int, name: str) -> _Path:
        return (*(stop if name == "stop" else start), place)

    return _picked(call, tuple(key), where)


_MASKS = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")


def _listed(call: Call, position: int, *names: str) -> tuple[Sequence[int], tuple[str | int, ...]]:
    """Numbers that are written down, one for each axis, and where. -> (numbers, their path)."""
    for name in names:
        value = argument(call, position, name)
        if isinstance(value, list | tuple) and all(isinstance(entry, int) for entry in value):
            return value, argument_path(call, position, name) or ()
    raise NotUnderstoodError("it picks values by numbers that are computed.")


def _picked(call: Call, key: Any, where: _Where) -> Sequence[Channels]:
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
                return [_one(call, channels.atoms, entry, where(place, ""))]
            paths = [where(place, name) for name in _BOUNDS]
            return [Channels(target, _row(call, channels.atoms, bounds, paths))]
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


def _row(call: Call, atoms: AtomArray, bounds: _Bounds, paths: Sequence[_Path]) -> AtomArray:
    """Channels from one number to another; the numbers that are written down follow the cut.

    Every n-th channel from the first to the last is what it was as long as whole runs of n go.
    """
    start, stop, step = bounds
    picked = atoms[slice(*bounds)]
    if step in (None, 1):
        for path, bound in zip(paths, (start, stop), strict=True):
            _write(call, atoms, bound, path)
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


def _one(call: Call, atoms: AtomArray, number: Any, path: _Path) -> Channels:
    """A single channel becomes a position: it stays, and so does nothing but it."""
    if not isinstance(number, int):
        raise NotUnderstoodError("it picks values by an array.")
    call.freeze(atoms[[number]], f"{call.record.name!r} picks this channel by its number.")
    _write(call, atoms, number, path)
    return Channels()


def _write(call: Call, atoms: AtomArray, bound: int | None, path: _Path) -> None:
    """Tell what a written bound counts: channels before it, or from it to the end."""
    if not bound or path is None:
        return
    counted = atoms[:bound] if bound > 0 else atoms[bound:]
    call.argument(*path, atoms=counted, from_end=bound < 0)


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
    LayerRule("slice", ("ops.Slice", "tf.slice"), sliced, "passed"),
    LayerRule("updated slice", ("ops.SliceUpdate",), updated, "passed"),
    LayerRule("strided slice", ("tf.strided_slice",), strided, "passed"),
    LayerRule("sizes", ("tf.shape",), sizes, "passed"),
)
