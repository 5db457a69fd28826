"""The model's graph in Graphviz's DOT language, kept readable for large models.

Layers that only pass channels on (activation, BatchNorm, dropout, …) are drawn inside the node of
the layer before them; a model that is still large is shown around the selected layer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from pages.components.text import labels, visible
from pruning import quantities
from pruning.analysis.profile import Layer, ModelProfile
from pruning.charts.theme import FROZEN, SELECTED, group_color, ink_on

READABLE = 14  # nodes that can be taken in at once
LARGEST = 400  # nodes that a browser still lays out in a second or two
NAME_LENGTH = 30
_EDGE = "#8A97A3"  # seen on white and on near black
_DASHES = "#4A545D"  # seen on the grey that they surround
_FOLDED = frozenset(
    (
        *("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"),
        *("BatchNormalization", "LayerNormalization"),
        *("Dropout", "GaussianDropout", "GaussianNoise"),
        *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
        *("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"),
    )
)


@dataclass
class Node:
    """One box of the drawing: a layer and those folded into it."""

    layers: list[Layer] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first layer's name, which identifies the node."""
        return self.layers[0].name


def nodes(profile: ModelProfile) -> dict[str, Node]:
    """Fold the layers into nodes. -> by the first layer's name, in the model's order."""
    sources: dict[str, list[str]] = defaultdict(list)
    readers: dict[str, int] = defaultdict(int)
    for edge in profile.edges:
        sources[edge.target].append(edge.source)
        readers[edge.source] += 1
    folded: dict[str, Node] = {}
    node_of: dict[str, Node] = {}
    for layer in profile.layers:
        before = sources[layer.name]
        chain = layer.cls in _FOLDED and len(before) == 1 and readers[before[0]] == 1
        node = node_of.get(before[0]) if chain else None
        if node is None:
            node = folded.setdefault(layer.name, Node())
        node.layers.append(layer)
        node_of[layer.name] = node
    for edge in profile.edges:
        source, target = node_of.get(edge.source), node_of.get(edge.target)
        if source and target and source is not target and target.name not in source.readers:
            source.readers.append(target.name)
    return folded


def around(graph: Mapping[str, Node], center: str, size: int = READABLE) -> dict[str, Node]:
    """The nodes nearest to ``center``, by steps in either direction, at most ``size``."""
    neighbours: dict[str, list[str]] = defaultdict(list)
    for name, node in graph.items():
        for reader in node.readers:
            neighbours[name].append(reader)
            neighbours[reader].append(name)
    found = {center: None}
    for name in nearest_first(center, neighbours):
        if len(found) >= size:
            break
        found[name] = None
    return {name: node for name, node in graph.items() if name in found}


def nearest_first(start: str, neighbours: Mapping[str, list[str]]) -> list[str]:
    """All names reachable from ``start``, the nearest first."""
    order, seen = [start], {start}
    for name in order:  # grows while it is walked
        for other in neighbours.get(name, ()):
            if other not in seen:
                seen.add(other)
                order.append(other)
    return order


def dot(profile: ModelProfile, shown: Mapping[str, Node], selected: str | None) -> str:
    """Draw the nodes ``shown``; the one that holds the layer ``selected`` is outlined."""
    positions = {group.id: place for place, group in enumerate(profile.groups)}
    frozen = {group.id for group in profile.groups if not group.prunable}
    ids = elements(profile)
    numbers = {name: f"n{place}" for place, name in enumerate(shown)}
    names = labels(shown, NAME_LENGTH)
    lines = [
        "digraph {",
        'bgcolor="transparent" rankdir=TB nodesep=0.25 ranksep=0.3',
        'node [shape=box style="filled,rounded" fontname="Helvetica" fontsize=11 '
        'margin="0.14,0.06" penwidth=0]',
        f'edge [color="{_EDGE}" arrowsize=0.6 fontname="Helvetica" fontsize=9]',
    ]
    for name, node in shown.items():
        at = f' id="{ids[name]}"'
        group = _group(node, positions, frozen)
        color = FROZEN if group is None else group_color(positions[group])
        chosen = any(layer.name == selected for layer in node.layers)
        outline = f' penwidth=4 color="{SELECTED}"' if chosen else _outline(group)
        lines.append(
            f'{numbers[name]} [label="{_label(node, names[name])}" '
            f'tooltip="{_tooltip(node, group)}" fillcolor="{color}" '
            f'fontcolor="{ink_on(color)}"{outline}{at}]'
        )
        hidden = [reader for reader in node.readers if reader not in numbers]
        lines += [f"{numbers[name]} -> {numbers[r]}" for r in node.readers if r in numbers]
        if hidden:
            lines.append(f'{numbers[name]}_more [label="…" shape=plain style="" ')
            lines.append(f'fontcolor="{_EDGE}"]')
            lines.append(f"{numbers[name]} -> {numbers[name]}_more [style=dashed]")
    return "\n".join([*lines, "}"])


def elements(profile: ModelProfile) -> dict[str, str]:
    """Ids of the elements that draw the nodes, by name: of places, for names may hold anything."""
    return {layer.name: f"graph_node_{place}" for place, layer in enumerate(profile.layers)}


def escaped(text: str, length: int | None = None) -> str:
    """Text of a file for a quoted DOT string: no escapes, no entities, one line."""
    line = visible(text, length)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\\", "&#92;")):
        line = line.replace(char, entity)
    return line.replace('"', "&quot;")


def _group(node: Node, positions: Mapping[str, int], frozen: set[str]) -> str | None:
    """The group whose channels the node makes or passes on; ``None`` where they stay."""
    group = next((layer.groups_out[0] for layer in node.layers if layer.groups_out), None)
    return None if group in frozen or group not in positions else group


def _outline(group: str | None) -> str:
    """Frozen nodes are dashed: grey beside a group's pale colour is no difference for everybody."""
    return f' style="filled,rounded,dashed" penwidth=1.5 color="{_DASHES}"' if group is None else ""


def _label(node: Node, name: str) -> str:
    # Narrow: the wider the drawing, the smaller its words where it is fitted into its column.
    kinds = " · ".join(
        escaped(layer.cls.replace("Normalization", "Norm"), 20) for layer in node.layers[:4]
    )
    shape = quantities.shape(node.layers[-1].output_shape)
    params = sum(layer.params for layer in node.layers)
    facts = f"{shape}\\n{quantities.count(params)} parameters" if params else shape
    return f"{escaped(name)}\\n{kinds}\\n{facts}"


def _tooltip(node: Node, group: str | None) -> str:
    moves = "frozen" if group is None else f"group: {escaped(group)}"
    return "\\n".join([*(escaped(layer.name) for layer in node.layers[:12]), moves])
