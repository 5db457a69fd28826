"""Products of two tensors: ``Dot``, matrix products and Einstein sums, attention without weights.

The channels that a product sums over go together in both tensors (the embeddings of users and of
items, queries and keys). The channels that it hands on (the values of attention, the features of a
graph's nodes) are sums over positions, each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import Trace, argument, frozen, may_go, stays

SUMMED = "A product of tensors sums over channels in a way the studio does not follow."
ROOTED = (
    "It divides by the root of a head's width, and Keras takes what it answers to be as wide as the"
    " query."
)
EACH_WITH_EACH = (
    "combines each of these channels with each channel of another tensor: of two such widths"
    " only one can be cut."
)
_SINGLE = "This single channel is combined with many channels."
_Part = tuple[str, AtomArray, int]  # letter of the axis, channels along it, number of the input
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def of_two(trace: Trace) -> Trace:
    """Freeze what is no product of two tensors; a constant counts as one without channels."""

    @wraps(trace)
    def traced(call: Call) -> Sequence[Channels]:
        if len(call.inputs) == 1:
            call = _with_constant(call)
        if len(call.inputs) == 2:
            return trace(call)
        return stays(call, SUMMED)

    return traced


def _with_constant(call: Call) -> Call:
    """The call with its constant among the inputs, if it has one beside its tensor.

    So a fixed graph is written, whose nodes' features are to be mixed.
    """
    (tensor,) = call.tensors
    operands = [
        value if value is tensor else np.asarray(value)
        for value in (*call.args, *call.kwargs.values())
        if value is tensor or _is_matrix(value)
    ]
    if len(operands) != 2 or operands[0] is operands[1]:
        return call
    own = [value is tensor for value in operands]
    sizes = [tuple(value.shape) for value in operands]
    return replace(
        call,
        tensors=tuple(operands),
        inputs=tuple(call.inputs[0] if mine else Channels() for mine in own),
        input_sizes=tuple(
            call.input_sizes[0] if mine else size for mine, size in zip(own, sizes, strict=True)
        ),
    )


def _is_matrix(value: Any) -> bool:
    """Whether an argument is a constant to multiply by; lists of axes hold whole numbers."""
    return np.ndim(value) >= 2 and np.asarray(value).dtype.kind not in "iu"


@of_two
def dot(call: Call) -> Sequence[Channels]:
    """Sums over one axis of each tensor; channels along the other axes are handed on."""
    one, other = _ranks(call)
    axes = call.layer.axes
    first, second = (axes, axes) if isinstance(axes, int) else axes
    first, second = first % one, second % other
    # Vectors that it normalises before have, with zeros for some channels, the others' length.
    left = list(_LETTERS[:one])
    right = [left[0], *_LETTERS[one : one + other - 1]]
    right[second] = left[first]
    out = [*left[:first], *left[first + 1 :]]
    out += [letter for axis, letter in enumerate(right) if axis not in (0, second)]
    if len(out) == 1:  # one number a sample
        return _met(call, "".join(left), "".join(right), "".join(out))
    return _product(call, "".join(left), "".join(right), "".join(out))


@of_two
def matrix_product(call: Call) -> Sequence[Channels]:
    """The last axis of one with the last but one of the other; axes before them go along."""
    one, other = _ranks(call)
    if min(one, other) < 2:
        raise NotUnderstoodError("a product with a vector.")
    whole = _LETTERS[: max(one, other) - 2]
    left = ["x", "y"] if not _transposed(call, "a", 2) else ["y", "x"]
    right = ["y", "z"] if not _transposed(call, "b", 3) else ["z", "y"]
    return _product(
        call,
        whole[len(whole) - one + 2 :] + "".join(left),
        whole[len(whole) - other + 2 :] + "".join(right),
        whole + "xz",
    )


def distances(call: Call) -> Sequence[Channels]:
    """``cdist``: how far each row of one lies from each of the other, summed over all channels.

    As in a product, what is zero in both adds nothing. A constant's channels would go with it.
    """
    one, other = _ranks(call) if len(call.inputs) == 2 else (0, 0)
    if not one:
        return stays(call, SUMMED)
    whole = _LETTERS[: max(one, other) - 2]
    left, right = (whole[len(whole) - rank + 2 :] for rank in (one, other))
    return _product(call, f"{left}xy", f"{right}zy", f"{whole}xz")


@of_two
def tensor_product(call: Call) -> Sequence[Channels]:
    """``tensordot`` over one axis of each, and ``dot``, which takes the same axes as a product."""
    one, other = _ranks(call)
    axes = argument(call, 2, "axes", [[-1], [max(other - 2, 0)]])
    pair = [[-1], [0]] if np.ndim(axes) == 0 and axes == 1 else axes
    if np.ndim(pair) == 0 or np.size(pair) != 2:
        raise NotUnderstoodError("it sums over several axes of each tensor.")
    first, second = (int(np.ravel(axis)[0]) for axis in pair)
    left, right = _LETTERS[:one], list(_LETTERS[one : one + other])
    right[second] = left[first]
    out = left.replace(left[first], "") + "".join(n for n in right if n != left[first])
    return _product(call, left, "".join(right), out)


@of_two
def einstein_sum(call: Call) -> Sequence[Channels]:
    """Follows the letter of the channels."""
    equation = str(getattr(call.layer, "subscripts", None) or argument(call, 0, "equation"))
    left, _, out = equation.replace(" ", "").partition("->")
    operands = left.split(",")
    letters_only = all(part.isalpha() for part in (*operands, out))
    once = all(len(set(letters)) == len(letters) for letters in operands)
    if not letters_only or not once or tuple(map(len, operands)) != _ranks(call):
        raise NotUnderstoodError(f"the equation {equation!r}.")
    return _product(call, operands[0], operands[1], out)


def attention(call: Call) -> Sequence[Channels]:
    """Sums over the channels of query and key; hands on those of values that are no keys too."""
    query, value, key = _sources(call)
    call.weight(call.layer.scale)
    call.weight(getattr(call.layer, "concat_score_weight", None))
    return _compared_whole(call, query, value, key)


def operation(call: Call) -> Sequence[Channels]:
    """``dot_product_attention`` on (batch, steps, heads, width): whole heads go.

    The width of query, key and value goes as one, where the scale is written down. Where it is not,
    heads are followed, however few.
    """
    scaled = isinstance(argument(call, 5, "scale"), int | float)
    for index in range(0 if scaled else 3):
        call.prefer(index, 2)
    for channels in call.inputs[3:]:
        call.freeze(channels.atoms, f"{call.record.name!r} reads these values as a mask.")
    axes = [channels.axis for channels in call.inputs[:3]]
    one, other = call.input_sizes[0], call.input_sizes[1]
    pairs = 2 * one[1] * other[1]
    wide = scaled and axes == [3, 3, 3]
    if not wide and (axes != [2, 2, 2] or one[2] != other[2]):
        call.work(pairs, one[2], one[3])
        return stays(call, ROOTED)
    query, *others = call.inputs[:3]
    for channels in others:
        call.atoms.unite(query.atoms, channels.atoms)
    call.work(pairs * one[2 if wide else 3], query.atoms)
    if wide:
        call.sums(0, query.atoms)
    return [Channels(query.axis, query.atoms)]


def additive_attention(call: Call) -> Sequence[Channels]:
    """``scale`` reads the channels of query plus key; the values' channels are handed on."""
    query, value, key = _sources(call)
    scale = call.layer.scale
    if scale is None:
        return _compared_whole(call, query, value, key)
    atoms = call.along(query, -1)
    together = [call.along(key, -1)]
    if call.framework.family == "tf_keras":  # there the scale is as long as the values are wide
        together.append(call.along(value, -1))
    for others in together:
        if len(others) != len(atoms):
            raise NotUnderstoodError("it compares tensors of different widths.")
        call.atoms.unite(atoms, others)
    call.weight(scale, reads={0: atoms})
    return _attended(call, query, value, atoms)


