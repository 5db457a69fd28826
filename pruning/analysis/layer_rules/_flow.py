"""How channels flow through operations without weights; shared by the rules of that kind.

Part of the contract, like ``_base.py``: rules import from here, never from each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, Choice, LayerRule, NotUnderstoodError

Across = Literal["sum", "inexact", "frozen"]
TOGETHER = "computes over all its channels together: without one, the result would change."
Trace = Callable[[Call], Sequence[Channels]]


def frozen(name: str, reason: str, covers: Sequence[str]) -> LayerRule:
    """Return a rule for layers whose channels stay, for a reason we know."""
    return LayerRule(name, tuple(covers), lambda call: stays(call, reason), "frozen", reason)


def stays(call: Call, reason: str) -> Sequence[Channels]:
    """Freeze what comes in and what goes out, and tell ``reason`` of the layer, too."""
    call.record.reason = reason
    return call.frozen_outputs(f"{call.record.name!r}: {reason}")


def pass_through(call: Call) -> Sequence[Channels]:
    """Each channel by itself, shape of rank unchanged: activations, pooling, padding."""
    return [call.inputs[0]] if call.inputs else call.frozen_outputs("It reads no layer.")


def argument(call: Call, position: int, name: str, default: Any = None) -> Any:
    """A setting of an operation, from its attribute or from the call's arguments.

    Keras 3 operations keep it as an attribute, TensorFlow operators get it with the call.
    """
    if hasattr(call.layer, name):
        return getattr(call.layer, name)
    if name in call.kwargs:
        return call.kwargs[name]
    return call.args[position] if len(call.args) > position else default


def argument_path(call: Call, position: int, name: str) -> tuple[str | int, ...] | None:
    """Where a call holds this argument, for :meth:`Call.argument`; ``None`` if nowhere."""
    if name in call.kwargs:
        return ("kwargs", name)
    return ("args", position) if len(call.args) > position else None


def elementwise(call: Call) -> Sequence[Channels]:
    """Unite channel ``i`` of all inputs: additions, products, maxima, with broadcasting.

    Cases: (1) inputs of the same width are united; (2) an input of width 1 is broadcast over all
    channels and stays; (3) a constant with one value per channel is cut where the call holds it;
    (4) what lies along another axis stays, and the channels can go if it is as wide as one of them;
    (5) values that are repeated along their axis are repeated less often;
    (6) with a sum over these very channels they are normalised: they go on request only.
    """
    size = call.output_sizes[0]
    if all(channels.axis is None for channels in call.inputs):
        return [Channels()]
    agree(call)
    right = _axis_from_right(call)
    if right is None:
        return call.frozen_outputs(f"{call.record.name!r} combines different axes.")
    axis = len(size) - right
    whole, copied = [], []
    for channels, shape in zip(call.inputs, call.input_sizes, strict=True):
        copies = channels.copies
        if channels.sizes_of is not None:  # no channels are in it, but their number
            continue
        if channels.axis != len(shape) - right:
            if copies is not None and copies.axis == len(shape) - right:
                copied.append(copies.atoms)
            elif right <= len(shape) and shape[-right] != 1:
                return call.frozen_outputs(
                    f"{call.record.name!r} combines channels with positions."
                )
            call.freeze(channels.atoms, f"{call.record.name!r} combines different axes.")
        elif len(channels.atoms) == size[axis]:
            whole.append(channels)
        else:
            call.freeze(channels.atoms, "This single channel is combined with many channels.")
    if not whole:
        return call.frozen_outputs(f"{call.record.name!r} combines channels with positions.")
    for channels in whole[1:]:
        call.atoms.unite(whole[0].atoms, channels.atoms)
    for atoms in copied:
        call.atoms.unite(whole[0].atoms, atoms)
        call.followed.append(atoms)
    for path, constant in constants(call):
        if constant.ndim >= right and constant.shape[constant.ndim - right] > 1:
            call.constant(*path, axis=constant.ndim - right, atoms=whole[0].atoms)
    if any(call.atoms.meet(channels.summed, whole[0].atoms) for channels in call.inputs):
        call.inexact(whole[0].atoms, f"{call.record.name!r} combines its channels with their sum.")
    return [Channels(axis, whole[0].atoms)]


def agree(call: Call) -> None:
    """Let inputs whose axis is open follow that of the others, counted from the right."""
    pairs = list(zip(call.inputs, call.input_sizes, strict=True))
    fixed = {len(s) - c.axis for c, s in pairs if c.axis is not None and c.choice is None}
    if len(fixed) == 1:
        right = fixed.pop()
        for index, (channels, size) in enumerate(pairs):
            if channels.choice is not None and len(size) >= right:
                call.prefer(index, -right)


def _axis_from_right(call: Call) -> int | None:
    """The axis of the channels of several inputs, the last being 1; ``None``: there are several."""
    tracked = [
        (len(shape) - channels.axis, channels.atoms)
        for channels, shape in zip(call.inputs, call.input_sizes, strict=True)
        if channels.axis is not None
    ]
    places = {right for right, _ in tracked}
    if len(places) > 1:
        # Along the others an input has positions: what meets them stays whatever is followed.
        places = {right for right in places if _meets_no_positions(call, right)} or places
    if len(places) > 1:
        tracked = [(right, atoms) for right, atoms in tracked if right in places]
        places = {right for right, atoms in tracked if may_go(call, atoms)}
        # A single channel does not go, but what reads it is the same as when there were several.
        places = places or {r for r, atoms in tracked if not call.atoms.are_frozen(atoms)}
    # Every channel of one with every channel of the other: the last axis is theirs by custom.
    return min(places, default=None)


def _meets_no_positions(call: Call, right: int) -> bool:
    """Whether all inputs have channels, copies or a single value on that axis from the right."""
    for channels, shape in zip(call.inputs, call.input_sizes, strict=True):
        axis = len(shape) - right
        copied = channels.copies is not None and channels.copies.axis == axis
        if axis >= 0 and shape[axis] != 1 and channels.axis != axis and not copied:
            return False
    return True


def may_go(call: Call, atoms: AtomArray) -> bool:
    """Whether some of ``atoms`` can be removed, by all that is known before this call."""
    return len(atoms) > 1 and not call.atoms.are_frozen(atoms)


def by_example(
    call: Call,
    function: Callable[[np.ndarray], np.ndarray],
    rows: tuple[int, int] = (1, 1),
    settled: Callable[[int, AtomArray], None] = lambda axis, atoms: None,
) -> Sequence[Channels]:
    """Move channels as ``function`` moves the values of an array.

    The array has as many rows in the batch as ``rows`` says first, the function's result as many as
    it says second: an operation may write positions into the batch dimension.

    Right for operations that only rearrange values in row order (reshape, transpose, repeat): the
    channels of the result are found on the one axis along which the atoms vary. When they are
    spread over several (a channel shuffle), one of them is followed, the longest if the reader has
    no wish, and what differs along the others is tied: the same channels go in every part.

    ``settled`` is told which axis is followed, and its channels.
    """
    channels = call.inputs[0]
    if channels.axis is None:
        return [Channels()]
    size = (rows[0], *call.input_sizes[0][1:])
    shape = [1] * len(size)
    shape[channels.axis] = len(channels.atoms)
    example = function(np.broadcast_to(channels.atoms.reshape(shape), size))
    if example.shape != (rows[1], *call.output_sizes[0][1:]):
        raise NotUnderstoodError(f"{call.record.name!r} gives a shape that was not foreseen.")
    lines = {
        axis: np.moveaxis(example, axis, 0).reshape(example.shape[axis], -1)
        for axis in _varying_axes(example)
    }
    usual = max(lines, key=lambda axis: example.shape[axis])
    if usual == 0:
        raise NotUnderstoodError(f"{call.record.name!r} writes channels into the batch.")
    lines.pop(0, None)

    def settle(axis: int, line: AtomArray) -> None:
        if (line != line[:, :1]).any():
            for other in np.unique(line, axis=1).T:
                call.atoms.unite(line[:, 0], other)
        settled(axis, line[:, 0].copy())

    choice = Choice(lines, usual, settle)
    made = Channels(usual, lines[usual][:, 0].copy(), choice=choice)
    return [made.decided() if len(lines) == 1 else made]


def reduce_axes(
    call: Call, axes: Any, keepdims: bool, across: Across = "frozen"
) -> Sequence[Channels]:
    """Mean, sum or maximum over ``axes`` (``None``: all).

    Args:
        call: Of the operation.
        axes: Counted with the batch.
        keepdims: Whether they stay, with length 1.
        across: What it means when the channels are among them: ``sum``, one that is zero counts for
            nothing; ``inexact``, as with a mean; ``frozen``.

    The first axis holds samples, or tensors that were stacked in front of them (the branches of a
    selective kernel): each channel is still computed by itself.
    """
    rank = len(call.input_sizes[0])
    gone = range(rank) if axes is None else [int(a) % rank for a in np.atleast_1d(axes)]
    channels = call.beside(gone)
    if channels.axis is None:
        return [Channels()]
    if channels.axis in gone and 0 not in gone and across == "sum":
        call.sums(0, channels.atoms)
        return [Channels(summed=channels.atoms)]
    if channels.axis in gone and 0 not in gone and across == "inexact":
        call.inexact(channels.atoms, f"{call.record.name!r} {TOGETHER}")
        return [Channels()]
    axis = channels.axis if keepdims else channels.axis - sum(a < channels.axis for a in gone)
    if channels.axis in gone or axis == 0:
        return call.frozen_outputs(f"{call.record.name!r} computes over all channels together.")
    return [Channels(axis, channels.atoms)]


def _varying_axes(example: np.ndarray) -> list[int]:
    """The axes along which the atoms differ."""
    varying = [
        axis
        for axis in range(example.ndim)
        if example.shape[axis] > 1 and (np.diff(example, axis=axis) != 0).any()
    ]
    # One channel only, or none that differ: it can sit on any axis; the last is the custom.
    return varying or [example.ndim - 1]


def constants(call: Call) -> list[tuple[tuple[str | int, ...], np.ndarray]]:
    """Arrays and numbers among the call's arguments, and where they are."""
    found: list[tuple[tuple[str | int, ...], Any]] = []
    places: list[tuple[tuple[str | int, ...], Any]] = [
        (("args", i), value) for i, value in enumerate(call.args)
    ]
    places += [(("kwargs", name), value) for name, value in call.kwargs.items()]
    for path, value in places:
        listed = isinstance(value, list | tuple)
        if listed and any(_is_symbolic(part, call) for part in value):
            found += [((*path, i), part) for i, part in enumerate(value)]
        else:
            found.append((path, value))
    return [
        (path, np.asarray(value))
        for path, value in found
        if value is not None
        and not isinstance(value, str | bytes | bool | dict)
        and not _is_symbolic(value, call)
        and np.asarray(value).dtype != object
    ]


def _is_symbolic(value: Any, call: Call) -> bool:
    return any(value is tensor for tensor in call.tensors) or "KerasTensor" in type(value).__name__
