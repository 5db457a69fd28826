"""Layer names that TensorFlow can put into a graph: needed to predict and to train, not to analyse.

Keras 3 lets a layer be called ``conv 1`` or ``<img>``; its ``fit`` and ``predict`` then fail inside
TensorFlow. Such a model can still be analysed, cut and saved. tf_keras does not even build one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pruning import quantities
from pruning.errors import ModelFileError

# As tf.Graph.name_scope has it inside another scope, without the backslash that nodes refuse.
_NAME = re.compile(r"[A-Za-z0-9_./>-]+")
_SHOWN = 3


def require_graph_names(layers: Iterable[Any]) -> None:
    """Refuse layer names that predicting and training would fail on.

    Args:
        layers: All layers of a model of Keras 3.

    Raises:
        ModelFileError: With the first of the names.
    """
    wrong = [layer.name for layer in layers if not _NAME.fullmatch(layer.name)]
    if wrong:
        names = quantities.listed([repr(name) for name in wrong], _SHOWN)
        raise ModelFileError(
            f"TensorFlow cannot run a layer of this name: {names}.",
            expected="Layer names of the letters A to Z, digits, _ . - and >: Keras itself cannot "
            "predict or train with others.",
            fix="Rename these layers where the model is built and save it again; analysing it "
            "and pruning without retraining or data work as it is.",
        )


def is_depthwise(layer: Any, variable_name: str) -> bool:
    """Whether each output of that kernel reads one input channel: it has no axis of inputs.

    Args:
        layer: Whose weight it is; a wrapper's inner layer counts.
        variable_name: The last part of the variable's name.
    """
    while hasattr(layer, "layer"):  # TimeDistributed, SpectralNormalization
        layer = layer.layer
    return variable_name == "depthwise_kernel" or type(layer).__name__.startswith("DepthwiseConv")


def is_operation(layer: Any) -> bool:
    """Whether a call in a graph is of a function, ``keras.ops`` or ``tf``, and not of a layer."""
    cls = type(layer)
    return cls.__name__ in ("TFOpLambda", "SlicingOpLambda") or ".src.ops" in cls.__module__
