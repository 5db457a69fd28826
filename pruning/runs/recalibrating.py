"""New BatchNormalization statistics for a cut model, judged on validation samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.comparison.evaluate import evaluate, reading_on
from pruning.comparison.recalibration import Recalibration
from pruning.comparison.result import Scores
from pruning.comparison.tasks import TASKS
from pruning.frameworks._base import Framework
from pruning.intake.dataset import Dataset
from pruning.runs.calibration import drawn_rows
from pruning.training.recalibration import SAMPLES, recalibrate, set_statistics, statistics

GLANCE = 64  # validation samples that decide where the difference is plain
VALIDATION_SAMPLES = 256  # at most, where it is not
_PLAIN = 3.0  # standard errors of the mean difference between the losses of the same samples


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
    samples nobody can tell, and the new ones are kept. ``GLANCE`` samples judge both where the
    losses of the same samples differ plainly, ``VALIDATION_SAMPLES`` where they do not.

    Args:
        model: The cut model; changed in place.
        framework: Its Keras.
        data: Prepared data.
        seed: Draws the samples.
        samples: At most so many.
        report: Told how far it is.
        should_stop: Asked often.

    Raises:
        Cancelled: ``should_stop`` said so; the statistics are what they were.
    """
    judge = _Judge(model, framework, data, seed, report, should_stop)
    rows = drawn_rows(data.manifest.counts["train"], samples, seed)
    old, kept = statistics(model, framework), False
    try:
        before = judge.look(GLANCE, 0.0)
        made = recalibrate(
            model,
            framework,
            data.inputs("train", rows),
            report=lambda share, words: report(0.1 + 0.6 * share, words),
            should_stop=should_stop,
        )
        after = judge.look(GLANCE, 0.7)
        if before and after and judge.samples > GLANCE and not _plain(before, after):
            new = statistics(model, framework)
            after = judge.look(VALIDATION_SAMPLES, 0.8)
            set_statistics(model, framework, old)
            before = judge.look(VALIDATION_SAMPLES, 0.9)
            set_statistics(model, framework, new)
        kept = before is None or after is None or after.scores.loss <= before.scores.loss
    finally:
        if not kept:  # nor when this was stopped half-way
            set_statistics(model, framework, old)
    return Recalibration(
        layers=made.layers,
        samples=made.samples,
        kept=kept,
        validation_samples=len(after.losses) if after else 0,
        metric=after.scores.metric if after else None,
        score_before=before.scores.value.value if before else None,
        score_after=after.scores.value.value if after else None,
        loss_before=before.scores.loss if before else None,
        loss_after=after.scores.loss if after else None,
        left=made.left,
    )


@dataclass(frozen=True)
class _Look:
    """What a model scored on some validation samples, and the loss of each of them."""

    scores: Scores
    losses: np.ndarray


@dataclass(frozen=True)
class _Judge:
    """Scores a model on validation samples, as it is at the moment."""

    model: Any
    framework: Framework
    data: Dataset
    seed: int
    report: Callable[[float, str], None]
    should_stop: Callable[[], bool]

    @property
    def samples(self) -> int:
        """How many validation samples there are."""
        return self.data.manifest.counts.get("val", 0)

    def look(self, limit: int, begun: float) -> _Look | None:
        """Score the model on at most ``limit`` samples; ``None`` when there are none.

        They are drawn, for a file may have them sorted by class. ``begun`` is the share of the
        whole work that is done before it, a tenth is this.
        """
        if not self.samples:
            return None
        rows = drawn_rows(self.samples, limit, self.seed)

        def tell(entry: dict[str, Any]) -> None:
            share = begun + 0.1 * entry["done"] / entry["total"]
            self.report(share, f"{entry['done']:,} of {entry['total']:,} validation samples")

        scores, predictions = evaluate(
            self.model,
            self.framework,
            self.data,
            split="val",
            rows=rows,
            should_stop=self.should_stop,
            report=tell,
        )
        reading = reading_on(self.data, self.model, self.framework, predictions)
        targets = np.asarray(self.data.y("val")[rows])
        losses = TASKS[self.data.manifest.task].losses(targets, predictions, reading)
        return _Look(scores, losses)


def _plain(before: _Look, after: _Look) -> bool:
    """Whether few samples tell which losses are smaller: as good as never by chance."""
    differences = after.losses - before.losses
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return bool(abs(differences.mean()) > _PLAIN * error)
