"""Comparison: a model before and after pruning, on the same test samples.

``comparison.json`` is this record; the predictions are in ``before.npy`` and ``after.npy`` beside
it, float32 (n, outputs), in the order of the test split.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pruning import storage
from pruning.comparison.recalibration import Recalibration


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def holds_zero(self) -> bool:
        """Whether a difference with this interval was not shown to be one."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Scores:
    """Quality of one model on the test samples.

    Attributes:
        metric: ``accuracy``, ``macro_f1`` (multilabel) or ``mae`` (regression).
        value: The metric with its interval.
        loss: Mean loss per sample: cross-entropy, or mean squared error.
        chance: What always answering the commonest class (the mean, for regression) would get.
        details: Further figures by name: ``mean_iou`` (classification of pixels),
            ``subset_accuracy`` (multilabel), ``rmse`` and ``r2`` (regression).
    """

    metric: str
    value: Interval
    loss: float
    chance: float
    details: dict[str, float] = field(default_factory=dict)

    @property
    def near_chance(self) -> bool:
        """Whether the model cannot be told from one that looks at nothing (95 % interval)."""
        if self.metric == "mae":
            return self.value.high >= self.chance
        return self.value.low <= self.chance


@dataclass(frozen=True)
class Sizes:
    """Size and work of one model. Bytes of the saved file; FLOPs for one sample."""

    params: int
    nonzero_params: int
    flops: int
    bytes: int
    gzip_bytes: int


@dataclass(frozen=True)
class Latency:
    """LiteRT, one thread, one sample, after warm-up; ``note`` says why when not measured."""

    median_ms: float | None
    p95_ms: float | None
    runs: int
    samples_ms: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ClassScore:
    """One class: test samples, and recall before and after (F1 for multilabel).

    Attributes:
        iou_before, iou_after: Intersection over union where each pixel has a class; a class that
            neither the labels nor the answers have has none.
    """

    name: str
    count: int
    before: float
    after: float
    iou_before: float | None = None
    iou_after: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; without what there is not."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Comparison:
    """Everything the comparison page, the command line and the report show.

    Attributes:
        difference: after - before of the metric, paired on the samples, with its 95 % interval.
        difference_method: How that interval was made, with its source.
        detail_differences: The same of details that are compared as pairs: ``mean_iou``.
        both_right, only_before, only_after, both_wrong: Counts of answers (classification; of
            samples with every label right for multilabel).
        answers: What those four add up to: ``samples``, or steps when each sample has several.
        confusion_before, confusion_after: Rows true, columns predicted (classification).
        seconds: Times by name: ``train`` of the retraining, ``step_before``, ``step_after``.
        notes: What a reader should know: the outputs that were not judged.
        recalibration: What new BatchNormalization statistics were worth, when they were measured.
    """

    task: str
    samples: int
    before: Scores
    after: Scores
    difference: Interval
    sizes_before: Sizes
    sizes_after: Sizes
    latency_before: Latency
    latency_after: Latency
    classes: tuple[ClassScore, ...] = ()
    both_right: int | None = None
    only_before: int | None = None
    only_after: int | None = None
    both_wrong: int | None = None
    confusion_before: tuple[tuple[int, ...], ...] = ()
    confusion_after: tuple[tuple[int, ...], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    difference_method: str = ""
    answers: int | None = None
    recalibration: Recalibration | None = None
    notes: tuple[str, ...] = ()
    detail_differences: dict[str, Interval] = field(default_factory=dict)

    @property
    def judged(self) -> tuple[int, str]:
        """How many answers were judged, and what one is: a sample, or a label of one.

        A model that answers at every step or pixel gives several answers a sample.
        """
        answers = self.answers or self.samples
        return answers, "test sample" if answers == self.samples else "label"

    @property
    def of_pixels(self) -> bool:
        """Whether classes have an intersection over union: each pixel has a class."""
        return any(entry.iou_before is not None for entry in self.classes)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        record = asdict(self)
        record["classes"] = [entry.to_dict() for entry in self.classes]
        for name in ("recalibration", "notes", "detail_differences"):
            if not getattr(self, name):
                del record[name]
        return record

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Comparison:
        """Inverse of :meth:`to_dict`."""
        fields = {key: value for key, value in record.items() if key in cls.__dataclass_fields__}
        for side in ("before", "after"):
            entry = record[side]
            fields[side] = Scores(**{**entry, "value": Interval(**entry["value"])})
            fields[f"sizes_{side}"] = Sizes(**record[f"sizes_{side}"])
            latency = record[f"latency_{side}"]
            fields[f"latency_{side}"] = Latency(
                **{**latency, "samples_ms": tuple(latency["samples_ms"])}
            )
            fields[f"confusion_{side}"] = tuple(tuple(row) for row in record[f"confusion_{side}"])
        fields["notes"] = tuple(record.get("notes", ()))
        fields["difference"] = Interval(**record["difference"])
        fields["detail_differences"] = {
            name: Interval(**entry) for name, entry in record.get("detail_differences", {}).items()
        }
        if (found := record.get("recalibration")) is not None:
            fields["recalibration"] = Recalibration.from_dict(found)
        fields["classes"] = tuple(ClassScore(**entry) for entry in record["classes"])
        return cls(**fields)

    def save(self, path: Path) -> None:
        """Write the record to ``path``."""
        storage.write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: Path) -> Comparison:
        """Read the record at ``path``."""
        return cls.from_dict(storage.read_json(path))
