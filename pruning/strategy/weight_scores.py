"""Scores of single weights: what a criterion says, made comparable where kernels compete."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.errors import PlanError
from pruning.strategy.criteria import Criterion, criterion
from pruning.strategy.plan import PruningPlan

MOVEMENT = "movement"  # the statistic that is gathered while the model is retrained


def kernel_scores(
    found: Criterion, statistics: Sequence[np.ndarray], *, competing: bool
) -> np.ndarray:
    """Score the weights of one kernel. -> the kernel's shape, larger = keep.

    Args:
        found: A criterion for weights.
        statistics: What it needs, in its order.
        competing: The weights compete with those of other kernels (scope ``global``). The scores
            of a criterion whose ``unit`` is relative are divided by their mean then, so that no
            kernel is emptied because its numbers are small throughout.
    """
    scores: np.ndarray = found.score(*statistics)
    if competing and found.unit == "relative":
        mean = float(np.mean(scores, dtype=np.float64))
        return scores / mean if mean > 0 else scores
    return scores


def lamp_quantiles(magnitudes: np.ndarray, count: int) -> np.ndarray:
    """Quantiles of a layer's LAMP scores from those of its magnitudes, for an estimate.

    Args:
        magnitudes: (n,), evenly spaced quantiles, ascending.
        count: Weights of the layer.
    """
    squares = np.square(magnitudes, dtype=np.float64)
    steps = (squares[1:] + squares[:-1]) / 2 * count / (len(squares) - 1)
    above = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    whole = above + squares
    scores: np.ndarray = np.divide(squares, whole, out=np.zeros_like(squares), where=whole > 0)
    return scores


def check_criterion(plan: PruningPlan) -> None:
    """Check that a plan for weights lets its criterion do its work.

    Raises:
        PlanError: TF-MOT cannot use it, or it needs training steps that the plan does not leave.
    """
    found = criterion(plan.criterion, "weights")
    if plan.engine == "tfmot" and found.name != "magnitude":
        raise PlanError(
            f"TF-MOT knows no criterion {found.name}: it prunes by magnitude.",
            expected="The criterion magnitude for the engine tfmot.",
            fix="Choose magnitude, or the studio's engine.",
        )
    if MOVEMENT not in found.needs:
        return
    schedule = plan.schedule
    if not plan.training.epochs:
        raise PlanError(
            f"The criterion {found.name} scores weights during training, and nothing is retrained.",
            expected="At least one epoch of retraining.",
            fix="Retrain for some epochs, or choose another criterion, for example magnitude.",
        )
    at_once = schedule.kind == "constant" or schedule.initial_sparsity > 0
    if schedule.kind == "one_shot" or (at_once and schedule.begin == 0):
        raise PlanError(
            f"The criterion {found.name} scores weights during training before it zeroes any, but "
            "this schedule zeroes some before the first step.",
            expected="The schedule polynomial from 0 % on, or one that begins later.",
            fix="Choose the schedule polynomial without zeros at the start, or let it begin later.",
        )


def criterion_notes(plan: PruningPlan) -> tuple[str, ...]:
    """What a user should know of the criterion in this plan, in sentences."""
    found = criterion(plan.criterion, "weights")
    notes = []
    if found.data_driven:
        notes.append(
            f"{found.title} looks at {plan.calibration_samples:,} training samples when the plan "
            "is carried out: it needs data then."
        )
    if found.name == "lamp" and plan.scope != "global":
        notes.append(
            "Within one layer LAMP zeroes the same weights as magnitude; it is made for the scope "
            "global."
        )
    if plan.scope == "global" and plan.pattern_of_zeros.fixed is None:
        if found.name in ESTIMATED:
            told = "an estimate from the weights' magnitudes"
        else:
            told = "an equal share, for the scores are not known yet"
        notes.append(
            "One threshold for all layers: how they share the zeros is settled when the plan is "
            f"carried out; the ratios shown are {told}."
        )
    return tuple(notes)


ESTIMATED = ("magnitude", "lamp")  # criteria whose global threshold the profile can estimate
