"""One forward pass, also of layers that TensorFlow has no CPU kernels for.

Convolutions and pooling with ``channels_first`` are such: TensorFlow's own CPU kernels only know
channels last. Its compiler XLA knows both, and is used for such models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pruning.frameworks._base import Framework


def answer(model: Any, inputs: Sequence[Any]) -> Any:
    """Outputs of ``model`` in inference mode, as the model nests them.

    Layers that remember the samples of the last call (stateful ones) forget them first.

    Args:
        model: Of either Keras.
        inputs: One array per input of the model, in the order of ``model.inputs``.
    """
    given = nested(model, inputs)
    forget(model)

    def run(values: Any) -> Any:
        return model(values, training=False)

    compiler = needs_compiler(model)
    if not compiler and not takes_samples_for_a_bias(model):
        return run(given)
    import tensorflow as tf

    if compiler:
        return tf.function(run, jit_compile=True)(given)
    specs = tf.nest.map_structure(
        lambda value: tf.TensorSpec((None, *value.shape[1:]), value.dtype), given
    )
    return tf.function(run, input_signature=[specs])(given)


def answers(model: Any, inputs: Sequence[Any]) -> list[Any]:
    """The same as a list, in the order of ``model.outputs``."""
    return leaves(answer(model, inputs))


def leaves(answered: Any) -> list[Any]:
    """Tensors of an answer in the order of ``model.outputs``, however the model nests them."""
    if isinstance(answered, dict):
        return [leaf for key in sorted(answered) for leaf in leaves(answered[key])]
    if isinstance(answered, list | tuple):
        return [leaf for entry in answered for leaf in leaves(entry)]
    return [answered]


def fixed_batch(model: Any) -> int | None:
    """How many samples the model reads at once, where its author fixed that.

    He may have left it open at the inputs, and written it into a reshape or a table of nodes: then
    it is what the model answers with.
    """
    shapes = (tensor.shape for tensor in (*model.inputs, *model.outputs) if len(tensor.shape))
    return next((int(shape[0]) for shape in shapes if shape[0] is not None), None)


def model_errors() -> tuple[type[Exception], ...]:
    """What a model raises that cannot run on what it was given."""
    import tensorflow as tf

    return ValueError, ArithmeticError, tf.errors.OpError


def forget(model: Any) -> None:
    """Bring all stateful layers back to where they start."""
    for layer in getattr(model, "layers", ()):
        forget(layer)
        if getattr(layer, "stateful", False) and not hasattr(layer, "layers"):
            # Keras 3, then tf_keras.
            (getattr(layer, "reset_state", None) or layer.reset_states)()


def nested(model: Any, inputs: Sequence[Any]) -> Any:
    """The inputs as the model wants them: one by itself, several together or by their keys.

    Together they are a tuple, at any depth: ``tf.data`` takes a list for one tensor.

    Args:
        model: Of either Keras.
        inputs: One value per input of the model, in the order of ``model.inputs``.
    """
    wanted = getattr(model, "_inputs_struct", None)
    parts = wanted if isinstance(wanted, list | tuple) else ()
    if isinstance(wanted, dict) or any(isinstance(part, dict | list | tuple) for part in parts):
        places = {id(tensor): place for place, tensor in enumerate(model.inputs)}
        if all(id(tensor) in places for tensor in leaves(wanted)):
            return _filled(wanted, {key: inputs[place] for key, place in places.items()})
    return tuple(inputs) if len(inputs) > 1 else inputs[0]


def _filled(wanted: Any, values: dict[int, Any]) -> Any:
    """The same nest, with a value in place of each tensor."""
    if isinstance(wanted, dict):
        return {key: _filled(part, values) for key, part in wanted.items()}
    if isinstance(wanted, list | tuple):
        return tuple(_filled(part, values) for part in wanted)
    return values[id(wanted)]


def needs_compiler(model: Any) -> bool:
    """Whether a layer, also one inside another, keeps its channels in front of the positions."""
    return any(
        getattr(layer, "data_format", None) == "channels_first"
        or needs_compiler(layer)
        or (hasattr(layer, "layer") and needs_compiler(_Only(layer.layer)))
        for layer in getattr(model, "layers", ())
    )


def takes_samples_for_a_bias(model: Any) -> bool:
    """Whether Keras 3 adds one value a sample wrongly when it knows how many samples there are.

    Its ``add`` tells a bias by its size: (8, 1, 1) beside (8, 8, 5) are eight values for eight
    positions, not one for each of eight samples. Where the number of samples is open, as in
    training and ``predict``, they are what they are (Keras 3.15, ``backend/tensorflow/numpy.py``).
    """
    for operation in getattr(model, "operations", ()):
        if takes_samples_for_a_bias(operation):
            return True
        if type(operation).__name__ != "Add":
            continue
        for node in operation._inbound_nodes:
            shapes = [tuple(tensor.shape) for tensor in node.input_tensors]
            single = [len(shape) > 1 and set(shape[1:]) == {1} for shape in shapes]
            if any(single) and not all(single):
                return True
    return False


def loops_over_time(model: Any, framework: Framework) -> int:
    """How many layers repeat their operations for every time step: slow without a graph."""
    layers = framework.keras.layers
    repeating = (layers.RNN, layers.Bidirectional, layers.TimeDistributed)
    return sum(isinstance(layer, repeating) for layer in framework.layers(model))


class _Only:
    """A single wrapped layer in the place of a model's list of layers."""

    def __init__(self, layer: Any) -> None:
        self.layers = [layer]
