"""What the current plan does to the layer that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pages.components import scores, state
from pruning.analysis.profile import Group, Layer, ModelProfile, load_magnitudes
from pruning.errors import PruningError
from pruning.intake.store import model_folder
from pruning.runs import library as runs
from pruning.strategy import library
from pruning.strategy.description import describe
from pruning.strategy.patterns import UNSTRUCTURED
from pruning.strategy.plan import PruningPlan
from pruning.strategy.selection import kept_channels


@dataclass(frozen=True)
class Planned:
    """The current plan, seen from one layer.

    Attributes:
        words: The plan in words, or its name.
        criterion: Whose scores choose the channels.
        kept: Indices of the layer's group that stay, (kept,); ``None`` for another method, or while
            the criterion's scores are not there.
        scores: What the criterion says of the group's channels, (channels,), with ``kept``.
        threshold: Weights of at most this magnitude become zero; ``None`` where no magnitude
            decides.
    """

    words: str
    criterion: str
    kept: np.ndarray | None = None
    scores: np.ndarray | None = None
    threshold: float | None = None


def planned(profile: ModelProfile, layer: Layer, group: Group | None) -> Planned | None:
    """Look for a plan: the strategy page's in this session, the link's, the open run's."""
    plan = _current(profile)
    if plan is None:
        return None
    folder = model_folder(profile.digest)
    words = plan.name or describe(plan)
    if plan.method == "weights":
        ratio = plan.ratios.get(layer.name, 0.0)
        by_magnitude = plan.criterion == "magnitude" and plan.pattern == UNSTRUCTURED
        one = ratio > 0 and by_magnitude  # otherwise there is no one threshold in a layer
        known = load_magnitudes(profile, folder).get(layer.name) if one else None
        limit = None if known is None else float(np.interp(ratio, *_grid(known)))
        return Planned(words, plan.criterion, threshold=limit)
    if plan.method == "layers" or group is None or not group.prunable:
        return Planned(words, plan.criterion)
    scored = scores.stored(
        profile.requested(plan.on_request),
        plan.criterion,
        state.current().data,
        plan.calibration_samples,
        plan.training.seed,
    )
    if scored is None or group.id not in scored.values:
        return Planned(words, plan.criterion)
    only = plan.with_ratios({group.id: plan.ratios.get(group.id, 0.0)})
    kept = kept_channels(profile, only, scored.values)[group.id]
    return Planned(words, plan.criterion, kept=kept, scores=scored.values[group.id])


def _grid(quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(0, 1, len(quantiles)), quantiles


def _current(profile: ModelProfile) -> PruningPlan | None:
    drawn = state.drawn_plan(profile.digest)
    if drawn is not None:
        return drawn
    opened = state.current()
    try:
        if opened.plan:
            return library.load_plan(profile.digest, opened.plan)
        if opened.run:
            folder = runs.find(opened.run)
            plan = PruningPlan.from_dict(folder.read(folder.plan))
            return plan if plan.model == profile.digest else None
    except (PruningError, KeyError, TypeError, ValueError):
        return None  # a plan that cannot be read draws no line; the strategy page says why
    return None
