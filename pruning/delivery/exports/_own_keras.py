"""Files that a model's own Keras writes and reads: ``.keras`` and ``.h5``, told by their ending."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pruning.delivery.running import outputs_of
from pruning.frameworks._base import Framework


def write(model: Any, framework: Framework, path: Path, inputs: Sequence[np.ndarray]) -> None:
    """Save without optimizer state."""
    framework.save(model, path)


def read(framework: Framework, path: Path, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Load with plain Keras, no custom objects, and run."""
    model = framework.keras.models.load_model(str(path), compile=False, safe_mode=True)
    return outputs_of(model, inputs)
