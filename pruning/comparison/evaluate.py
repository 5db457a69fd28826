"""Run a model over the test samples and score what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pruning.analysis.readings import Reading, reading_of
from pruning.comparison.result import Scores
from pruning.comparison.tasks import TASKS
from pruning.errors import Cancelled, DataFileError, MismatchError
from pruning.frameworks._base import Framework, framework_of
from pruning.frameworks.memory import keep_memory
from pruning.frameworks.names import require_graph_names
from pruning.frameworks.running import (
    answer,
    fixed_batch,
    loops_over_time,
    needs_compiler,
    nested,
)
from pruning.intake.dataset import Dataset, Rows

BATCH = 64
FEW = 512  # samples that are answered one operation after another sooner than a graph is made
CHUNK = 1024  # samples between two looks at should_stop: a second or two of a mid-sized model
CHUNK_BYTES = 2**27  # of samples that are in memory at a time


def evaluate(
    model: Any,
    framework: Framework,
    dataset: Dataset,
    *,
    split: str = "test",
    rows: slice | np.ndarray | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    report: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> tuple[Scores, np.ndarray]:
    """Score one model on one split; of several outputs, the one that the labels are for.

    Args:
        model: Of either Keras.
        framework: The model's.
        dataset: Prepared data.
        split: The split to judge on.
        rows: Numbers of the samples to judge on, or a slice of them; ``None``: all.
        should_stop: Asked between chunks of samples.
        report: Told ``{"done", "total"}`` samples after each chunk.

    Returns:
        The scores, and the predictions float32 (n, …, outputs).

    Raises:
        MismatchError: Data and model do not fit, or the outputs are not finite.
        DataFileError: The split is empty.
        ModelFileError: A layer has a name that Keras cannot predict with.
        Cancelled: ``should_stop`` said so.
    """
    if framework.family == "keras3":
        require_graph_names(framework.layers(model))
    judged = framework.with_output(model, dataset.manifest.output)
    _check_order(model, [entry.name for entry in dataset.manifest.inputs])
    inputs = dataset.rows(split) if rows is None else dataset.inputs(split, rows)
    predictions = predict(judged, inputs, should_stop=should_stop, report=report)
    task = TASKS[dataset.manifest.task]
    targets = np.asarray(dataset.y(split)[slice(None) if rows is None else rows])
    task.check(targets, predictions)
    reading = reading_of(predictions, output_activation(judged))
    return task.scores(targets, predictions, reading), predictions


def reading_on(
    dataset: Dataset, model: Any, framework: Framework, predictions: np.ndarray
) -> Reading:
    """What predictions for a data set mean, told by them and by the output that it judges."""
    judged = framework.with_output(model, dataset.manifest.output)
    return reading_of(predictions, output_activation(judged))


def _predictions(model: Any, chunk: Sequence[np.ndarray], *, graph: bool) -> np.ndarray:
    """Outputs for one chunk, from Keras's own graph or without. -> float32 (n, …)."""
    if graph:
        given = nested(model, chunk)
        return np.asarray(model.predict(given, batch_size=BATCH, verbose=0), np.float32)
    fixed, samples = fixed_batch(model), len(chunk[0])
    size = fixed or BATCH
    if fixed is not None:  # what is missing in the last batch is repeated
        chunk = [
            np.resize(array, (-(-samples // size) * size, *array.shape[1:])) for array in chunk
        ]
    batches = ([array[i : i + size] for array in chunk] for i in range(0, len(chunk[0]), size))
    answers = [np.asarray(answer(model, batch), np.float32) for batch in batches]
    return np.concatenate(answers)[:samples]


def _chunk(inputs: Sequence[Rows]) -> int:
    """How many samples are answered in one go: whole batches, as far as memory should be used."""
    sample = sum(math.prod(array.shape[1:]) * array.dtype.itemsize for array in inputs)
    return min(CHUNK, max(BATCH, CHUNK_BYTES // max(1, sample) // BATCH * BATCH))


def predict(
    model: Any,
    inputs: Sequence[Rows],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    report: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> np.ndarray:
    """Run the model in inference mode. An array (n, …) per input -> float32 (n, …, outputs).

    Outputs without an axis of their own, (n,), come back as (n, 1).

    Raises:
        MismatchError: Several outputs, other inputs, outputs that are not finite.
        DataFileError: There are no samples.
        Cancelled: ``should_stop`` said so.
    """
    _check(model, inputs)
    keep_memory()
    samples = len(inputs[0])
    worth_a_graph = samples > FEW or loops_over_time(model, framework_of(model)) > 0
    graph = worth_a_graph and not needs_compiler(model) and fixed_batch(model) is None
    parts, size = [], _chunk(inputs)
    for start in range(0, samples, size):
        if should_stop():
            raise Cancelled
        chunk = [np.asarray(array[start : start + size]) for array in inputs]
        parts.append(_predictions(model, chunk, graph=graph))
        report({"done": min(start + size, samples), "total": samples})
    predictions = np.concatenate(parts)
    finite = np.isfinite(predictions.reshape(len(predictions), -1)).all(axis=1)
    if not finite.all():
        raise MismatchError(
            f"The model's outputs are not finite for {int((~finite).sum()):,} of "
            f"{samples:,} samples.",
            expected="Finite numbers for every sample.",
            fix="Retrain with a smaller learning rate, or check the preprocessing of the data.",
        )
    return predictions[:, None] if predictions.ndim == 1 else predictions


def output_activation(model: Any) -> str | None:
    """Name of the last layer's activation: ``softmax``, ``linear``, …; None when it has none."""
    layer = model.layers[-1]
    while getattr(layer, "layers", None):
        layer = layer.layers[-1]
    if type(layer).__name__ == "Softmax":
        return "softmax"
    layer = getattr(layer, "layer", layer)  # what TimeDistributed wraps
    return getattr(getattr(layer, "activation", None), "__name__", None)


def _check_order(model: Any, names: Sequence[str]) -> None:
    """Another model may order its inputs otherwise: equal shapes must not be swapped."""
    found = [str(tensor.name).split(":")[0] for tensor in model.inputs]
    if found != list(names) and sorted(found) == sorted(names):
        raise MismatchError(
            f"The model reads {', '.join(found)}; the data is in the order {', '.join(names)}.",
            expected="Inputs in the same order.",
            fix="Save the model with its inputs in that order, or compare it with its own pruned "
            "version.",
        )


def _check(model: Any, inputs: Sequence[Rows]) -> None:
    if not len(inputs[0]):
        raise DataFileError(
            "The data has no test samples.",
            expected="At least one sample that was not trained on.",
            fix="Put some samples into the test split.",
        )
    if len(model.inputs) != len(inputs) or len(model.outputs) != 1:
        raise MismatchError(
            f"The model has {len(model.inputs)} inputs and {len(model.outputs)} outputs.",
            expected=f"The {len(inputs)} inputs that the data is for, and one output.",
            fix="Save a model with the inputs and the output that the data is for.",
        )
    for tensor, array in zip(model.inputs, inputs, strict=True):
        shape = tuple(tensor.shape)[1:]
        fits = len(shape) == len(array.shape) - 1 and all(
            wanted is None or wanted == found
            for wanted, found in zip(shape, array.shape[1:], strict=True)
        )
        if not fits:
            raise MismatchError(
                f"The samples have the shape {array.shape[1:]}, the model reads {shape}.",
                expected="Samples of the model's input shape.",
                fix="Prepare the data for this model, or choose the model that the data is for.",
            )
