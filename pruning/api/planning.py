"""From a request to a plan with its prices. TensorFlow is imported inside the functions."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pruning.api.inputs import Words, latency_of, prepared
from pruning.api.results import Planned
from pruning.strategy.plan import PruningPlan

if TYPE_CHECKING:
    from pruning.analysis.profile import ModelProfile
    from pruning.analysis.profiler import Analysis
    from pruning.intake.dataset import Dataset
    from pruning.runs.influences import Influences
    from pruning.strategy.channel_scores import ChannelScores


def make_and_price(
    model: Path,
    asked: PruningPlan,
    *,
    data: str | Path | None,
    length: int | None,
    latency: bool,
    progress: Words,
) -> Planned:
    """Measure what the request's criterion needs, meet its target, and price the plan.

    Args:
        model: A ``.keras`` or ``.h5`` file.
        asked: The request; it may leave the model open.
        data: Also measure the accuracy that the plan starts from; a data-driven criterion looks at
            samples of its training split.
        length: What open dimensions count as.
        latency: Measure the model's latency, from which the plan's is estimated.
        progress: Told how far scoring is: a fraction from 0 to 1, and words.

    Raises:
        PruningError: The target cannot be reached, or model or data cannot be used.
    """
    from pruning.analysis.profiler import analyse_file
    from pruning.runs.jobs.profile import write_profile
    from pruning.strategy.estimates import price
    from pruning.strategy.planner import make_plan

    _check_samples(asked, data is not None)
    with tempfile.TemporaryDirectory(prefix="pruning-studio-") as name:
        folder = Path(name)
        loaded, analysis = analyse_file(model, length=length)
        profile = write_profile(analysis, folder, ())
        dataset = None if data is None else prepared(data, profile, asked.training.seed)
        influences = _influences(analysis, profile, asked, dataset, progress)
        scores = _scores(analysis, asked, dataset, progress)
        plan = make_plan(
            profile,
            folder,
            asked,
            scores=scores,
            influences=None if influences is None else influences.values,
        )
        accuracy = None
        if dataset is not None:
            from pruning.comparison.evaluate import evaluate

            accuracy = evaluate(loaded.model, loaded.framework, dataset)[0].value.value
        measured = latency_of(loaded, analysis, length) if latency else None
        prices = price(profile, folder, plan, latency=measured, accuracy=accuracy, scores=scores)
    return Planned(plan, prices, 0 if scores is None else scores.samples, influences)


def _check_samples(asked: PruningPlan, given: bool) -> None:
    """Refuse a data-driven criterion without data before the model is read."""
    from pruning.runs.calibration import needs_data
    from pruning.strategy.criteria import criterion

    known = criterion(asked.criterion, asked.method)
    # Weights are scored while they are zeroed, and named blocks need no ranking.
    scored = asked.method == "channels" or (asked.method == "layers" and asked.target is not None)
    if known.data_driven and scored and not given:
        raise needs_data(known)


def _influences(
    analysis: Analysis,
    profile: ModelProfile,
    asked: PruningPlan,
    dataset: Dataset | None,
    progress: Words,
) -> Influences | None:
    """What the blocks are worth, where a target is to be met with them."""
    from pruning.runs.influences import measure
    from pruning.strategy.block_targets import check_reachable
    from pruning.strategy.validation import check_plan

    if asked.method != "layers" or asked.target is None or dataset is None:
        return None
    # What is wrong or cannot be reached is told before anything is measured.
    check_plan(profile, replace(asked, model=profile.digest))
    check_reachable(profile, asked.target, locked=asked.locked, fixed=asked.removed)
    return measure(
        analysis,
        dataset,
        asked.criterion,
        samples=asked.calibration_samples,
        seed=asked.training.seed,
        report=progress,
    )


def _scores(
    analysis: Analysis, asked: PruningPlan, dataset: Dataset | None, progress: Words
) -> ChannelScores | None:
    """What the criterion says of the channels; ``None`` for other methods."""
    from pruning.runs.calibration import score_channels

    if asked.method != "channels":
        return None
    return score_channels(
        analysis,
        asked.criterion,
        dataset,
        count=asked.calibration_samples,
        seed=asked.training.seed,
        progress=progress,
    )
