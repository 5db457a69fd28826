"""Where the channels of a group can be looked at while the model runs.

For every call of a layer that makes the group's channels, one tensor: the one behind the first
activation function that these channels go through after that layer (its own, or ReLU behind a
BatchNorm or an addition). Without an activation function, what the first layer that reads the
channels is given. Channels that are in no tensor of the model's graph, such as the heads of an
attention layer, have no place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.layer_rules import key_of, rule_for
from pruning.analysis.layer_rules._base import Channels, LayerTrace
from pruning.analysis.layer_rules._settings import activation_name
from pruning.analysis.profile import Group
from pruning.frameworks._base import Node

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

NO_PLACE = "Its channels live inside a layer: no tensor of the model holds them."

# Functions of one value that are no activation function: the channel stays what it is.
_NOT_ACTIVATIONS = frozenset(
    {
        *("Identity", "ops.Cast", "ops.SaturateCast", "ops.StopGradient", "ops.Copy"),
        *("ops.Negative", "ops.NanToNum", "tf.cast", "tf.identity", "tf.stop_gradient"),
        *("tf.negative", "tf.math.negative", "tf.__operators__.neg"),
    }
)
_FUNCTIONS = ("activation", "elementwise function", "PReLU")


@dataclass(frozen=True, eq=False)
class Place:
    """One tensor that holds all channels of a group.

    Attributes:
        producer: Name of the layer whose call it belongs to.
        tensor: Symbolic, of the flat model.
        axis: Of the channels, batch dimension included.
        positions: (channels, k): where on that axis each channel is; k > 1 behind a Flatten.
    """

    producer: str
    tensor: Any
    axis: int
    positions: np.ndarray


@dataclass(frozen=True, eq=False)
class _Step:
    """One node with what the rules said of its outputs."""

    index: int
    node: Node
    record: LayerTrace
    outputs: Sequence[Channels]


_Way = list[tuple[_Step, Place | None]]


def places(analysis: Analysis) -> dict[str, list[Place]]:
    """Places of every group that can shrink; an empty list where there is none."""
    steps = list(_steps(analysis))
    found: dict[str, list[Place]] = {}
    for group in analysis.groups:
        if group.can_shrink:
            ways = _ways(analysis, steps, group)
            behind = [_looked_at(steps, way) for way in ways]
            found[group.id] = [place for place in behind if place is not None]
    return found


def layers_behind(analysis: Analysis) -> dict[str, list[list[LayerTrace]]]:
    """Layers that the channels of each group that can shrink go through, in the model's order.

    Returns:
        By group id, one list for every call of a layer that makes the channels, that layer first.
    """
    steps = list(_steps(analysis))
    return {
        group.id: [[step.record for step, _ in way] for way in _ways(analysis, steps, group)]
        for group in analysis.groups
        if group.can_shrink
    }


def _steps(analysis: Analysis) -> Iterator[_Step]:
    seen: dict[int, int] = {}
    for index, node in enumerate(analysis.framework.nodes(analysis.flat)):
        record = analysis.traced.layers[id(node.layer)]
        first = seen.get(id(node.layer), 0)
        seen[id(node.layer)] = first + len(node.outputs)
        yield _Step(index, node, record, record.outputs[first : first + len(node.outputs)])


def _ways(analysis: Analysis, steps: Sequence[_Step], group: Group) -> list[_Way]:
    members = analysis.channels.members[group.id]
    makers = [step for step in steps if step.record.name in group.producers]
    return [_way(analysis, steps, maker, members) for maker in makers]


def _way(analysis: Analysis, steps: Sequence[_Step], maker: _Step, members: np.ndarray) -> _Way:
    """Every step that the channels of ``maker`` go through, until they are read."""
    own = _holding(analysis, maker, members, maker.record.name)
    way: _Way = [(maker, own)]
    reached = {id(own.tensor)} if own is not None else set()
    for step in steps[maker.index + 1 :]:
        if not any(id(tensor) in reached for tensor in step.node.inputs):
            continue
        # A layer that makes the same channels anew has read these: a block on a residual path.
        made = (_roots(analysis, atoms) for atoms in step.record.made.values())
        if any(np.isin(atoms, members).any() for atoms in made):
            continue
        passed = _holding(analysis, step, members, maker.record.name)
        if passed is not None:
            reached.add(id(passed.tensor))
            way.append((step, passed))
    return way


def _looked_at(steps: Sequence[_Step], way: _Way) -> Place | None:
    """See the module's docstring."""
    for step, place in way:
        if place is not None and _is_activation(step):
            return place
    reached = {id(place.tensor): place for _, place in way if place is not None}
    passing = {step.index for step, _ in way}
    for step in steps:
        if step.index not in passing:
            for tensor in step.node.inputs:
                if id(tensor) in reached:
                    return reached[id(tensor)]
    return way[-1][1]


def _holding(analysis: Analysis, step: _Step, members: np.ndarray, producer: str) -> Place | None:
    """The first output that holds every channel of the group."""
    for tensor, channels in zip(step.node.outputs, step.outputs, strict=True):
        if channels.axis is None:
            continue
        roots = _roots(analysis, channels.atoms)
        places = np.flatnonzero(np.isin(roots, members))
        if len(places) and len(places) % len(members) == 0:
            ordered = places[np.argsort(roots[places], kind="stable")]
            positions = ordered.reshape(len(members), -1)
            if np.array_equal(roots[positions[:, 0]], members):
                return Place(producer, tensor, channels.axis, positions)
    return None


def _roots(analysis: Analysis, atoms: np.ndarray) -> np.ndarray:
    roots: np.ndarray = analysis.channels.roots[atoms]
    return roots


def _is_activation(step: _Step) -> bool:
    layer = step.node.layer
    if key_of(layer) in _NOT_ACTIVATIONS:
        return False
    if hasattr(layer, "activation"):
        return activation_name(layer.activation) != "linear"
    return rule_for(layer).name in _FUNCTIONS or rule_for(layer).name == "bidirectional"
