"""Reading what a caller names: model files, data, plans, targets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pruning.analysis.profile import ModelProfile
from pruning.errors import PlanError, StorageError
from pruning.intake.dataset import Dataset
from pruning.strategy.plan import TARGETS, PruningPlan, Target
from pruning.strategy.prices import Timed

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis
    from pruning.intake.model_file import LoadedModel

PLANNED_TARGETS = ("latency", "accuracy_drop")

Words = Callable[[float, str], None]


def read_plan(path: Path) -> PruningPlan:
    """Read a plan's JSON file.

    Raises:
        PlanError: There is no such file, or it holds no plan.
    """
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise PlanError(
            f"The plan {path} cannot be read: {reason}.",
            expected="A JSON file that the plan command or the strategy page wrote.",
            fix="Check the path, or make the plan again.",
        ) from error
    return PruningPlan.from_dict(record)


def parse_target(text: str) -> Target:
    """Read ``KIND=VALUE``.

    Raises:
        PlanError: It is not of that form, or the kind does not exist, or not yet.
    """
    kind, _, value = text.partition("=")
    if kind in PLANNED_TARGETS:
        raise PlanError(
            f"The target {kind} is planned, but not built yet.",
            expected=f"One of {', '.join(TARGETS)}.",
            fix="Choose one of these, for example flops=0.5.",
        )
    known = next((target for target in TARGETS if target == kind), None)
    try:
        number = float(value)
    except ValueError:
        known = None
    if known is None:
        raise PlanError(
            f"The target {text!r} cannot be read.",
            expected=f"KIND=VALUE, where KIND is one of {', '.join(TARGETS)} and VALUE a fraction.",
            fix="Give for example flops=0.5 for half of the FLOPs.",
        )
    return Target(known, number)


def check_apart(model: Path, *targets: Path) -> None:
    """Refuse to write over the model that is read.

    Raises:
        StorageError: One of the targets is the model's own file.
    """
    for target in targets:
        if target.exists() and model.exists() and target.samefile(model):
            raise StorageError(
                f"{target} is the model itself, and would be overwritten.",
                expected="A path that is not the model's own.",
                fix="Give another path with --out.",
            )


def profiled(
    path: Path, length: int | None = None, *, for_pricing: bool = False
) -> tuple[LoadedModel, ModelProfile]:
    """Load and analyse a model file.

    Args:
        path: A ``.keras`` or ``.h5`` file.
        length: What open dimensions count as.
        for_pricing: Also measure what takes longer than all the rest, see ``profiler.analyse``.

    Raises:
        ModelFileError: The file is no model that the studio can work on.
    """
    from pruning.analysis.profiler import analyse_file

    loaded, analysis = analyse_file(path, length=length, for_pricing=for_pricing)
    return loaded, analysis.profile


def prepared(
    where: str | Path,
    profile: ModelProfile,
    seed: int = 0,
    report: Words = lambda fraction, words: None,
) -> Dataset:
    """Prepare data for a model.

    Raises:
        PruningError: There is no such data, or it cannot be used with the model.
    """
    from pruning.intake.check import check_data
    from pruning.intake.prepare import open_data
    from pruning.runs.jobs.data import model_input

    dataset = open_data(where, model_input=model_input(profile), seed=seed, report=report)
    check_data(dataset.manifest, profile)
    return dataset


def latency_of(loaded: LoadedModel, analysis: Analysis, length: int | None = None) -> Timed | None:
    """Latency on LiteRT before pruning; None when the model does not convert."""
    from pruning.comparison.latency_before import time_before
    from pruning.delivery.running import random_inputs

    inputs = random_inputs(loaded, 1, length=length or loaded.length)
    latency, fixed = time_before(analysis, inputs)
    return None if latency.median_ms is None else Timed(latency.median_ms, fixed)