def _compared_whole(call: Call, query: int, value: int, key: int) -> Sequence[Channels]:
    """Attention that compares query and key by all their channels, without a weight for each."""
    compared = [call.along(number, -1) for number in (query, key)]
    if len(compared[0]) != len(compared[1]):
        raise NotUnderstoodError("it compares tensors of different widths.")
    call.atoms.unite(*compared)
    for number, atoms in zip((query, key), compared, strict=True):
        if call.inputs[number].axis == len(call.input_sizes[number]) - 1:
            call.sums(number, atoms)
    return _attended(call, query, value, compared[1])


def _attended(call: Call, query: int, value: int, compared: AtomArray | int) -> Sequence[Channels]:
    """What attention answers: the values' channels, and the scores if they are asked for."""
    pairs = call.input_sizes[query][-2] * call.input_sizes[value][-2]
    values = call.along(value, -1)
    call.work(pairs, compared)
    call.work(pairs, values)
    scores = [Channels()] * (len(call.output_sizes) - 1)
    return [Channels(len(call.output_sizes[0]) - 1, values), *scores]


def _sources(call: Call) -> tuple[int, int, int]:
    """Numbers of the inputs that are query, value and key."""
    given = call.args[0] if call.args else call.kwargs.get("inputs", ())
    places = {id(tensor): number for number, tensor in enumerate(call.tensors)}
    numbers = [places[id(tensor)] for tensor in given if id(tensor) in places]
    if len(given) not in (2, 3) or len(numbers) != len(given):
        raise NotUnderstoodError("its query, value and key are not tensors of the model.")
    for number in set(places.values()).difference(numbers):
        call.freeze(
            call.inputs[number].atoms, f"{call.record.name!r} reads these values as a mask."
        )
    query, value, key = (*numbers, numbers[1])[:3]
    return query, value, key


