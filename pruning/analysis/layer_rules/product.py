"""Products of two tensors: ``Dot``, matrix products and Einstein sums, attention without weights.

The channels that a product sums over have no weight that could read zeros in their place: they
stay. The channels that it hands on (the values of attention, the features of a graph's nodes) are
sums over positions, each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import Trace, argument, frozen, may_go, stays

SUMMED = "A product of two tensors sums over their channels, without weights that could be cut."
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def of_two(trace: Trace) -> Trace:
    """Freeze what is no product of two tensors of the model, but of one with a constant."""

    @wraps(trace)
    def traced(call: Call) -> Sequence[Channels]:
        if len(call.inputs) == 2:
            return trace(call)
        return stays(call, SUMMED)

    return traced


@of_two
def dot(call: Call) -> Sequence[Channels]:
    """Sums over one axis of each tensor; channels along the other axes are handed on."""
    one, other = _ranks(call)
    axes = call.layer.axes
    first, second = (axes, axes) if isinstance(axes, int) else axes
    first, second = first % one, second % other
    if call.layer.normalize:  # by the length along the very axis that is summed over
        _freeze_along(call, 0, first)
        _freeze_along(call, 1, second)
    left = list(_LETTERS[:one])
    right = [left[0], *_LETTERS[one : one + other - 1]]
    right[second] = left[first]
    out = [*left[:first], *left[first + 1 :]]
    out += [letter for axis, letter in enumerate(right) if axis not in (0, second)]
    if len(out) == 1:  # one number a sample
        return _summed(call, dict(zip(left, call.input_sizes[0], strict=True)))
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
    _freeze_along(call, query, -1)
    _freeze_along(call, key, -1)
    return _attended(call, query, value, call.input_sizes[key][-1])


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
    lengths: dict[str, int] = {}
    for letters, size in zip((left, right), call.input_sizes, strict=True):
        for letter, length in zip(letters, size, strict=True):
            lengths[letter] = max(length, lengths.get(letter, 1))
    if tuple(lengths[letter] for letter in out) != tuple(call.output_sizes[0]):
        raise NotUnderstoodError("its result has a shape that was not foreseen.")
    handed = []
    for number, letters in enumerate((left, right)):
        channels = call.inputs[number]
        if channels.axis is None:
            continue
        letter = letters[channels.axis]
        if letter not in out:
            call.freeze(channels.atoms, f"{call.record.name!r}: {SUMMED}")
        elif len(channels.atoms) != lengths[letter]:
            call.freeze(channels.atoms, "This single channel is combined with many channels.")
        else:
            handed.append((letter, channels.atoms, number))
    if len({letter for letter, _, _ in handed}) > 1:
        # Every channel of one with every channel of the other. One of them can be cut still, when
        # the other stays anyway: a single weight per position, or an input of the model.
        free = [part for part in handed if may_go(call, part[1])]
        if len(free) > 1:
            return _frozen(call, lengths, "combines different axes.")
        for _, atoms, _ in handed:
            if not may_go(call, atoms):
                call.freeze(atoms, f"{call.record.name!r} combines different axes.")
        handed = free
    if not handed:
        return _summed(call, lengths)
    letter, atoms, number = handed[0]
    others = (right, left)[number]
    if len(handed) == 2:
        call.atoms.unite(atoms, handed[1][1])
    elif letter in others and call.input_sizes[1 - number][others.index(letter)] != 1:
        return _frozen(call, lengths, "combines channels with positions.")
    widths = [atoms if known == letter else length for known, length in lengths.items()]
    call.work(1, *widths)
    return [Channels(out.index(letter), atoms)]


def _frozen(call: Call, lengths: dict[str, int], why: str) -> Sequence[Channels]:
    """Nothing may go; the work is counted all the same."""
    call.work(1, *lengths.values())
    return call.frozen_outputs(f"{call.record.name!r} {why}")


def _summed(call: Call, lengths: dict[str, int]) -> Sequence[Channels]:
    """Nothing is handed on: what comes out has positions only."""
    for channels in call.inputs:
        call.freeze(channels.atoms, f"{call.record.name!r}: {SUMMED}")
    call.work(1, *lengths.values())
    call.record.reason = SUMMED
    return [Channels()]


def _ranks(call: Call) -> tuple[int, int]:
    one, other = (len(size) for size in call.input_sizes)
    return one, other


def _transposed(call: Call, which: str, position: int) -> bool:
    """Whether TensorFlow's product turns that tensor first; Keras 3's never does."""
    turned = argument(call, position, f"transpose_{which}", False)
    return bool(turned) or bool(argument(call, position + 2, f"adjoint_{which}", False))


def _freeze_along(call: Call, number: int, axis: int) -> None:
    call.freeze(call.along(number, axis), f"{call.record.name!r}: {SUMMED}")


RULES = (
    LayerRule("dot product", ("Dot",), dot, "passed"),
    LayerRule(
        "matrix product",
        ("ops.Matmul", "tf.linalg.matmul", "tf.matmul"),
        matrix_product,
        "passed",
    ),
    LayerRule("Einstein sum", ("ops.Einsum", "tf.einsum"), einstein_sum, "passed"),
    LayerRule("attention", ("Attention",), attention, "passed"),
    LayerRule("additive attention", ("AdditiveAttention",), additive_attention, "cut"),
    frozen(
        "other product",
        SUMMED,
        ("ops.Dot", "ops.Tensordot", "ops.DotProductAttention", "tf.tensordot"),
    ),
)
