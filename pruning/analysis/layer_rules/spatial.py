"""Pooling, padding, cropping, resizing, dropout: positions change, channels do not."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, Copies, LayerRule
from pruning.analysis.layer_rules._flow import pass_through, reduce_axes
from pruning.analysis.layer_rules._settings import channel_axis

_SIZES = ("1D", "2D", "3D")


def trace(call: Call) -> Sequence[Channels]:
    """Pass, when the layer's idea of the channel axis is where the channels are."""
    axis = channel_axis(call.layer, len(call.input_sizes[0]))
    atoms = call.along(0, axis)
    return [Channels(axis, atoms)]


def global_pooling(call: Call) -> Sequence[Channels]:
    """All positions become one; the channels stay."""
    rank = len(call.input_sizes[0])
    axis = channel_axis(call.layer, rank)
    call.along(0, axis)
    positions = [a for a in range(1, rank) if a != axis]
    return reduce_axes(call, positions, len(call.output_sizes[0]) == rank)


def repeat_vector(call: Call) -> Sequence[Channels]:
    """(batch, channels) becomes (batch, times, channels); the times can follow other channels."""
    channels = call.inputs[0]
    copies = Copies(1, call.atoms.new(call.output_sizes[0][1]))
    call.setting("n", atoms=copies.atoms)
    if channels.axis != 1:
        return [Channels(copies=copies)]
    return [Channels(2, channels.atoms, copies)]


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
            *("ActivityRegularization", "StochasticDepth"),
        ),
        pass_through,
        "passed",
    ),
    LayerRule("repeat vector", ("RepeatVector",), repeat_vector, "passed"),
)
