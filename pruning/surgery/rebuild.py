"""Rebuild a model from its edited configuration, models inside it included.

A nested model has inputs of its own, which say how many channels arrive. Cloning layer by layer
keeps them, so after a cut in the outer model they would no longer fit. Here the whole
configuration is edited instead, inner ``InputLayer``s included, and read back: what loading a file
of that configuration would give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from pruning.analysis.layer_rules._base import Channels
from pruning.analysis.profiler import Analysis
from pruning.frameworks._graph import without_build

NewConfig = Callable[[Any], dict[str, Any]]
Count = Callable[[Channels], int]


def is_model(layer: Any) -> bool:
    """Whether a layer is a model with layers of its own (wrappers have one ``layer``)."""
    return hasattr(layer, "layers") and hasattr(layer, "inputs")


def rebuild(analysis: Analysis, new_config: NewConfig, kept: Count) -> Any:
    """Build the model again from its edited configuration; weights fresh.

    Args:
        analysis: Of the model.
        new_config: Configuration of the new layer for a layer of the original.
        kept: How many channels are left of a tensor's channels.
    """
    config = _edited(analysis, analysis.model, new_config, kept, outermost=True)
    return type(analysis.model).from_config(config)


def pairs(model: Any, copy: Any) -> Iterator[tuple[Any, Any]]:
    """Every layer of the original beside the same layer of the copy, nested models walked."""
    for layer in model.layers:
        twin = copy.get_layer(layer.name)
        if is_model(layer):
            yield from pairs(layer, twin)
        else:
            yield layer, twin


def _edited(
    analysis: Analysis, model: Any, new_config: NewConfig, kept: Count, *, outermost: bool = False
) -> dict[str, Any]:
    config: dict[str, Any] = without_build(deepcopy(model.get_config()))
    config.pop("build_input_shape", None)
    # Keras 3 lists operations such as ``x + y`` beside the layers, and has them in its config.
    layers = {layer.name: layer for layer in getattr(model, "operations", model.layers)}
    for entry in config["layers"]:
        layer = layers.get(entry.get("name") or entry["config"]["name"])
        if entry["class_name"] == "InputLayer":
            if not outermost:
                _resize_input(analysis, model, entry["config"], kept)
        elif is_model(layer):
            entry["config"] = _edited(analysis, layer, new_config, kept)
        else:
            entry["config"] = without_build(new_config(layer))
    return config


def _resize_input(analysis: Analysis, model: Any, config: dict[str, Any], kept: Count) -> None:
    tensors = list(model.inputs)
    names = [str(tensor.name).split(":")[0] for tensor in tensors]
    tensor = tensors[names.index(config["name"])] if config["name"] in names else tensors[0]
    arriving = _arriving(analysis, model, tensor)
    if arriving is None or arriving.axis is None:
        return
    key = "batch_shape" if "batch_shape" in config else "batch_input_shape"
    shape = list(config[key])
    shape[arriving.axis] = kept(arriving)
    config[key] = shape


def _arriving(analysis: Analysis, model: Any, tensor: Any) -> Channels | None:
    """Channels that arrive at an inner model's input, as its first reader saw them."""
    if hasattr(model, "_nodes_by_depth"):
        readers = [
            (node.layer, place)
            for node in analysis.framework.nodes(model)
            for place, read in enumerate(node.inputs)
            if read is tensor
        ]
    else:  # a Sequential of Keras 3 keeps no graph of its own
        readers = [(model.layers[0], 0)] if model.layers else []
    if not readers:
        return None
    layer, place = readers[0]
    if is_model(layer):
        return _arriving(analysis, layer, layer.inputs[place])
    return analysis.traced.layers[id(layer)].inputs[place]
