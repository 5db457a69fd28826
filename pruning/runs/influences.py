"""What each removable block is worth, by either criterion of the method *layers*."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.errors import Cancelled, PlanError
from pruning.frameworks.running import fixed_batch
from pruning.intake.check import check_data
from pruning.intake.dataset import Dataset
from pruning.runs.calibration import drawn_rows
from pruning.strategy.criteria import criterion as criterion_of
from pruning.strategy.plan import PruningPlan

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

SAMPLES = PruningPlan.calibration_samples


@dataclass(frozen=True)
class Influences:
    """What was measured of a model's blocks.

    Attributes:
        criterion: By which.
        samples: How many samples were looked at.
        split: Of which split they are.
        values: By block id; larger = keep.
        loss: Of the whole model on these samples (sensitivity).
    """

    criterion: str
    samples: int
    split: str
    values: dict[str, float]
    loss: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form with its format number."""
        return {"format": 1, **asdict(self)}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Influences:
        """Inverse of :meth:`to_dict`."""
        return cls(**{k: v for k, v in record.items() if k in cls.__dataclass_fields__})


def measure(
    analysis: Analysis,
    data: Dataset,
    criterion: str,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    report: Callable[[float, str], None] = lambda fraction, words: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Influences:
    """Measure all removable blocks of a model.

    ``block_influence`` looks at training samples, drawn with the seed. ``sensitivity`` leaves out
    each block once and evaluates on the first validation samples; training samples when there
    is no validation split. Test samples are never used.

    Args:
        analysis: Of the model.
        data: Prepared data.
        criterion: ``block_influence`` or ``sensitivity``.
        samples: At most so many.
        seed: Draws the training samples.
        report: Told how far it is.
        should_stop: Asked often.

    Raises:
        PlanError: There is no such criterion, or the data has no samples for it.
        MismatchError: The data does not fit the model.
        Cancelled: ``should_stop`` said so.
    """
    criterion_of(criterion, "layers")
    profile = analysis.profile
    check_data(data.manifest, profile)
    if criterion == "sensitivity":
        return _sensitivity(analysis, data, samples, report, should_stop)
    return _influence(analysis, data, criterion, samples, seed, report, should_stop)


def _influence(
    analysis: Analysis,
    data: Dataset,
    criterion: str,
    samples: int,
    seed: int,
    report: Callable[[float, str], None],
    should_stop: Callable[[], bool],
) -> Influences:
    from pruning.surgery import influence

    rows = drawn_rows(data.manifest.counts.get("train", 0), samples, seed)
    if not len(rows):
        raise PlanError(
            "The data has no training samples to measure blocks on.",
            expected="At least one sample in the training split.",
            fix="Prepare the data with a training split.",
        )
    batch = fixed_batch(analysis.flat)
    if batch is not None and len(rows) < batch:
        raise PlanError(
            f"The model reads exactly {batch} samples at a time, but the criterion "
            f"gets {len(rows)}.",
            expected=f"At least {batch} samples of the training split.",
            fix="Use more calibration samples, or more data.",
        )
    values = influence.block_scores(
        analysis,
        criterion_of(criterion, "layers"),
        data.inputs("train", rows),
        report=report,
        should_stop=should_stop,
    )
    return Influences(criterion, len(rows), "train", values)


def _sensitivity(
    analysis: Analysis,
    data: Dataset,
    samples: int,
    report: Callable[[float, str], None],
    should_stop: Callable[[], bool],
) -> Influences:
    from pruning.comparison.evaluate import evaluate
    from pruning.surgery.layers import remove

    split = "val" if data.manifest.counts.get("val", 0) else "train"
    framework, blocks = analysis.framework, analysis.profile.removable_blocks
    score = criterion_of("sensitivity", "layers").score
    scores, predictions = evaluate(
        analysis.model, framework, data, split=split, rows=slice(samples)
    )
    values = {}
    for number, block in enumerate(blocks):
        if should_stop():
            raise Cancelled
        report(number / len(blocks), f"without {block.id}, {number + 1} of {len(blocks)}")
        model = remove(analysis, [block.id]).model
        found, _ = evaluate(model, framework, data, split=split, rows=slice(samples))
        values[block.id] = float(score(np.array([[scores.loss], [found.loss]])).mean())
    return Influences("sensitivity", len(predictions), split, values, scores.loss)
