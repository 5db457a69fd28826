"""Operations along one axis: cumulated, turned round, shifted, sorted, or picked by numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import Trace, argument, argument_path, by_example

_SEGMENTS = ("sum", "mean", "max", "min", "prod")
_FLIPPED = {"Fliplr": (1,), "Flipud": (0,)}
ACROSS = "works across its channels: without one, the result would change."


def along(position: int) -> Trace:
    """Channels pass when the axis, argument number ``position``, is another than theirs."""

    def trace(call: Call) -> Sequence[Channels]:
        channels = call.inputs[0]
        if channels.axis is None or channels.axis not in _axes(call, position):
            return [channels]
        return call.frozen_outputs(f"{call.record.name!r} {ACROSS}")

    return trace


def along_last(call: Call) -> Sequence[Channels]:
    """``top_k``: values and their places, both of the same channels."""
    channels = call.inputs[0]
    if channels.axis == len(call.input_sizes[0]) - 1:
        return call.frozen_outputs(f"{call.record.name!r} {ACROSS}")
    return [channels for _ in call.output_sizes]


def turned(call: Call) -> Sequence[Channels]:
    """``flip`` and ``reverse``: along their own axis the channels stand in reverse order."""
    channels = call.inputs[0]
    named = _FLIPPED.get(type(call.layer).__name__)
    if channels.axis is None or channels.axis not in (named or _axes(call, 1)):
        return [channels]
    return [Channels(channels.axis, channels.atoms[::-1])]


def turned_in_part(call: Call) -> Sequence[Channels]:
    """``reverse_sequence``: of each sample so many steps stand in reverse order."""
    channels, rank = call.inputs[0], len(call.input_sizes[0])
    named = [argument(call, 2, "seq_axis", 0), argument(call, 3, "batch_axis", 0)]
    if _first(call) is not call.tensors[0]:
        raise NotUnderstoodError("what it turns round is no tensor of the model.")
    _are_numbers(call)
    if channels.axis in [int(axis or 0) % rank for axis in named]:
        return call.frozen_outputs(f"{call.record.name!r} {ACROSS}")
    return [channels]


def rotated(call: Call) -> Sequence[Channels]:
    """``rot90``: two axes change places, and one of them is turned round."""
    times = int(argument(call, 1, "k", 1))
    axes = argument(call, 2, "axes", (1, 2))  # TensorFlow turns the positions of an image
    return by_example(call, lambda rows: np.rot90(rows, times, axes))


def triangle(call: Call) -> Sequence[Channels]:
    """``tril`` and its like: what is left of the last two axes depends on the place in both."""
    rank = len(call.input_sizes[0])
    channels = call.beside((rank - 2, rank - 1))
    if channels.axis is not None and channels.axis >= rank - 2:
        return call.frozen_outputs(f"{call.record.name!r} keeps other positions of each channel.")
    return [channels]


def picked(call: Call) -> Sequence[Channels]:
    """``take`` and ``gather``; written numbers of channels follow the cut.

    Computed ones (the edges of a graph, the best of the tokens) may pick along other axes.
    """
    numbers = argument(call, 1, "indices")
    channels, axis = call.inputs[0], argument(call, 3, "axis")
    batches = int(argument(call, 4, "batch_dims", 0))
    if axis is None and not hasattr(call.layer, "axis"):
        axis = batches  # so TensorFlow takes it
    if axis is None or _first(call) is not call.tensors[0]:
        raise NotUnderstoodError("it picks values by numbers that are computed.")
    axis = int(axis) % len(call.input_sizes[0])
    if len(call.inputs) != 1 and axis == channels.axis:
        raise NotUnderstoodError("it picks channels by numbers that are computed.")
    _are_numbers(call)
    if channels.axis is None:
        return [channels]
    if axis == channels.axis:
        return [_channels(call, channels.atoms, np.asarray(numbers), axis)]
    more = len(call.output_sizes[0]) - len(call.input_sizes[0]) if axis < channels.axis else 0
    return [Channels(channels.axis + more, channels.atoms)]


def picked_at(call: Call) -> Sequence[Channels]:
    """``gather_nd``: numbers along the first axes; what lies along the axes behind stays whole."""
    channels, rank = call.inputs[0], len(call.input_sizes[0])
    if _first(call) is not call.tensors[0]:
        raise NotUnderstoodError("what it picks from is no tensor of the model.")
    _are_numbers(call)
    if channels.axis is None:
        return [Channels()]
    written = argument(call, 1, "indices")
    numbers = call.input_sizes[1] if len(call.inputs) > 1 else np.shape(written)
    behind = int(argument(call, 2, "batch_dims", 0)) + numbers[-1]
    axis = channels.axis + len(call.output_sizes[0]) - rank
    if channels.axis < behind or axis < 1:
        return call.frozen_outputs(f"{call.record.name!r} picks channels by numbers.")
    return [Channels(axis, channels.atoms)]


def picked_along(call: Call) -> Sequence[Channels]:
    """``take_along_axis``: numbers for all channels alike, or for each channel its own."""
    channels, axis, size = call.inputs[0], call.layer.axis, call.input_sizes[0]
    if axis is None or len(call.inputs) != 2 or len(call.input_sizes[1]) != len(size):
        raise NotUnderstoodError("it picks values in a way that is not followed.")
    if channels.axis is None or int(axis) % len(size) == channels.axis:
        return call.frozen_outputs(f"{call.record.name!r} picks channels by computed numbers.")
    numbers = call.prefer(1, channels.axis)
    if numbers.axis == channels.axis and len(numbers.atoms) == len(channels.atoms):
        call.atoms.unite(channels.atoms, numbers.atoms)
        return [channels]
    _are_numbers(call)
    if call.input_sizes[1][channels.axis] != 1:
        return call.frozen_outputs(f"{call.record.name!r} combines channels with positions.")
    return [channels]


def summed_by_number(call: Call) -> Sequence[Channels]:
    """``segment_sum`` and its like: rows of one number are added up, each channel by itself."""
    channels = call.inputs[0]
    if channels.axis == 0 or len(call.output_sizes[0]) != len(call.input_sizes[0]):
        raise NotUnderstoodError("it sums rows by numbers of more than one axis.")
    _are_numbers(call)
    return [channels]


def _first(call: Call) -> Any:
    """The first argument, whatever it is called."""
    names = ("x", "params", "input")
    return call.args[0] if call.args else next(call.kwargs[n] for n in names if n in call.kwargs)


def _are_numbers(call: Call) -> None:
    """What is read behind the first input are numbers of rows: its own channels stay."""
    for channels in call.inputs[1:]:
        call.freeze(channels.atoms, f"{call.record.name!r} picks or sums by these numbers.")


def _channels(call: Call, atoms: AtomArray, numbers: np.ndarray, axis: int) -> Channels:
    """Channels in another order, some of them, some twice; a single one becomes a position."""
    path = argument_path(call, 1, "indices")
    if path is None or numbers.ndim > 1 or argument(call, 4, "batch_dims", 0):
        raise NotUnderstoodError("it picks channels in a way that is not followed.")
    picked = atoms[np.atleast_1d(numbers)]
    call.numbers(*path, atoms=atoms, picked=picked)
    if numbers.ndim:
        return Channels(axis, picked)
    call.freeze(picked, f"{call.record.name!r} picks this channel by its number.")
    return Channels()


def _axes(call: Call, position: int) -> list[int]:
    """Axes that an operation works along; all of them when none is named."""
    axes: Any = argument(call, position, "axis")
    rank = len(call.input_sizes[0])
    return [int(a) % rank for a in (range(rank) if axes is None else np.atleast_1d(axes))]


def _rule(name: str, trace: Callable[[Call], Sequence[Channels]], *covers: str) -> LayerRule:
    return LayerRule(name, covers, trace, "passed")


RULES = (
    _rule(
        "order along an axis",
        along(1),
        *("ops.Cumsum", "ops.Cumprod", "ops.Sort", "ops.Argsort", "tf.cumsum", "tf.math.cumsum"),
        *("tf.math.cumprod", "tf.math.cumulative_logsumexp", "tf.sort", "tf.argsort"),
        *("ops.Nancumsum", "ops.Nancumprod"),
    ),
    _rule("differences along an axis", along(2), "ops.Diff"),
    _rule("the largest along the last axis", along_last, "ops.TopK", "tf.math.top_k"),
    _rule("shift along an axis", along(2), "ops.Roll", "tf.roll"),
    _rule("rotation", rotated, "ops.Rot90", "tf.image.rot90"),
    _rule("reverse order", turned, "ops.Flip", "ops.Fliplr", "ops.Flipud", "tf.reverse"),
    _rule("reverse order in part", turned_in_part, "tf.reverse_sequence"),
    _rule("triangle", triangle, "ops.Tril", "ops.Triu", "tf.linalg.band_part"),
    _rule("picking by numbers", picked, "ops.Take", "tf.gather"),
    _rule("picking along the first axes", picked_at, "tf.gather_nd"),
    _rule("picking along an axis", picked_along, "ops.TakeAlongAxis"),
    _rule(
        "sums by numbers",
        summed_by_number,
        *("ops.SegmentSum", "ops.SegmentMax", "ops.SegmentMin", "ops.SegmentProd"),
        *(f"tf.math.{u}segment_{n}" for u in ("", "unsorted_") for n in _SEGMENTS),
    ),
)
