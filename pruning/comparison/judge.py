"""Compare a model with its pruned self on the test samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pruning.comparison.evaluate import evaluate, reading_on
from pruning.comparison.latency import measure
from pruning.comparison.result import Comparison, Latency, Sizes
from pruning.comparison.sizes import sizes
from pruning.comparison.tasks import TASKS, Paired
from pruning.errors import Cancelled, MismatchError
from pruning.intake.check import unjudged
from pruning.intake.dataset import Dataset
from pruning.intake.model_file import LoadedModel

SKIPPED = Latency(None, None, 0, note="Not measured: switched off.")


def compare(
    before: LoadedModel,
    after: LoadedModel,
    dataset: Dataset,
    *,
    flops: tuple[int, int],
    latency: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    report: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> tuple[Comparison, np.ndarray, np.ndarray]:
    """Judge both models on the same test samples, as pairs.

    Args:
        before: The original.
        after: The pruned model; of either Keras.
        dataset: Prepared data; its test split judges.
        flops: Of one sample, before and after, counted by the analysis.
        latency: Also time both models on LiteRT.
        should_stop: Asked often; a stop ends with :class:`Cancelled`.
        report: Told ``{"step", "done", "total"}`` while the models run over the samples.

    Returns:
        The comparison, and the predictions before and after, float32 (n, …, outputs).

    Raises:
        MismatchError: A model does not fit the data, or the models answer different questions.
        Cancelled: ``should_stop`` said so.
    """
    scores, predictions = {}, {}
    for side, loaded in (("before", before), ("after", after)):

        def tell(entry: dict[str, Any], side: str = side) -> None:
            report({"step": side, **entry})

        scores[side], predictions[side] = evaluate(
            loaded.model, loaded.framework, dataset, should_stop=should_stop, report=tell
        )
    paired = _pair(before, dataset, predictions["before"], predictions["after"])
    times = SKIPPED, SKIPPED
    if latency:
        report({"step": "latency"})
        sample = dataset.inputs("test", slice(1))
        times = measure(before.model, after.model, sample, should_stop=should_stop)
    if should_stop():
        raise Cancelled
    report({"step": "sizes"})
    comparison = Comparison(
        task=dataset.manifest.task,
        samples=len(predictions["before"]),
        before=scores["before"],
        after=scores["after"],
        sizes_before=_sizes(before, flops[0]),
        sizes_after=_sizes(after, flops[1]),
        latency_before=times[0],
        latency_after=times[1],
        answers=_answers(paired),
        notes=unjudged(list(getattr(before.model, "output_names", [""])), dataset.manifest.output),
        **{name: getattr(paired, name) for name in Paired.__dataclass_fields__},
    )
    return comparison, predictions["before"], predictions["after"]


def _pair(before: LoadedModel, dataset: Dataset, was: np.ndarray, now: np.ndarray) -> Paired:
    if was.shape != now.shape:
        raise MismatchError(
            f"One model answers with the shape {was.shape[1:]}, the other with {now.shape[1:]}.",
            expected="Two models with the same outputs.",
            fix="Compare a model with its own pruned version.",
        )
    task = TASKS[dataset.manifest.task]
    reading = reading_on(dataset, before.model, before.framework, was)
    targets = np.asarray(dataset.y("test"))
    return task.pair(targets, was, now, reading, dataset.manifest.classes)


def _sizes(loaded: LoadedModel, flops: int) -> Sizes:
    return sizes(loaded.model, loaded.framework, loaded.file.file_format, flops)


def _answers(paired: Paired) -> int | None:
    counts = (paired.both_right, paired.only_before, paired.only_after, paired.both_wrong)
    return sum(count for count in counts if count is not None) or None
