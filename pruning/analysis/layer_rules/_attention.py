"""What attention layers share: which input is the query, and projections to heads.

Part of the contract, see ``_base.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels

_PARAMETERS = ("query", "value", "key")


def bound_inputs(call: Call) -> dict[str, int]:
    """Which input is the query, the value, the key. -> {parameter: input index}."""
    given = dict(zip(_PARAMETERS, call.args, strict=False))
    given.update({name: call.kwargs[name] for name in _PARAMETERS if name in call.kwargs})
    return {
        name: next(i for i, known in enumerate(call.tensors) if known is tensor)
        for name, tensor in given.items()
        if tensor is not None
    }


def freeze_masks(call: Call, bound: Mapping[str, int]) -> None:
    """Freeze the channels of inputs that are none of query, value and key."""
    projected = [call.tensors[index] for index in bound.values()]
    for tensor, channels in zip(call.tensors, call.inputs, strict=True):
        if not any(tensor is known for known in projected):
            call.freeze(channels.atoms, f"{call.record.name!r} reads these values as a mask.")


def answers(call: Call, heads: AtomArray, made: AtomArray) -> list[Channels]:
    """What an attention layer returns: its channels, and the scores of its heads if asked to.

    Args:
        call: Of the layer.
        heads: As many as the scores have: (batch, …, heads, steps of query, steps of key).
        made: The channels.
    """
    outputs = [Channels(len(call.output_sizes[0]) - 1, made)]
    compared = len(getattr(call.layer, "_attention_axes", None) or (1,))
    for size in call.output_sizes[1:]:
        if len(size) != len(call.output_sizes[0]) + compared:  # Keras 3 declares too few axes
            call.freeze(heads, f"{call.record.name!r} returns the scores of its heads.")
            outputs.append(Channels())
        else:
            outputs.append(Channels(len(size) - 2 * compared - 1, heads))
    return outputs


def project(
    call: Call,
    projection: Any,
    index: int,
    makes: Mapping[int, AtomArray],
    steps: int,
    reads: Mapping[int, AtomArray] | None = None,
    root_of: AtomArray | None = None,
) -> None:
    """One projection to heads: kernel (in, heads, width), bias (heads, width).

    Args:
        call: Of the attention layer.
        projection: The inner layer with ``kernel`` and ``bias``.
        index: The input it reads.
        makes: Atoms along the kernel's axes that it makes.
        steps: Length of the sequence.
        reads: Atoms along axes where the product that follows sums over them.
        root_of: See :attr:`WeightAxes.root_of`.
    """
    summed = dict(reads or {})
    read = call.along(index, len(call.input_sizes[index]) - 1)
    call.weight(
        projection.kernel,
        makes=makes,
        reads={0: read, **summed},
        kernel=True,
        multiply_adds=steps,
        root_of=root_of,
    )
    call.weight(
        projection.bias,
        carries={axis - 1: atoms for axis, atoms in makes.items()},
        reads={axis - 1: atoms for axis, atoms in summed.items()},
        root_of=root_of,
    )
