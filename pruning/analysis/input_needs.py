"""What a model does first with its inputs, and so what its data must be like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pruning.frameworks._base import Node

SCALING = ("Rescaling", "Normalization")
# Arithmetic with a constant, as ``preprocess_input(x)`` inside a functional model leaves it.
ARITHMETIC = ("truedivide", "truediv", "divide", "multiply", "subtract")
# Layers that change neither the range of values nor what a token means.
PASSING = (
    *("InputLayer", "Dropout", "GaussianNoise", "Masking", "Reshape", "Permute", "Identity"),
    *("ZeroPadding1D", "ZeroPadding2D", "Cropping2D", "Resizing", "CenterCrop", "GetItem", "Cast"),
)


@dataclass(frozen=True)
class InputNeeds:
    """What an input must be.

    Attributes:
        scales_itself: Rescaling or Normalization comes first: raw values are wanted.
        vocabulary: ``input_dim`` of the embedding that reads the input: tokens are below it.
    """

    scales_itself: bool = False
    vocabulary: int | None = None


def input_needs(entry: Any, nodes: Sequence[Node]) -> InputNeeds:
    """Follow an input through layers that let it pass, up to those that read it.

    Args:
        entry: The symbolic tensor of one of the model's inputs.
        nodes: All calls of the flat model, in an order in which inputs come before their readers.
    """
    carrying = {id(entry)}
    scales_itself, vocabularies = False, []
    for node in nodes:
        if not any(id(tensor) in carrying for tensor in node.inputs):
            continue
        cls = type(node.layer).__name__
        if cls in PASSING or cls.startswith("Random"):
            carrying.update(id(tensor) for tensor in node.outputs)
        elif cls == "Embedding":
            vocabularies.append(int(node.layer.input_dim))
        elif cls in SCALING or (len(node.inputs) == 1 and _operation(node.layer) in ARITHMETIC):
            scales_itself = True
    return InputNeeds(scales_itself, min(vocabularies) if vocabularies else None)


def _operation(layer: Any) -> str:
    """Name of an operator: Keras 3 has a class for each, tf_keras a symbol."""
    symbol = getattr(layer, "symbol", None)
    name = str(symbol).rsplit(".", 1)[-1] if symbol else type(layer).__name__
    return name.lower()
