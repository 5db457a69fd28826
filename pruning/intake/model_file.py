"""Model files: told apart by content, loaded by the Keras that wrote them, tried once.

Only workers call :func:`load`; it imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from pruning.errors import ModelFileError
from pruning.frameworks._base import Framework, framework
from pruning.frameworks._loading import cause
from pruning.frameworks.container import ModelFile, open_model_file
from pruning.frameworks.memory import give_back_memory
from pruning.frameworks.running import answer, fixed_batch, leaves
from pruning.intake.store import shown_name

__all__ = ["LoadedModel", "ModelFile", "check_forward", "load", "sniff"]

# Tried for open dimensions until the model accepts one. Some models read thousands of steps, such
# as those of DNA, and crop most of them; a picture of that size would be too much.
_OPEN_SIZES = (128, 32, 64, 224, 512, 2048, 8192, 32768)
_LARGEST_SIDE = 512  # where several dimensions are open


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model that was loaded and has answered once.

    Attributes:
        length: What its open dimensions (time steps, tokens) were when it answered.
    """

    model: Any
    framework: Framework
    file: ModelFile
    length: int


def sniff(path: Path) -> ModelFile:
    """Tell the kind of a model file by its content; imports no TensorFlow.

    Raises:
        ModelFileError: The file is no Keras model.
    """
    return open_model_file(path)


def load(path: Path) -> LoadedModel:
    """Load a model with the Keras that wrote it, and run it on zeros and on random numbers.

    Raises:
        ModelFileError: The file is no Keras model, or one that the studio cannot work on.
    """
    with _named_as_uploaded(path):
        file = sniff(path)
        keras = framework(file.family)
        model = keras.load(path)
        length = check_forward(model, keras)
    give_back_memory()
    return LoadedModel(model, keras, file, length)


@contextmanager
def _named_as_uploaded(path: Path) -> Iterator[None]:
    """Let errors call a stored file by its user's name: its reader knows ``model.keras`` only."""
    try:
        yield
    except ModelFileError as error:
        happened = error.happened.replace(path.name, shown_name(path), 1)
        if happened == error.happened:
            raise
        raise ModelFileError(happened, expected=error.expected, fix=error.fix) from error


def check_forward(model: Any, keras: Framework) -> int:
    """Check weights and two answers of a model.

    Returns:
        What open dimensions were in the answers: 128 where the model accepts that.

    Raises:
        ModelFileError: A weight or an answer to random numbers in [0, 1) is not finite, an
            output's shape is not the declared one, a layer makes weights only while it runs, or
            the model cannot run at all.
    """
    stored = {id(layer): len(layer.weights) for layer in keras.layers(model)}
    for layer in keras.layers(model):
        for number, weight in enumerate(layer.get_weights()):
            if weight.dtype.kind == "f" and not np.isfinite(weight).all():
                raise _not_finite(f"Weight {number} of the layer {layer.name!r} holds")
    for tensor in model.inputs:
        _require_numbers(tensor)
    declared = [keras.shape(tensor) for tensor in model.outputs]
    answers: Sequence[np.ndarray] = ()
    lengths = _lengths(model, keras)
    for seed in (None, 0):
        give_back_memory()  # of loading, then of the first answer: as much as the model takes
        answers, length = _run(model, keras, seed, lengths)
        lengths = [length]
        shapes = [answer.shape for answer in answers]
        if len(shapes) != len(declared) or not all(map(_fits, shapes, declared)):
            raise ModelFileError(
                f"The model declares outputs of shape {declared}, but answers with {shapes}.",
                expected="Outputs of the declared shape.",
                fix="Load the model where it was made, check it, and save it again.",
            )
    for layer in keras.layers(model):
        if len(layer.weights) > stored[id(layer)]:
            raise ModelFileError(
                f"The layer {layer.name!r} makes weights only while it runs: the file has none.",
                expected="A file with all weights of the model.",
                fix="Where a layer with weights is its activation, such as PReLU, put that behind "
                "it as a layer of its own. Train the model again, and save it.",
            )
    if not all(np.isfinite(answer).all() for answer in answers):
        raise _not_finite("The answer to random numbers between 0 and 1 holds")
    return lengths[0]


def _lengths(model: Any, keras: Framework) -> list[int]:
    """Sizes to try for open dimensions; one, which is not used, for a model without any."""
    most = max(keras.shape(tensor)[1:].count(None) for tensor in model.inputs)
    if most == 0:
        return [_OPEN_SIZES[0]]
    return [size for size in _OPEN_SIZES if most == 1 or size <= _LARGEST_SIDE]


def _run(
    model: Any, keras: Framework, seed: int | None, lengths: Sequence[int]
) -> tuple[list[np.ndarray], int]:
    """Outputs for zeros (no seed) or seeded random inputs, and the first length it runs with.

    The outputs are in the order of ``model.outputs``.
    """
    failure: Exception | None = None
    # An integer may be the number of a row of another input, of which an example has only one.
    numbered = seed is not None and any("int" in str(tensor.dtype) for tensor in model.inputs)
    rows = fixed_batch(model) or 1
    for size, high in product(lengths, (2, 1) if numbered else (2,)):
        inputs = [
            _example((rows, *keras.shape(t)[1:]), str(t.dtype), size, seed, high)
            for t in model.inputs
        ]
        try:
            result = answer(model, inputs)
        except Exception as error:
            failure = failure or error
            continue
        return [np.asarray(leaf, dtype="float64") for leaf in leaves(result)], size
    assert failure is not None
    raise ModelFileError(
        f"The model cannot run on an example input: {cause(failure)}",
        expected="A model that answers to numbers of its input's shape.",
        fix="Load the model where it was made, check it with model.predict(…), and save it again.",
    ) from failure


def _example(
    shape: tuple[int | None, ...], dtype: str, size: int, seed: int | None, high: int
) -> np.ndarray:
    """Samples of that shape: zeros, or numbers in [0, 1), or integers below ``high``."""
    full = tuple(size if dimension is None else dimension for dimension in shape)
    name = dtype.split("'")[1] if "'" in dtype else dtype
    kind = "float32" if name == "bfloat16" else name
    if seed is None:
        return np.zeros(full, kind)
    rng = np.random.default_rng(seed)
    if "float" in kind:
        return rng.random(full).astype(kind)
    return rng.integers(0, high, full).astype(kind)


def _fits(actual: tuple[int, ...], declared: tuple[int | None, ...]) -> bool:
    return len(actual) == len(declared) and all(
        want is None or have == want for have, want in zip(actual, declared, strict=True)
    )


def _require_numbers(tensor: Any) -> None:
    if "string" in str(tensor.dtype):
        raise ModelFileError(
            f"The input {tensor.name!r} takes text, not numbers.",
            expected="A model that reads token numbers; the studio prepares the text itself.",
            fix="Save the part of the model that follows its text preprocessing.",
        )


def _not_finite(what: str) -> ModelFileError:
    return ModelFileError(
        f"{what} NaN or infinite values.",
        expected="Finite numbers.",
        fix="Take an earlier checkpoint from before the training diverged.",
    )
