"""Flatten, Reshape, Permute and their operators: values move, channels are followed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pruning.analysis.atoms import NO_ATOMS, AtomArray
from pruning.analysis.layer_rules._base import (
    Call,
    Channels,
    Copies,
    LayerRule,
    NotUnderstoodError,
    Setting,
)
from pruning.analysis.layer_rules._flow import argument, argument_path, by_example, reduce_axes


def flatten(call: Call) -> Sequence[Channels]:
    """(height, width, channels) becomes one row: every channel occurs once per position."""
    if getattr(call.layer, "data_format", None) == "channels_first" and call.input_sizes[0][2:]:
        return by_example(call, lambda rows: np.moveaxis(rows, 1, -1).reshape(1, -1))
    return by_example(call, lambda rows: rows.reshape(1, -1))


def reshape(call: Call) -> Sequence[Channels]:
    """Row order is kept; the channels must end up on one axis of the target."""
    target = tuple(call.output_sizes[0][1:])
    values, row = call.times * math.prod(call.input_sizes[0][1:]), math.prod(target)
    if row == 0 or values % row or values < row:
        raise NotUnderstoodError("the samples do not fill its rows.")
    # Another number when windows of an image become samples, or samples an image again.
    call.times_after = values // row
    shared = math.gcd(call.times, call.times_after)  # what repeats is looked at once
    before, after = call.times // shared, call.times_after // shared
    return by_example(
        call,
        lambda rows: rows.reshape((after, *target)),
        (before, after),
        lambda axis, atoms: _write(call, axis, atoms),
    )


def _write(call: Call, axis: int, atoms: AtomArray) -> None:
    """Tell where the target's width on that axis is written."""
    held = {**call.record.settings, **call.record.arguments}
    # A layer writes its target without the batch dimension, a Keras 3 operation with it.
    for key, place in (("target_shape", axis - 1), ("newshape", axis)):
        if hasattr(call.layer, key):
            if call.layer.get_config()[key][place] != -1:
                _apart(call, held, (*call.path, key, place), atoms)
                call.setting(key, place, atoms=atoms)
            return
    written, path = argument(call, 1, "shape"), argument_path(call, 1, "shape")
    listed = isinstance(written, list | tuple) and len(written) > axis
    if listed and _counts(call, written[axis], atoms):
        return
    if not listed or not isinstance(written[axis], int) or path is None:
        call.freeze(atoms, f"{call.record.name!r} computes its width.")
    elif written[axis] != -1:
        _apart(call, held, (*path, axis), atoms)
        call.argument(*path, axis, atoms=atoms)


def _counts(call: Call, width: Any, atoms: AtomArray) -> bool:
    """Whether a computed width is the number of as many channels: these go together."""
    for tensor, channels in zip(call.tensors, call.inputs, strict=True):
        if tensor is width and channels.sizes_of == 0 and len(channels.atoms) == len(atoms):
            call.atoms.unite(channels.atoms, atoms)
            call.followed.append(channels.atoms)
            return True
    return False


def _apart(
    call: Call, held: Mapping[Any, Setting], path: tuple[str | int, ...], atoms: AtomArray
) -> None:
    """Freeze what calls of one layer follow along different axes: its target is written once."""
    for other, setting in held.items():
        if other[:-1] == path[:-1] and other != path:
            for one in (setting.atoms, atoms):
                call.freeze(one, f"{call.record.name!r} has channels on another axis elsewhere.")


def permute(call: Call) -> Sequence[Channels]:
    """The channels go with their axis."""
    channels = call.inputs[0]
    dims = argument(call, 1, "dims", None)
    order = [0, *dims] if dims is not None else _order(call)
    places = [int(o) for o in order]
    copies = channels.copies
    if copies is not None:
        copies = Copies(places.index(copies.axis), copies.atoms)
    if channels.axis is None:
        return [replace(channels, copies=copies)]
    return [Channels(places.index(channels.axis), channels.atoms, copies)]


def expand(call: Call) -> Sequence[Channels]:
    """A new axis of length 1."""
    rank = len(call.output_sizes[0])
    axis = int(argument(call, 1, "axis")) % rank
    channels = call.inputs[0]
    if channels.axis is None:
        return [channels]
    return [Channels(channels.axis + (axis <= channels.axis), channels.atoms)]


