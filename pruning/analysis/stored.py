"""What a model's weights, and everything else, take in the file that the studio saves."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pruning.analysis.layer_rules._base import LayerTrace
from pruning.analysis.profile import Layer
from pruning.frameworks._base import Framework

FLOAT32 = 4


class Stored:
    """Bytes of one model's file, told apart by layer.

    Args:
        framework: The model's.
        model: Not flat: ``.h5`` files are written by the layers that the model itself holds.
        file_format: ``keras`` or ``h5``.
    """

    def __init__(self, framework: Framework, model: Any, file_format: str) -> None:
        self.framework = framework
        self.model = model
        self.file_format = file_format
        # ``.h5`` stores a layer that is used both within a nested model and beside it twice.
        weights = [weight for layer in model.layers for weight in layer.weights]
        self._times = Counter(map(id, weights)) if file_format == "h5" else Counter()

    def value_bytes(self, variables: Sequence[Any]) -> int:
        """Bytes of one value of a layer, counted as often as it is stored.

        The largest variable speaks for the layer: those beside it with other types (counters,
        seeds) have no channels, and hence belong to the container.
        """
        if not variables:
            return FLOAT32
        largest = max(variables, key=lambda v: int(np.prod(tuple(v.shape), dtype=np.int64)))
        return _item_bytes(largest) * max(1, self._times[id(largest)])

    def container_bytes(self, layers: Sequence[Layer]) -> int:
        """Save a rebuilt model once and subtract its layers' values, whichever they are."""
        rebuilt = self.framework.clone(self.model, lambda layer: layer.get_config())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model.{self.file_format}"
            self.framework.save(rebuilt, path)
            return path.stat().st_size - sum(layer.value_bytes * layer.params for layer in layers)


def bytes_vary(records: Iterable[LayerTrace]) -> bool:
    """Whether a cut changes more of the file than its layers' weights.

    So do constants for each channel and numbers of channels, which are written into the
    configuration as text, layers that store a kernel which is another layer's, too, and low-rank
    adapters, which Keras adds to the kernel that it stores.
    """
    return any(
        record.constants
        or record.numbers
        or type(record.layer).__name__ == "SpectralNormalization"
        or getattr(record.layer, "lora_enabled", False)
        for record in records
    )


def _item_bytes(variable: Any) -> int:
    dtype = str(getattr(variable.dtype, "name", variable.dtype))
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
