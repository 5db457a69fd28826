"""One forward pass, also of layers that TensorFlow has no CPU kernels for.

Convolutions and pooling with ``channels_first`` are such: TensorFlow's own CPU kernels only know
channels last. Its compiler XLA knows both, and is used for such models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def answer(model: Any, inputs: Sequence[Any]) -> Any:
    """Outputs of ``model`` in inference mode, as the model nests them.

    Args:
        model: Of either Keras.
        inputs: One array per input of the model.
    """
    given = list(inputs) if len(inputs) > 1 else inputs[0]

    def run(values: Any) -> Any:
        return model(values, training=False)

    if needs_compiler(model):
        import tensorflow as tf

        return tf.function(run, jit_compile=True)(given)
    return run(given)


def needs_compiler(model: Any) -> bool:
    """Whether a layer, also one inside another, keeps its channels in front of the positions."""
    return any(
        getattr(layer, "data_format", None) == "channels_first"
        or needs_compiler(layer)
        or (hasattr(layer, "layer") and needs_compiler(_Only(layer.layer)))
        for layer in getattr(model, "layers", ())
    )


class _Only:
    """A single wrapped layer in the place of a model's list of layers."""

    def __init__(self, layer: Any) -> None:
        self.layers = [layer]