def squeeze(call: Call) -> Sequence[Channels]:
    """Axes of length 1 go."""
    axes = argument(call, 1, "axis")
    if axes is None:
        raise NotUnderstoodError("it removes axes without naming them.")
    if call.inputs[0].axis in [int(a) % len(call.input_sizes[0]) for a in np.atleast_1d(axes)]:
        call.freeze(call.inputs[0].atoms, "This single channel becomes a position.")
        return [Channels()]
    return reduce_axes(call, axes, keepdims=False)


def move(call: Call) -> Sequence[Channels]:
    """``moveaxis`` and ``swapaxes``, by what they do to the numbers of the axes."""
    channels, rank = call.inputs[0], len(call.input_sizes[0])
    if channels.axis is None:
        return [channels]
    example = np.empty(range(1, rank + 1))
    if hasattr(call.layer, "source"):
        moved = np.moveaxis(example, call.layer.source, call.layer.destination)
    else:
        moved = np.swapaxes(example, call.layer.axis1, call.layer.axis2)
    return [Channels(moved.shape.index(channels.axis + 1), channels.atoms)]


def turned(call: Call, front: int, back: int) -> Sequence[Channels]:
    """Two axes, counted from the end, change places."""
    return by_example(call, lambda rows: np.swapaxes(rows, front, back))


def viewed(call: Call) -> Sequence[Channels]:
    """``view``: the bytes are read as another kind of number; each stays where it is."""
    if call.input_sizes[0] != call.output_sizes[0]:
        raise NotUnderstoodError("it reads the bytes of several numbers as one, or of one as more.")
    return [call.inputs[0]]


def repeat(call: Call) -> Sequence[Channels]:
    """``repeat`` and ``tile`` with numbers that are written down, where channels lie at least."""
    channels, rank = call.inputs[0], len(call.input_sizes[0])
    tiled = "ile" in str(getattr(call.layer, "symbol", type(call.layer).__name__))
    times = argument(call, 1, "repeats", argument(call, 1, "multiples"))
    if isinstance(times, list | tuple) and channels.sizes_of is not None:
        raise NotUnderstoodError("it repeats a constant as often as there are channels.")
    axis = argument(call, 2, "axis")
    if tiled and isinstance(times, list | tuple) and len(times) == rank:
        times = [n if isinstance(n, int) else -1 for n in times]  # -1: it is computed
        if channels.axis is not None and times[channels.axis] == -1:
            raise NotUnderstoodError("how often it repeats is computed.")
    if not np.issubdtype(np.asarray(times).dtype, np.integer):
        raise NotUnderstoodError("how often it repeats is computed.")
    if channels.axis is None:
        return [channels]
    if tiled:
        factors = [1] * (rank - np.size(times)) + np.atleast_1d(times).tolist()
        if len(factors) != rank:
            raise NotUnderstoodError("it adds axes.")
        if len(channels.atoms) == 1 and np.size(times) == rank and factors[channels.axis] > 1:
            return [_single(call, factors[channels.axis], channels.axis)]
        return [Channels(channels.axis, np.tile(channels.atoms, factors[channels.axis]))]
    if axis is None or np.ndim(times):
        raise NotUnderstoodError("it repeats single values.")
    if int(axis) % rank != channels.axis:
        return [channels]
    if len(channels.atoms) == 1 and int(times) > 1:
        return [_single(call, int(times))]
    return [Channels(channels.axis, np.repeat(channels.atoms, int(times)))]


def _single(call: Call, times: int, *place: int) -> Channels:
    """A single channel, repeated for each of other channels: less often when some of them go."""
    copies = call.atoms.new(times)
    path = argument_path(call, 1, "multiples" if place else "repeats")
    if hasattr(call.layer, "repeats"):
        call.setting("repeats", *place, atoms=copies)
    elif path is not None:
        call.argument(*path, *place, atoms=copies)
    else:
        call.freeze(copies, f"{call.record.name!r} computes how often it repeats.")
    call.freeze(call.inputs[0].atoms, "This single channel is combined with many channels.")
    return Channels(call.inputs[0].axis, copies)


