"""TimeDistributed: the wrapped layer or model at every step, its weights shared by all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.frameworks._base import Node

_Path = tuple[str | int, ...]
_Paths = dict[int, tuple[Any, _Path]]  # layers and models by id, and where their configuration is
SEQUENTIAL = -1  # key of the input of such a model, see ``Place``


def trace(call: Call) -> Sequence[Channels]:
    """Ask the wrapped layer's rule, without the time axis; a model's layers one after another."""
    inner = call.layer.layer
    if hasattr(inner, "layers"):
        return _model(call, inner)
    return call.delegate(inner, "layer", "config", drop_axis=True)


def _model(call: Call, model: Any) -> Sequence[Channels]:
    flat = call.framework.flat(model)
    nodes = [node for node in call.framework.nodes(flat) if node.inputs]
    paths = dict(_paths(model, ("layer", "config")))
    channels = {id(flat.inputs[0]): call.without_time(call.inputs[0].decided())}
    unread = call.framework.unread(flat)
    for number, node in enumerate((*nodes, *unread)):
        counted = len(call.record.work)
        inner = _call(call, node, paths, channels)
        channels.update(zip(map(id, node.outputs), inner.traced(), strict=True))
        if number >= len(nodes):  # nothing that the model answers needs this work
            del call.record.work[counted:]
    for tensor in (*flat.inputs, *(t for node in (*nodes, *unread) for t in node.outputs)):
        for _, place in call.framework.places(flat, tensor):
            if place.model in paths:
                entered, path = paths[place.model]
                _entry(call, entered, path, place.key, channels[id(tensor)].decided())
    return [call.with_time(channels[id(tensor)]) for tensor in flat.outputs]


def _call(call: Call, node: Node, paths: _Paths, channels: dict[int, Channels]) -> Call:
    """One call inside the model, as the wrapper's record sees it."""
    shape = call.framework.shape
    _, path = paths.get(id(node.layer), (None, ("layer", "config")))

    def sizes(tensors: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
        return tuple((1, *(1 if n is None else n for n in shape(t)[1:])) for t in tensors)

    return replace(
        call,
        layer=node.layer,
        tensors=node.inputs,
        inputs=tuple(channels[id(tensor)].settled() for tensor in node.inputs),
        input_shapes=tuple(shape(tensor) for tensor in node.inputs),
        output_shapes=tuple(shape(tensor) for tensor in node.outputs),
        input_sizes=sizes(node.inputs),
        output_sizes=sizes(node.outputs),
        args=node.args,
        kwargs=node.kwargs,
        path=(*call.path, *path),
        times=call.times * call.input_sizes[0][1],
    )


def _entry(call: Call, model: Any, path: _Path, key: int, given: Channels) -> None:
    """A model's input shape is written down in several places, which go with what it reads.

    Args:
        call: Of the wrapper.
        model: The repeated one, or one nested in it.
        path: Of its configuration.
        key: Of a tensor in it, see :class:`Place`; most are none of its inputs.
        given: The channels of that tensor.
    """
    names = {id(tensor): tensor._keras_history[0].name for tensor in model.inputs}
    if given.axis is None or key not in (SEQUENTIAL, *names):
        return
    config = model.get_config()
    if config.get("build_input_shape"):
        call.setting(*path, "build_input_shape", given.axis, atoms=given.atoms)
    for place, entry in enumerate(config["layers"]):
        # Of a Sequential model, the input and the layer after it may both say what they read.
        if place > 1 if key == SEQUENTIAL else entry["config"].get("name") != names[key]:
            continue
        for shape in ("batch_shape", "batch_input_shape"):
            written = entry["config"].get(shape) or ()
            if len(written) > given.axis and written[given.axis] == len(given.atoms):
                width = (*path, "layers", place, "config", shape, given.axis)
                call.setting(*width, atoms=given.atoms)


def _paths(model: Any, path: _Path) -> Iterator[tuple[int, tuple[Any, _Path]]]:
    """The model and all in it by id, with where the configuration of each is in the wrapper's."""
    yield id(model), (model, path)
    entries = model.get_config()["layers"]
    places = {entry["config"]["name"]: place for place, entry in enumerate(entries)}
    for layer in getattr(model, "operations", model.layers):
        if layer.name not in places:
            continue
        inner = (*path, "layers", places[layer.name], "config")
        if hasattr(layer, "layers"):
            yield from _paths(layer, inner)
        else:
            yield id(layer), (layer, inner)


RULE = LayerRule("time distributed", ("TimeDistributed",), trace, "cut", by_value=True)
