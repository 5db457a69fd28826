"""Split, stack, unstack, and depth to space: tensors or positions that share channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument, argument_path

_SPLIT_AXES = {"Hsplit": 1, "Vsplit": 0, "Dsplit": 2}


def split(call: Call) -> Sequence[Channels]:
    """Along the channels every part has its own; equal parts must stay equally wide."""
    rank = len(call.input_sizes[0])
    axis = _SPLIT_AXES.get(type(call.layer).__name__, argument(call, 2, "axis", 0)) % rank
    channels = call.inputs[0]
    if channels.axis != axis:
        return [channels for _ in call.output_sizes]
    sizes = [size[axis] for size in call.output_sizes]
    ends = np.cumsum(sizes)
    parts = np.split(channels.atoms, ends[:-1])
    sections = argument(call, 1, "indices_or_sections", argument(call, 1, "num_or_size_splits"))
    if np.ndim(sections) == 0:
        if len(set(sizes)) > 1:
            return call.frozen_outputs(f"{call.record.name!r} makes parts of unequal width.")
        for part in parts[1:]:
            call.atoms.unite(parts[0], part)
    elif hasattr(call.layer, "indices_or_sections"):
        for number, end in enumerate(ends[: len(sections)]):
            call.setting("indices_or_sections", number, atoms=channels.atoms[:end])
    elif (path := argument_path(call, 1, "num_or_size_splits")) is not None:
        for number, part in enumerate(parts):
            if sections[number] != -1:
                call.argument(*path, number, atoms=part)
    return [Channels(axis, part) for part in parts]


def gated(call: Call) -> Sequence[Channels]:
    """``glu``: one half of the channels times the sigmoid of the other."""
    axis = int(argument(call, 1, "axis", -1)) % len(call.input_sizes[0])
    channels = call.inputs[0]
    if channels.axis != axis:
        return [channels]
    half, gate = np.split(channels.atoms, 2)
    call.atoms.unite(half, gate)
    return [Channels(axis, half)]


def stack(call: Call) -> Sequence[Channels]:
    """On a new axis: channel ``i`` of one tensor goes with channel ``i`` of the others."""
    axis = int(argument(call, 1, "axis", 0)) % len(call.output_sizes[0])
    first = call.inputs[0]
    if len({channels.axis for channels in call.inputs}) != 1:
        return call.frozen_outputs(f"{call.record.name!r} joins tensors with different axes.")
    if first.axis is None:
        return [first]
    for other in call.inputs[1:]:
        call.atoms.unite(first.atoms, other.atoms)
    return [Channels(first.axis + (axis <= first.axis), first.atoms)]


def unstack(call: Call) -> Sequence[Channels]:
    """Away goes an axis that is not the channels'."""
    axis = int(argument(call, 2, "axis", 0)) % len(call.input_sizes[0])
    channels = call.inputs[0]
    if channels.sizes_of is not None:  # one by one, as ``tf.shape`` answers them
        call.followed.append(channels.atoms)
        number = Channels(None, channels.atoms, sizes_of=0)
        return [
            number if n == channels.sizes_of else Channels() for n in range(len(call.output_sizes))
        ]
    if channels.axis == axis:
        return call.frozen_outputs(f"{call.record.name!r} picks channels by their number.")
    place = None if channels.axis is None else channels.axis - (axis < channels.axis)
    return [Channels(place, channels.atoms) for _ in call.output_sizes]


def depth_to_space(call: Call) -> Sequence[Channels]:
    """Blocks of channels become positions: the same channels of every block go together."""
    channels, block = _last(call)
    parts = channels.atoms.reshape(block * block, -1)
    for part in parts[1:]:
        call.atoms.unite(parts[0], part)
    return [Channels(channels.axis, parts[0])]


def space_to_depth(call: Call) -> Sequence[Channels]:
    """Positions become blocks of channels: every channel occurs once per position."""
    channels, block = _last(call)
    return [Channels(channels.axis, np.tile(channels.atoms, block * block))]


def patches(call: Call) -> Sequence[Channels]:
    """Every position becomes its neighbourhood: a channel occurs once per place in it."""
    if argument(call, 5, "data_format") == "channels_first":
        raise NotUnderstoodError("its channels are not on the last axis.")
    axis = len(call.input_sizes[0]) - 1
    atoms = call.along(0, axis)
    return [Channels(axis, np.tile(atoms, call.output_sizes[0][axis] // len(atoms)))]


def unfold(call: Call) -> Sequence[Channels]:
    """As :func:`patches`, channels before positions: each has its places one after another."""
    atoms = call.along(0, 1)
    return [Channels(1, np.repeat(atoms, call.output_sizes[0][1] // len(atoms)))]


def _last(call: Call) -> tuple[Channels, int]:
    if argument(call, 2, "data_format") not in (None, "NHWC", "channels_last"):
        raise NotUnderstoodError("its channels are not on the last axis.")
    axis = len(call.input_sizes[0]) - 1
    return Channels(axis, call.along(0, axis)), int(argument(call, 1, "block_size"))


RULES = (
    LayerRule(
        "split",
        ("ops.Split", "ops.ArraySplit", "tf.split", *(f"ops.{name}" for name in _SPLIT_AXES)),
        split,
        "passed",
    ),
    LayerRule("gated linear unit", ("ops.Glu",), gated, "passed"),
    LayerRule("stack", ("ops.Stack", "tf.stack"), stack, "passed"),
    LayerRule("unstack", ("ops.Unstack", "tf.unstack"), unstack, "passed"),
    LayerRule(
        "depth to space", ("ops.DepthToSpace", "tf.nn.depth_to_space"), depth_to_space, "passed"
    ),
    LayerRule("patches", ("ops.ExtractPatches", "tf.image.extract_patches"), patches, "passed"),
    LayerRule("unfold", ("ops.Unfold",), unfold, "passed"),
    LayerRule(
        "space to depth", ("ops.SpaceToDepth", "tf.nn.space_to_depth"), space_to_depth, "passed"
    ),
)