def _product(call: Call, left: str, right: str, out: str) -> Sequence[Channels]:
    """One product, its axes named by letters: those that are not in ``out`` are summed over."""
    lengths = _lengths(call, left, right)
    if tuple(lengths[letter] for letter in out) != tuple(call.output_sizes[0]):
        raise NotUnderstoodError("its result has a shape that was not foreseen.")
    return _met(call, left, right, out)


def _met(call: Call, left: str, right: str, out: str) -> Sequence[Channels]:
    """Where the channels of the two tensors go; its work."""
    lengths = _lengths(call, left, right)
    widths: dict[str, AtomArray | int] = dict(lengths)
    summed, handed = [], []
    _prefer_handed_on(call, (left, right), out)
    for number, letters in enumerate((left, right)):
        channels = call.inputs[number]
        if channels.axis is None:
            continue
        letter = letters[channels.axis]
        part = (letter, channels.atoms, number)
        if letter not in out:
            summed.append(part)
        elif len(channels.atoms) != lengths[letter]:
            call.freeze(channels.atoms, _SINGLE)
        else:
            handed.append(part)
    widths.update(_summed(call, summed, (left, right)))
    if len({letter for letter, _, _ in handed}) > 1:
        handed = _one_of_two(call, handed, out)
    if not handed:
        call.work(1, *widths.values())
        return [Channels()]
    letter, atoms, number = handed[0]
    others = (right, left)[number]
    if len(handed) == 2:
        call.atoms.unite(atoms, handed[1][1])
    elif letter in others and call.input_sizes[1 - number][others.index(letter)] != 1:
        call.work(1, *lengths.values())
        return call.frozen_outputs(f"{call.record.name!r} combines channels with positions.")
    widths[letter] = atoms
    call.work(1, *widths.values())
    return [Channels(out.index(letter), atoms)]


def _prefer_handed_on(call: Call, letters: tuple[str, str], out: str) -> None:
    """Follow what a computed matrix makes, where what it reads stays anyway.

    So is the transform of points that a layer makes of themselves, or the weights of one network
    that another one makes: units of a dense layer, written as (read, made).
    """
    for number in (0, 1):
        open_axes = call.inputs[number].settled().open_axes()
        made = [axis for axis in open_axes if letters[number][axis] in out]
        read = [letters[number][axis] for axis in open_axes if letters[number][axis] not in out]
        if made and any(not _can_be_summed(call, 1 - number, letters, one) for one in read):
            call.prefer(number, max(made))


