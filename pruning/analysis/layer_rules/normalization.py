"""Layers that normalise over channels: the statistics of the others change when one goes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument, constants, frozen

REASON = (
    "it normalises over all its channels: without one, the result would change for those that stay."
)


def trace(call: Call) -> Sequence[Channels]:
    """LayerNormalization and its like: exact over other axes, else inexact and on request only."""
    layer = call.layer
    rank = len(call.input_sizes[0])
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    axes = [int(axis) % rank for axis in axes]
    channels = call.beside(axes)
    if channels.axis not in axes:
        return [channels]
    for name in ("gamma", "beta", "scale"):
        weight = getattr(layer, name, None)
        if hasattr(weight, "shape"):
            call.weight(weight, carries={axes.index(channels.axis): channels.atoms})
    call.record.reason = f"{REASON[0].upper()}{REASON[1:]}"
    call.inexact(channels.atoms, f"in {call.record.name!r}, {REASON}")
    return [channels]


def operation(call: Call) -> Sequence[Channels]:
    """``layer_normalization`` and its like: factors and offsets are written into the call."""
    rank = len(call.input_sizes[0])
    axes = [int(axis) % rank for axis in np.atleast_1d(argument(call, 1, "axis", -1))]
    channels = call.beside(axes)
    if len(call.inputs) != 1:
        raise NotUnderstoodError("it multiplies by numbers that are computed.")
    if channels.axis not in axes:
        return [channels]
    for path, array in constants(call):
        if array.ndim and len(axes) > 1:
            raise NotUnderstoodError("it normalises over several axes at once.")
        if array.ndim:
            call.constant(*path, axis=0, atoms=channels.atoms)
    call.inexact(channels.atoms, f"in {call.record.name!r}, {REASON}")
    return [channels]


def vectors(call: Call) -> Sequence[Channels]:
    """``l2_normalize``, written as an operation."""
    channels, rank = call.inputs[0], len(call.input_sizes[0])
    axes = argument(call, 1, "axis", -1 if hasattr(call.layer, "axis") else None)
    if channels.axis is None:
        return [channels]
    if axes is None or channels.axis in [int(axis) % rank for axis in np.atleast_1d(axes)]:
        call.inexact(channels.atoms, f"in {call.record.name!r}, {REASON}")
    return [channels]


def images(call: Call) -> Sequence[Channels]:
    """``per_image_standardization``: over the last three axes of each image."""
    rank = len(call.input_sizes[0])
    channels = call.beside(range(rank - 3, rank))
    if channels.axis is not None and channels.axis >= rank - 3:
        call.inexact(channels.atoms, f"in {call.record.name!r}, {REASON}")
    return [channels]


def neighbours(call: Call) -> Sequence[Channels]:
    """Local response normalization (AlexNet): a channel is divided by its neighbours' size."""
    channels = call.inputs[0]
    if channels.axis == len(call.input_sizes[0]) - 1:
        reason = f"{call.record.name!r} divides each channel by the size of its neighbours."
        call.inexact(channels.atoms, reason)
    return [channels]


def grouped(call: Call) -> Sequence[Channels]:
    """GroupNormalization: whole groups go, exactly; a single one is as LayerNormalization."""
    layer = call.layer
    axis = int(layer.axis) % len(call.input_sizes[0])
    atoms = call.along(0, axis)
    for weight in (layer.gamma, layer.beta):
        call.weight(weight, carries={0: atoms})
    if layer.groups == 1:
        call.record.reason = f"{REASON[0].upper()}{REASON[1:]}"
        call.inexact(atoms, f"in {call.record.name!r}, {REASON}")
        return [Channels(axis, atoms)]
    parts = atoms.reshape(layer.groups, -1)
    for position in range(1, parts.shape[1]):
        call.atoms.unite(parts[:, 0], parts[:, position])
    call.setting("groups", atoms=parts[:, 0])
    return [Channels(axis, atoms)]


RULES = (
    LayerRule(
        "normalization over channels",
        ("LayerNormalization", "RMSNormalization", "UnitNormalization"),
        trace,
        "cut",
    ),
    LayerRule("group normalization", ("GroupNormalization",), grouped, "cut"),
    LayerRule(
        "normalization over channels operation",
        ("ops.LayerNorm", "ops.RMSNorm"),
        operation,
        "passed",
    ),
    LayerRule(
        "normalization operation",
        ("ops.Normalize", "tf.math.l2_normalize", "tf.nn.l2_normalize"),
        vectors,
        "passed",
    ),
    LayerRule("standardized images", ("tf.image.per_image_standardization",), images, "passed"),
    LayerRule(
        "local response normalization",
        ("tf.nn.local_response_normalization", "tf.nn.lrn"),
        neighbours,
        "passed",
    ),
    frozen(
        "masking",
        "It looks at all values of a step to decide whether the step counts.",
        ("Masking",),
    ),
)
