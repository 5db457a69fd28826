"""Latency layer by layer: each layer alone on LiteRT, one thread, one sample.

LiteRT says from Python how long a model takes, not how long its operators do. So each call of a
layer is made a model of its own and timed on the values that it reads in the whole model. In the
whole model, LiteRT joins neighbours (a convolution, its BatchNorm and its activation): the layers
alone take longer than the model, and tell where the time goes, not how much it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pruning.comparison.latency import interleaved
from pruning.comparison.litert import Interpreter, convert
from pruning.errors import ExportError
from pruning.frameworks._base import Framework, Node
from pruning.frameworks.running import answers


def layer_latencies(
    model: Any,
    framework: Framework,
    sample: Sequence[np.ndarray],
    *,
    progress: Callable[[float, str], None] = lambda fraction, words: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, float | None]:
    """Time each layer alone; equal layers on equal inputs are timed once.

    Args:
        model: Of either Keras.
        framework: Its Keras.
        sample: One array of shape (1, …) for each input.
        progress: Told how far the conversion is.
        should_stop: Asked before each layer and each round.

    Returns:
        Layer path -> median milliseconds, of all its calls together; None for a layer that LiteRT
        cannot convert. Layers without an input are left out.
    """
    flat = framework.flat(model)
    nodes = [node for node in framework.nodes(flat) if node.inputs]
    values = _values(flat, framework, nodes, sample)
    pieces: dict[str, Interpreter | None] = {}
    calls: list[tuple[str, str]] = []
    for index, node in enumerate(nodes):
        if should_stop():
            break
        progress(index / len(nodes), f"layer {index + 1:,} of {len(nodes):,}")
        inputs = {id(tensor): tensor for tensor in node.inputs}
        given = [values[key] for key in inputs]
        alike = _signature(node, given)
        if alike not in pieces:
            pieces[alike] = _piece(node, list(inputs.values()), framework, given)
        calls.append((framework.path_of(flat, node.layer), alike))
    ready = {alike: piece for alike, piece in pieces.items() if piece is not None}
    times = interleaved([piece.invoke for piece in ready.values()], should_stop=should_stop)
    medians = {
        alike: float(np.median(runs)) for alike, runs in zip(ready, times, strict=True) if runs
    }
    return _by_layer(calls, medians)


def _by_layer(
    calls: Sequence[tuple[str, str]], medians: dict[str, float]
) -> dict[str, float | None]:
    """Add up a layer's calls; one that was not timed leaves the layer without a figure."""
    found: dict[str, float | None] = {}
    for path, alike in calls:
        before, now = found.get(path, 0.0), medians.get(alike)
        found[path] = None if before is None or now is None else before + now
    return found


def _values(
    flat: Any, framework: Framework, nodes: Sequence[Node], sample: Sequence[np.ndarray]
) -> dict[int, np.ndarray]:
    """What each tensor that a node reads holds for the sample, by the tensor's id."""
    tensors = {id(tensor): tensor for node in nodes for tensor in node.inputs}
    whole = framework.keras.Model(flat.inputs, list(tensors.values()))
    found = answers(whole, sample)
    return {key: np.asarray(value) for key, value in zip(tensors, found, strict=True)}


def _signature(node: Node, given: Sequence[np.ndarray]) -> str:
    """Equal for calls that do the same work: type, settings, constants and shapes."""
    layer = node.layer
    config = layer.get_config() if hasattr(layer, "get_config") else {}
    settings = {key: value for key, value in config.items() if key != "name"}
    shapes = [(value.shape, str(value.dtype)) for value in given]
    constants = [repr(a) for a in (*node.args, *node.kwargs.items()) if not _symbolic(a)]
    return json.dumps([type(layer).__qualname__, settings, shapes, constants], default=repr)


def _symbolic(value: Any) -> bool:
    """Whether a symbolic tensor is in it: its representation has a name that is its own."""
    if isinstance(value, list | tuple):
        return any(map(_symbolic, value))
    return "KerasTensor" in type(value).__name__


def _piece(
    node: Node, inputs: list[Any], framework: Framework, given: Sequence[np.ndarray]
) -> Interpreter | None:
    """The call as a model of its own, having run once; None when LiteRT cannot."""
    try:
        alone = framework.keras.Model(inputs, list(node.outputs))
        interpreter = Interpreter(convert(alone, [value.shape[1:] for value in given]))
        interpreter.feed(given)
        interpreter.invoke()
    except (ExportError, RuntimeError, ValueError):
        return None
    return interpreter
