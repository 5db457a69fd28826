"""Contract of an export format: how a model becomes a file, and how that file is asked again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pruning.frameworks._base import Framework


@dataclass(frozen=True)
class Export:
    """One format.

    Attributes:
        name: As on the command line.
        suffix: Of the file, with its dot.
        title: For people.
        tolerance: Largest error that passes, as a share of the largest output (at least of 1).
        write: ``(model, framework, path, inputs)`` writes the file; ``inputs`` are samples, one
            array (n, …) per model input. Raises ExportError when the format cannot hold the model.
        read: ``(framework, path, inputs) -> outputs`` loads the file as a stranger would and runs
            it; one array (n, …) per model output.
    """

    name: str
    suffix: str
    title: str
    tolerance: float
    write: Callable[[Any, Framework, Path, Sequence[np.ndarray]], None]
    read: Callable[[Framework, Path, Sequence[np.ndarray]], list[np.ndarray]]
