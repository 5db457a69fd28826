"""New BatchNormalization statistics for a cut model, judged on validation samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pruning.comparison.evaluate import evaluate
from pruning.comparison.recalibration import Recalibration
from pruning.comparison.result import Scores
from pruning.frameworks._base import Framework
from pruning.intake.dataset import Dataset
from pruning.runs.calibration import drawn_rows
from pruning.training.recalibration import SAMPLES, recalibrate, set_statistics, statistics

VALIDATION_SAMPLES = 256  # at most; both sides are judged on the same ones


def recalibrated(
    model: Any,
    framework: Framework,
    data: Dataset,
    *,
    seed: int,
    samples: int = SAMPLES,
    report: Callable[[float, str], None] = lambda fraction, words: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Recalibration:
    """Measure on training samples, judge on validation samples, keep the better statistics.

    The new ones are put back when the validation loss is larger with them. Without validation
    samples nobody can tell, and the new ones are kept.

    Args:
        model: The cut model; changed in place.
        framework: Its Keras.
        data: Prepared data.
        seed: Draws the training samples.
        samples: At most so many.
        report: Told how far it is.
        should_stop: Asked often.

    Raises:
        Cancelled: ``should_stop`` said so.
    """
    judged = min(VALIDATION_SAMPLES, data.manifest.counts.get("val", 0))

    def scores(begin: float) -> Scores | None:
        if not judged:
            return None

        def tell(entry: dict[str, Any]) -> None:
            share = begin + 0.2 * entry["done"] / entry["total"]
            report(share, f"{entry['done']:,} of {entry['total']:,} validation samples")

        found, _ = evaluate(
            model,
            framework,
            data,
            split="val",
            limit=judged,
            should_stop=should_stop,
            report=tell,
        )
        return found

    rows = drawn_rows(data.manifest.counts["train"], samples, seed)
    old, before = statistics(model, framework), scores(0.0)
    made = recalibrate(
        model,
        framework,
        data.inputs("train", rows),
        report=lambda share, words: report(0.2 + 0.6 * share, words),
        should_stop=should_stop,
    )
    after = scores(0.8)
    kept = before is None or after is None or after.loss <= before.loss
    if not kept:
        set_statistics(model, framework, old)
    return Recalibration(
        layers=made.layers,
        samples=made.samples,
        kept=kept,
        validation_samples=judged,
        metric=after.metric if after else None,
        score_before=before.value.value if before else None,
        score_after=after.value.value if after else None,
        loss_before=before.loss if before else None,
        loss_after=after.loss if after else None,
        left=made.left,
    )
