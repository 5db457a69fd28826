"""The HDF5 file ``.h5`` of Keras 2 times, written and read by the model's own Keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pruning.delivery.exports._base import Export
from pruning.delivery.running import outputs_of
from pruning.frameworks._base import Framework


def write(model: Any, framework: Framework, path: Path, inputs: Sequence[np.ndarray]) -> None:
    """Save without optimizer state."""
    framework.save(model, path)


def read(framework: Framework, path: Path, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Load with plain Keras, no custom objects, and run."""
    model = framework.keras.models.load_model(str(path), compile=False, safe_mode=True)
    return outputs_of(model, inputs)


EXPORT = Export("h5", ".h5", "HDF5 file of the model's own Keras", 1e-6, write, read)
