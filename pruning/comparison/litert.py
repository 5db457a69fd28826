"""A Keras model as a LiteRT flat buffer, and running it: one thread, one sample.

Both Kerases go one way: trace a call with a batch of 1, freeze its variables, convert the graph.
Measured with TensorFlow 2.21 on small models of both: the frozen graph is the only way that
converts recurrent layers of both without touching the model. ``from_keras_model`` refuses open
batches there; unfrozen graphs of Keras 3 keep variables that LiteRT reads as garbage; tf_keras'
fused LSTM kernel is off by 6e-4, the frozen loop by 3e-8.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.errors import ExportError
from pruning.frameworks.greetings import without_greetings
from pruning.frameworks.running import fixed_batch, nested

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.]")


def convert(model: Any, shapes: Sequence[tuple[int, ...]]) -> bytes:
    """Convert to float32 LiteRT with a fixed batch of 1.

    Args:
        model: Of either Keras.
        shapes: Shape of one sample of each input, without open dimensions.

    Raises:
        ExportError: LiteRT has no operator for something in the model.
    """
    import tensorflow as tf

    # Not exported under tf.*, but what TensorFlow's own converters call; TensorFlow is pinned.
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    specs = [
        tf.TensorSpec((1, *shape), tensor.dtype, name=name)
        for shape, tensor, name in zip(shapes, model.inputs, _names(model), strict=True)
    ]

    def call(*values: Any) -> Any:
        return model(nested(model, values), training=False)

    try:
        traced = tf.function(call).get_concrete_function(*specs)
        frozen = convert_variables_to_constants_v2(traced)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        return bytes(converter.convert())
    # The converter raises whatever its C++ part meets: there is no narrower class to name.
    except Exception as error:
        rows = fixed_batch(model) or 1
        why = _why(error) if rows == 1 else f"it reads {rows} samples at once, and the file one."
        raise ExportError(
            f"LiteRT cannot convert this model: {why}",
            expected="Layers that LiteRT's built-in operators can compute.",
            fix="Export to keras or h5 instead.",
        ) from error


def _why(error: Exception) -> str:
    """The line that says it: not where in a program, nor where in TensorFlow's."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not re.match(r"in user code:|File \"", line)] or [""]
    found = re.search(r"\berror: (.+)", said[0])
    return (found[1] if found else said[0])[:300]


def _names(model: Any) -> list[str]:
    """What the model calls its inputs, as TensorFlow allows names."""
    names: list[str] = []
    for tensor in model.inputs:
        name = _NOT_IN_NAMES.sub("_", tensor.name.split(":")[0]).lstrip("_.") or "input"
        names.append(f"{name}_{len(names)}" if name in names else name)
    return names


class Interpreter:
    """A LiteRT model, ready to run one sample at a time on one thread."""

    def __init__(self, content: bytes) -> None:
        import tensorflow as tf

        with without_greetings(), warnings.catch_warnings():
            # It announces a move to another package on every construction.
            warnings.simplefilter("ignore")
            self._interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    def feed(self, values: Sequence[np.ndarray]) -> None:
        """Set the inputs: one array of shape (1, …) each, in the model's order."""
        # Frozen inputs keep the order of the call; names only tell ties apart.
        for details, value in zip(self._in_order(), values, strict=True):
            self._interpreter.set_tensor(details["index"], value.astype(details["dtype"]))

    def invoke(self) -> None:
        """Run once on what was fed."""
        self._interpreter.invoke()

    def outputs(self) -> list[np.ndarray]:
        """Copies of the outputs of the last run."""
        return [
            np.array(self._interpreter.get_tensor(details["index"])) for details in self._outputs
        ]

    def _in_order(self) -> list[dict[str, Any]]:
        return sorted(self._inputs, key=lambda details: int(details["index"]))