def _can_be_summed(call: Call, number: int, letters: tuple[str, str], letter: str) -> bool:
    """Whether an operand has channels along that letter of which some may go."""
    channels = call.inputs[number].settled()
    if channels.open_axes() or isinstance(call.tensors[number], np.ndarray):
        return True
    axis = letters[number].index(letter)
    return channels.axis == axis and may_go(call, channels.atoms)


def _summed(call: Call, parts: Sequence[_Part], letters: tuple[str, str]) -> dict[str, AtomArray]:
    """Channels that are summed over: the same ones of both tensors. -> {letter: channels}."""
    if len({letter for letter, _, _ in parts}) == 1 and len(parts) == 2:
        call.atoms.unite(parts[0][1], parts[1][1])
    else:
        for letter, atoms, number in parts:
            if letter in letters[1 - number] and not _cut_constant(
                call, 1 - number, letters[1 - number].index(letter), atoms
            ):
                call.freeze(atoms, f"{call.record.name!r} combines channels with positions.")
    for _, atoms, number in parts:
        call.sums(number, atoms)
    return {letter: atoms for letter, atoms, _ in parts}


def _cut_constant(call: Call, number: int, axis: int, atoms: AtomArray) -> bool:
    """Whether an operand is a constant, such as a fixed projection: its rows follow the cut."""
    if not isinstance(call.tensors[number], np.ndarray):
        return False
    held: list[tuple[str, str | int, Any]] = [("args", n, v) for n, v in enumerate(call.args)]
    held += [("kwargs", name, value) for name, value in call.kwargs.items()]
    for kind, key, value in held:
        if value is not call.tensors[1 - number] and _is_matrix(value):
            call.constant(kind, key, axis=axis, atoms=atoms)
    return True


def _one_of_two(call: Call, handed: Sequence[_Part], out: str) -> list[_Part]:
    """Every channel of one with every channel of the other: one of them is followed.

    The one that may go, if the other stays anyway (a single weight per position, or an input of the
    model); else the one that lies further back, where channels are by custom.
    """
    free = [part for part in handed if may_go(call, part[1])]
    # A single channel does not go, but what reads it is the same as when there were several.
    free = free or [part for part in handed if not call.atoms.are_frozen(part[1])]
    followed = max(free, key=lambda part: out.index(part[0]), default=None)
    for part in handed:
        if part is not followed:
            each = f"{call.record.name!r} {EACH_WITH_EACH}"
            call.freeze(part[1], _SINGLE if len(part[1]) == 1 else each)
    return [followed] if followed is not None else []


def _lengths(call: Call, left: str, right: str) -> dict[str, int]:
    """Length of every axis, by its letter; where one is 1 it is repeated."""
    lengths: dict[str, int] = {}
    for letters, size in zip((left, right), call.input_sizes, strict=True):
        for letter, length in zip(letters, size, strict=True):
            lengths[letter] = max(length, lengths.get(letter, 1))
    return lengths


def _ranks(call: Call) -> tuple[int, int]:
    one, other = (len(size) for size in call.input_sizes)
    return one, other


def _transposed(call: Call, which: str, position: int) -> bool:
    """Whether TensorFlow's product turns that tensor first; Keras 3's never does."""
    turned = argument(call, position, f"transpose_{which}", False)
    return bool(turned) or bool(argument(call, position + 2, f"adjoint_{which}", False))


RULES = (
    LayerRule("dot product", ("Dot",), dot, "passed"),
    LayerRule(
        "matrix product",
        ("ops.Matmul", "tf.linalg.matmul", "tf.matmul"),
        matrix_product,
        "passed",
    ),
    LayerRule("distances", ("ops.CDist",), distances, "passed"),
    frozen(
        "cross product",
        "It computes each of its three values from the other two.",
        ("ops.Cross", "tf.linalg.cross"),
    ),
    LayerRule("Einstein sum", ("ops.Einsum", "tf.einsum"), einstein_sum, "passed"),
    LayerRule("attention", ("Attention",), attention, "passed"),
    LayerRule("attention operation", ("ops.DotProductAttention",), operation, "passed"),
    LayerRule("additive attention", ("AdditiveAttention",), additive_attention, "cut"),
    LayerRule(
        "tensor product",
        ("ops.Dot", "ops.Tensordot", "tf.tensordot"),
        tensor_product,
        "passed",
    ),
)
