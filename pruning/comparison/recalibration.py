"""What measuring the BatchNormalization statistics anew after a cut was worth."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pruning import quantities


@dataclass(frozen=True)
class Recalibration:
    """New BatchNormalization statistics, judged on validation samples before retraining.

    The new statistics are kept unless the validation loss is larger with them.

    Attributes:
        layers: BatchNormalization layers that were measured.
        samples: Training samples that they were measured on.
        kept: The new statistics were kept; else the old ones were put back.
        validation_samples: What both were judged on; 0 when there were none.
        metric: Name of the score; ``None`` when nothing was judged.
        score_before, score_after: The cut model with the old and with the new statistics.
        loss_before, loss_after: Likewise, mean loss per sample.
        left: Layers that could not be measured and have their old statistics.
    """

    layers: int
    samples: int
    kept: bool
    validation_samples: int = 0
    metric: str | None = None
    score_before: float | None = None
    score_after: float | None = None
    loss_before: float | None = None
    loss_after: float | None = None
    left: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Recalibration:
        """Inverse of :meth:`to_dict`; unknown keys are ignored."""
        fields = {key: value for key, value in record.items() if key in cls.__dataclass_fields__}
        return cls(**{**fields, "left": tuple(fields.get("left", ()))})

    def describe(self) -> str:
        """Say in one or two sentences what was done and what it was worth."""
        layers = quantities.plural(self.layers, "BatchNorm layer")
        words = (
            f"The statistics of {layers} were measured again on {self.samples:,} training samples"
        )
        words += f": {self._gain()}." if self.metric else "."
        if not self.kept:
            words += " The loss was larger with them, so the old ones were put back."
        if self.left:
            words += f" {quantities.plural(len(self.left), 'layer')} kept the old ones."
        return words

    def _gain(self) -> str:
        before, after = self.score_before, self.score_after
        assert before is not None
        assert after is not None
        if self.metric == "mae":
            score = f"mean absolute error {quantities.number(before)} → {quantities.number(after)}"
        else:
            name = str(self.metric).replace("_", " ")
            score = f"{name} {quantities.percent(before)} → {quantities.percent(after)}"
        old, new = (quantities.number(loss or 0.0) for loss in (self.loss_before, self.loss_after))
        loss = f"loss {old} → {new}"
        return (
            f"{score}, {loss} on {self.validation_samples:,} validation samples, before retraining"
        )
