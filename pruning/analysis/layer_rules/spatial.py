"""Pooling, padding, cropping, resizing, dropout: positions change, channels do not.

Unless channels lie where the layer has positions: pooled in sets (maxout) they go in sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, Copies, LayerRule
from pruning.analysis.layer_rules._flow import pass_through, reduce_axes
from pruning.analysis.layer_rules._settings import channel_axis

_SIZES = ("1D", "2D", "3D")


def trace(call: Call) -> Sequence[Channels]:
    """Pass, when the layer's idea of the channel axis is where the channels are."""
    axis = channel_axis(call.layer, len(call.input_sizes[0]))
    channels = call.prefer(0, axis)
    if channels.axis not in (None, 0, axis) and not call.atoms.are_frozen(channels.atoms):
        moved = _moved(call, channels.axis - 1 - (axis < channels.axis))
        if moved is not None:
            return [Channels(channels.axis, moved)]
    atoms = call.along(0, axis)
    return [Channels(axis, atoms)]


def _moved(call: Call, place: int) -> AtomArray | None:
    """Channels along a spatial axis behind a layer that pools or repeats them in whole sets.

    ``place`` is the axis's among the spatial ones; ``None`` if the layer does something else there.
    """
    layer, atoms = call.layer, call.inputs[0].atoms
    if hasattr(layer, "pool_size"):
        size, step = (_entry(value, place) for value in (layer.pool_size, layer.strides))
        if size != step or len(atoms) % size:
            return None
        sets = atoms.reshape(-1, size)
        for others in sets.T[1:]:
            call.atoms.unite(sets[:, 0], others)
        return sets[:, 0]
    if hasattr(layer, "size") and getattr(layer, "interpolation", "nearest") == "nearest":
        return np.repeat(atoms, _entry(layer.size, place))
    for name in ("padding", "cropping"):
        if np.ndim(getattr(layer, name, "")) and not np.any(
            np.atleast_2d(getattr(layer, name))[place]
        ):
            return atoms
    return None


def _entry(value: Any, place: int) -> int:
    """What a setting says of one axis; a single number is for all of them."""
    return int(np.atleast_1d(value)[place if np.size(value) > 1 else 0])


def global_pooling(call: Call) -> Sequence[Channels]:
    """All positions become one; the channels stay, unless they lie where it has positions."""
    rank = len(call.input_sizes[0])
    axis = channel_axis(call.layer, rank)
    call.prefer(0, axis)
    positions = [a for a in range(1, rank) if a != axis]
    return reduce_axes(call, positions, len(call.output_sizes[0]) == rank, "inexact")


def repeat_vector(call: Call) -> Sequence[Channels]:
    """(batch, channels) becomes (batch, times, channels); the times can follow other channels."""
    channels = call.inputs[0]
    copies = Copies(1, call.atoms.new(call.output_sizes[0][1]))
    call.setting("n", atoms=copies.atoms)
    if channels.axis != 1:
        return [Channels(copies=copies)]
    return [Channels(2, channels.atoms, copies)]


_OLD_RESIZES = ("bilinear", "nearest_neighbor", "bicubic", "area")  # of TensorFlow 1

RULES = (
    LayerRule(
        "pooling and padding",
        tuple(
            f"{name}{size}"
            for name in ("MaxPooling", "AveragePooling", "UpSampling", "Cropping", "ZeroPadding")
            for size in _SIZES
        ),
        trace,
        "passed",
    ),
    LayerRule(
        "global pooling",
        tuple(f"Global{kind}Pooling{size}" for kind in ("Average", "Max") for size in _SIZES),
        global_pooling,
        "passed",
    ),
    LayerRule(
        "pooling operation",
        (
            *("ops.MaxPool", "ops.AveragePool", "ops.Resize", "tf.image.resize"),
            *("ops.AdaptiveMaxPool", "ops.AdaptiveAveragePool"),
            *("ops.PadImages", "ops.CropImages", "ops.GaussianBlur", "ops.AffineTransform"),
            *("tf.image.flip_left_right", "tf.image.flip_up_down", "tf.nn.pool"),
            *("tf.image.crop_to_bounding_box", "tf.image.resize_with_crop_or_pad"),
            *("tf.image.pad_to_bounding_box", "tf.image.central_crop"),
            *(f"tf.image.resize_{kind}" for kind in _OLD_RESIZES),
            *("tf.image.adjust_contrast", "tf.image.resize_with_pad"),
            *("ops.SobelEdges", "tf.nn.max_pool3d", "tf.nn.avg_pool3d"),
            *(f"tf.nn.{kind}_pool{size}" for kind in ("max", "avg") for size in ("", "2d", "1d")),
        ),
        trace,
        "passed",
    ),
    LayerRule(
        "adaptive pooling",
        tuple(f"Adaptive{kind}Pooling{size}" for kind in ("Average", "Max") for size in _SIZES),
        trace,
        "passed",
    ),
    LayerRule(
        "training only",
        (
            *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
            *(f"SpatialDropout{size}" for size in _SIZES),
            *("ActivityRegularization", "StochasticDepth", "tf.nn.dropout"),
        ),
        pass_through,
        "passed",
        by_value=True,
    ),
    LayerRule("repeat vector", ("RepeatVector",), repeat_vector, "passed"),
)