def broadcast(call: Call) -> Sequence[Channels]:
    """``broadcast_to``: axes of length 1 are repeated to a shape that is written down or read.

    What is repeated is the same everywhere, and so can follow the channels of another tensor.
    """
    size, rank = call.output_sizes[0], len(call.output_sizes[0])
    channels, given = call.inputs[0], (1,) * (rank - len(call.input_sizes[0])) + call.input_sizes[0]
    axis = None if channels.axis is None else channels.axis + rank - len(call.input_sizes[0])
    repeated = [a for a in range(1, rank) if given[a] == 1 < size[a]]
    if axis in repeated:
        call.freeze(channels.atoms, "This single channel is combined with many channels.")
        axis = None
    copies = None
    if axis is None and repeated:
        copies = Copies(repeated[-1], _repeated(call, repeated[-1]))
    elif axis is not None:
        call.atoms.unite(channels.atoms, _repeated(call, axis))
    return [Channels(axis, channels.atoms if axis is not None else NO_ATOMS, copies)]


def _repeated(call: Call, axis: int) -> AtomArray:
    """Channels that the target's length on that axis counts."""
    width = call.output_sizes[0][axis]
    shape, path = argument(call, 1, "shape"), argument_path(call, 1, "shape")
    for tensor, channels in zip(call.tensors[1:], call.inputs[1:], strict=True):
        if tensor is shape and channels.sizes_of == axis and len(channels.atoms) == width:
            call.followed.append(channels.atoms)
            return channels.atoms
    atoms = call.atoms.new(width)
    listed = isinstance(shape, list | tuple) and len(shape) == len(call.output_sizes[0])
    if listed and _counts(call, shape[axis], atoms):
        return atoms
    if not listed or not isinstance(shape[axis], int):
        call.freeze(atoms, f"{call.record.name!r} computes its width.")
    elif hasattr(call.layer, "shape"):
        call.setting("shape", axis, atoms=atoms)
    elif path is not None:
        call.argument(*path, axis, atoms=atoms)
    return atoms


def ensured(call: Call) -> Sequence[Channels]:
    """``ensure_shape``: nothing moves, but the number of channels may be written into the call."""
    channels = call.inputs[0].decided()
    shape, path = argument(call, 1, "shape"), argument_path(call, 1, "shape")
    if channels.axis is None:
        return [channels]
    if not isinstance(shape, list | tuple) or path is None:
        call.freeze(channels.atoms, f"{call.record.name!r} computes its width.")
    elif shape[channels.axis] is not None:
        call.argument(*path, channels.axis, atoms=channels.atoms)
    return [channels]


def _order(call: Call) -> Sequence[int]:
    order = argument(call, 1, "axes", argument(call, 1, "perm"))
    return list(range(len(call.input_sizes[0])))[::-1] if order is None else list(order)


RULES = (
    LayerRule("flatten", ("Flatten",), flatten, "passed"),
    LayerRule("reshape", ("Reshape", "ops.Reshape", "tf.reshape"), reshape, "passed"),
    LayerRule("permute", ("Permute", "ops.Transpose", "tf.transpose"), permute, "passed"),
    LayerRule("new axis", ("ops.ExpandDims", "tf.expand_dims"), expand, "passed"),
    LayerRule("squeeze", ("ops.Squeeze", "tf.squeeze"), squeeze, "passed"),
    LayerRule("moved axis", ("ops.Moveaxis", "ops.Swapaxes"), move, "passed"),
    LayerRule(
        "turned image", ("tf.image.transpose",), partial(turned, front=-3, back=-2), "passed"
    ),
    LayerRule(
        "turned matrix",
        ("tf.linalg.matrix_transpose", "tf.linalg.adjoint"),
        partial(turned, front=-2, back=-1),
        "passed",
    ),
    LayerRule("view", ("ops.View", "tf.bitcast"), viewed, "passed"),
    LayerRule("broadcast", ("ops.BroadcastTo", "tf.broadcast_to"), broadcast, "passed"),
    LayerRule("ensured shape", ("tf.ensure_shape",), ensured, "passed"),
    LayerRule("repetition", ("ops.Repeat", "ops.Tile", "tf.repeat", "tf.tile"), repeat, "passed"),
)
