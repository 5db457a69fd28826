"""Samples to ask a model with, and its answers as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.analysis.profiler import analyse
from pruning.errors import ExportError
from pruning.frameworks.running import answers
from pruning.intake.model_file import LoadedModel
from pruning.surgery.self_check import random_samples


def random_inputs(
    loaded: LoadedModel, count: int, *, length: int | None = None, in_unit_interval: bool = False
) -> list[np.ndarray]:
    """Make inputs that the model accepts: normal values, or tokens where it looks them up.

    Args:
        loaded: The model.
        count: Samples.
        length: Size of open dimensions (time steps, sequence lengths).
        in_unit_interval: Draw values from [0, 1) in place of normal ones.

    Returns:
        One array (count, …) per model input.

    Raises:
        ExportError: A dimension is open and no ``length`` was given.
    """
    analysis = analyse(loaded, for_pricing=False)
    arrays = random_samples(analysis, count, in_unit_interval=in_unit_interval)
    shapes = [loaded.framework.shape(tensor)[1:] for tensor in loaded.model.inputs]
    # Resizing repeats the values, so that tokens stay tokens.
    return [
        np.resize(array, (count, *_closed(shape, length)))
        for array, shape in zip(arrays, shapes, strict=True)
    ]


def outputs_of(model: Any, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Run a Keras model in inference mode. -> one array (n, …) per output."""
    return [np.asarray(value) for value in answers(model, inputs)]


def _closed(shape: tuple[int | None, ...], length: int | None) -> tuple[int, ...]:
    if length is None and None in shape:
        raise ExportError(
            f"The model's input has an open dimension: {shape}.",
            expected="The number of steps that the exported file shall read.",
            fix="Give it with --length, for example --length 128.",
        )
    return tuple(int(length or 0) if size is None else size for size in shape)
