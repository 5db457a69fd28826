"""TimeDistributed: the wrapped layer or model at every step, its weights shared by all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.frameworks._base import Node


def trace(call: Call) -> Sequence[Channels]:
    """Ask the wrapped layer's rule, without the time axis; a model's layers one after another."""
    inner = call.layer.layer
    if hasattr(inner, "layers"):
        return _model(call, inner)
    return call.delegate(inner, "layer", "config", drop_axis=True)


def _model(call: Call, model: Any) -> Sequence[Channels]:
    if any(hasattr(layer, "layers") for layer in model.layers):
        raise NotUnderstoodError("it repeats a model that holds another model.")
    flat = call.framework.flat(model)
    given = call.without_time(call.inputs[0].decided())
    channels = {id(flat.inputs[0]): given}
    places = _places(model)
    _entry(call, model, given)
    for node in call.framework.nodes(flat):
        if not node.inputs:
            continue
        inner = _call(call, node, places, channels)
        channels.update(zip(map(id, node.outputs), inner.traced(), strict=True))
    return [call.with_time(channels[id(tensor)]) for tensor in flat.outputs]


def _call(call: Call, node: Node, places: dict[str, int], channels: dict[int, Channels]) -> Call:
    """One call inside the model, as the wrapper's record sees it."""
    shape = call.framework.shape
    path: tuple[str | int, ...] = ("layer", "config")
    if node.layer.name in places:
        path = (*path, "layers", places[node.layer.name], "config")

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


def _entry(call: Call, model: Any, given: Channels) -> None:
    """The model's input shape is written down in several places, which go with what it reads."""
    if given.axis is None:
        return
    config = model.get_config()
    written = config.get("build_input_shape")
    if written:
        call.setting("layer", "config", "build_input_shape", given.axis, atoms=given.atoms)
    for place, entry in enumerate(config["layers"]):
        for key in ("batch_shape", "batch_input_shape"):
            if entry["config"].get(key):
                path = ("layer", "config", "layers", place, "config", key, given.axis)
                call.setting(*path, atoms=given.atoms)


def _places(model: Any) -> dict[str, int]:
    """Where each layer's configuration is in the model's."""
    entries = model.get_config()["layers"]
    return {entry["config"]["name"]: place for place, entry in enumerate(entries)}


# What it wraps settles what it does not hand on, see ``Call.traced``.
RULE = LayerRule("time distributed", ("TimeDistributed",), trace, "cut", by_value=True)
