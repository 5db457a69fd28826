"""What the functions of the public API return; each ``to_dict()`` is the command line's JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pruning.analysis.profile import ModelProfile, TensorSpec
from pruning.comparison.recalibration import Recalibration
from pruning.comparison.result import Comparison, Scores
from pruning.comparison.verdict import verdict
from pruning.intake.dataset import Manifest
from pruning.runs.influences import Influences
from pruning.strategy.plan import PruningPlan
from pruning.strategy.prices import Prices

# Of a run's results, but not of the command line's contract.
_BESIDES = ("metric", "recalibration", "layers")


@dataclass(frozen=True)
class Inspection:
    """What a model is made of, and what of it can be pruned.

    Attributes:
        data: What is known of the data, when there is some.
        baseline: Quality on its test samples.
        notes: What to know of the data and of that quality: samples that were left out, outputs
            that were not judged, what to look at near chance.
    """

    profile: ModelProfile
    data: Manifest | None = None
    baseline: Scores | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The command line's ``inspect``."""
        record = self._of_model()
        if self.data is not None and self.baseline is not None:
            record["data"] = {
                "samples": self.data.counts,
                "preprocessing": list(self.data.pipeline),
                "baseline": asdict(self.baseline),
                "notes": list(self.notes),
            }
        return record

    def _of_model(self) -> dict[str, Any]:
        profile = self.profile
        return {
            "format": 1,
            "family": profile.family,
            "params": profile.params,
            "flops": profile.flops,
            "bytes": profile.bytes,
            "inputs": [_tensor(spec) for spec in profile.inputs],
            "outputs": [_tensor(spec) for spec in profile.outputs],
            "layers": [
                {
                    "name": layer.name,
                    "class": layer.cls,
                    "params": layer.params,
                    "flops": layer.flops,
                    "output_shape": list(layer.output_shape),
                    "prunable": layer.prunable,
                    "reason": layer.reason,
                    "zeros": layer.zeros,
                }
                for layer in profile.layers
            ],
            "groups": [
                {
                    "id": group.id,
                    "channels": group.channels,
                    "layers": list(group.layers),
                    "prunable": group.prunable,
                    "reason": group.reason,
                }
                for group in profile.groups
            ],
            "floor": {"params": profile.floor_params, "flops": profile.floor_flops},
            "blocks": [
                {
                    "id": block.id,
                    "kind": block.kind,
                    "layers": list(block.layers),
                    "params": block.params,
                    "flops": block.flops,
                    "source": block.source,
                    "target": block.target,
                    "shape": list(block.shape),
                    "removable": block.removable,
                    "reason": block.reason,
                    "within": list(block.within),
                }
                for block in profile.blocks
            ],
        }


@dataclass(frozen=True)
class Planned:
    """A plan and what it is expected to give.

    Attributes:
        calibrated: How many calibration samples its criterion looked at.
        influences: What was measured of the model's blocks, when the plan rests on that.
    """

    plan: PruningPlan
    prices: Prices
    calibrated: int = 0
    influences: Influences | None = None

    def to_dict(self) -> dict[str, Any]:
        """The command line's ``plan``.

        A figure that nobody can know before pruning has the value null; it would be an estimate.
        """
        expected = {
            name: {"value": figure["value"], "basis": figure["basis"] or "estimated"}
            for name, figure in self.prices.expected().items()
        }
        record = {
            **self.plan.to_dict(),
            "expected": expected,
            "achieved": self.prices.achieved,
        }
        if self.prices.notes:
            record["notes"] = list(self.prices.notes)
        if self.calibrated:
            record["calibration"] = {"criterion": self.plan.criterion, "samples": self.calibrated}
        if self.influences is not None:
            record["influences"] = self.influences.to_dict()
        return record


@dataclass(frozen=True)
class Pruned:
    """A pruned model on disk, with the command line's figures in ``results``."""

    results: dict[str, Any]

    @property
    def model(self) -> Path:
        """The pruned model's file."""
        return Path(self.results["model"])

    @property
    def layers(self) -> Path | None:
        """What blocks were left out; None for another method."""
        path = self.results.get("layers")
        return Path(path) if path else None

    @property
    def recalibration(self) -> Recalibration | None:
        """What new BatchNormalization statistics were worth; None when they were not measured."""
        found = self.results.get("recalibration")
        return Recalibration.from_dict(found) if found else None

    def to_dict(self) -> dict[str, Any]:
        """The command line's ``prune``; another metric than accuracy is not called one."""
        record = {key: value for key, value in self.results.items() if key not in _BESIDES}
        if self.results["metric"] != "accuracy":
            record["accuracy"] = None
        return record


@dataclass(frozen=True, eq=False)
class Compared:
    """Two models on the same test samples.

    Attributes:
        before, after: Predictions, float32 (n, …, outputs).
    """

    comparison: Comparison
    before: np.ndarray
    after: np.ndarray

    @property
    def verdict(self) -> str:
        """The comparison in one line."""
        return verdict(self.comparison)

    def to_dict(self) -> dict[str, Any]:
        """The command line's ``compare``."""
        return {"format": 1, "verdict": self.verdict, **self.comparison.to_dict()}


@dataclass(frozen=True)
class Exported:
    """An exported file that was read again and compared.

    Attributes:
        max_abs_error: Largest difference from the model's outputs.
        samples: How many samples were compared.
    """

    path: Path
    bytes: int
    max_abs_error: float
    samples: int

    def to_dict(self) -> dict[str, Any]:
        """The command line's ``export``."""
        check = {"max_abs_error": self.max_abs_error, "samples": self.samples}
        return {"path": str(self.path), "bytes": self.bytes, "check": check}


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "shape": list(spec.shape), "dtype": spec.dtype}
