"""Gathers what a plan's criterion needs of a loaded model, from training samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration import (
    Found,
    Samples,
    Watch,
    channel_evidence,
    gather,
    needs_labels,
)
from pruning.errors import PlanError
from pruning.frameworks.running import fixed_batch
from pruning.intake.check import check_data
from pruning.intake.dataset import Dataset
from pruning.strategy.channel_scores import NOISE, ChannelScores, lots
from pruning.strategy.criteria import Criterion, criterion
from pruning.strategy.scoring import group_scores
from pruning.surgery.kernels import Kernel

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

Progress = Callable[[float, str], None]


def score_channels(
    analysis: Analysis,
    name: str,
    data: Dataset | None = None,
    *,
    count: int = 256,
    seed: int = 0,
    progress: Progress = lambda fraction, words: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ChannelScores:
    """Score every group that can shrink.

    Args:
        analysis: Of the model.
        name: Of a criterion for channels.
        data: Where calibration samples come from; needed for a data-driven criterion.
        count: How many of the training split to look at; all when it has fewer.
        seed: Chooses them, and is the seed of whatever is drawn.
        progress: Told a fraction and words.
        should_stop: Asked after each batch.

    Raises:
        PlanError: The criterion needs samples, and there are none.
        MismatchError: The data does not fit the model.
        Cancelled: ``should_stop`` said so.
    """
    found = criterion(name, "channels")
    if NOISE in found.needs:
        return lots(analysis.profile, found, seed)
    samples = calibration_samples(analysis, found, data, count, seed) if found.data_driven else None
    gathered = gather(analysis, found.needs, samples, Watch(progress, should_stop))
    evidence = channel_evidence(analysis, found.needs, gathered)
    return ChannelScores(name, group_scores(found, evidence.items), evidence.reasons, gathered.used)


@dataclass(frozen=True, eq=False)
class WeightEvidence:
    """What a criterion needs of the weights besides the weights.

    Attributes:
        found: By the statistic's name.
        samples: How many calibration samples were looked at.
    """

    found: Mapping[str, Found]
    samples: int = 0

    def __call__(self, statistic: str, kernel: Kernel) -> np.ndarray:
        """What is known of one kernel; broadcasts to it. Values that are not finite are 0."""
        array = self.found[statistic].weights[kernel.key]
        finite: np.ndarray = np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)
        return finite

    @property
    def unseen(self) -> tuple[str, ...]:
        """Layers with a kernel of which the statistic says nothing: magnitude decides there."""
        names = (name.rpartition("/")[0] for found in self.found.values() for name in found.reasons)
        return tuple(dict.fromkeys(names))


def weight_evidence(
    analysis: Analysis,
    name: str,
    data: Dataset | None,
    *,
    count: int = 256,
    seed: int = 0,
    progress: Progress = lambda fraction, words: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> WeightEvidence:
    """Gather what a criterion for weights needs from calibration samples.

    Args:
        analysis: Of the model.
        name: Of a data-driven criterion for weights.
        data: Where calibration samples come from.
        count: As for :func:`score_channels`; likewise the next three.
        seed: Chooses the samples.
        progress: Told a fraction and words.
        should_stop: Asked after each batch.

    Raises:
        PlanError: There are no samples.
        MismatchError: The data does not fit the model.
        Cancelled: ``should_stop`` said so.
    """
    found = criterion(name, "weights")
    samples = calibration_samples(analysis, found, data, count, seed)
    gathered = gather(analysis, found.needs, samples, Watch(progress, should_stop))
    return WeightEvidence(gathered.found, gathered.used)


def calibration_samples(
    analysis: Analysis, found: Criterion, data: Dataset | None, count: int, seed: int
) -> Samples:
    """Draw ``count`` samples of the training split, without replacement, in their order.

    Raises:
        PlanError: There is no data, or it has no training samples.
        MismatchError: The data does not fit the model.
    """
    available = 0 if data is None else data.manifest.counts.get("train", 0)
    if data is None or not available:
        raise needs_data(found, given=data is not None)
    profile = analysis.profile
    check_data(data.manifest, profile)
    batch = fixed_batch(analysis.flat)
    whole = min(count, available) // (batch or 1) * (batch or 1)
    if not whole:
        raise PlanError(
            f"The model reads exactly {batch} samples at a time, but the criterion gets only "
            f"{min(count, available)}.",
            expected=f"At least {batch} calibration samples, and as many training samples.",
            fix="Use more calibration samples, or save the model with an open batch size.",
        )
    rows = drawn_rows(available, whole, seed)
    inputs = data.inputs("train", rows)
    if not needs_labels(found.needs):
        return Samples(inputs, seed=seed, batch=batch)
    targets, losses = _labelled(analysis, data, rows)
    return Samples(inputs, targets, losses, seed, batch)


def drawn_rows(available: int, count: int, seed: int) -> np.ndarray:
    """Rows drawn without repetition, ascending. -> (≤ count,)."""
    return np.sort(np.random.default_rng(seed).permutation(available)[:count])


def needs_data(found: Criterion, *, given: bool = False) -> PlanError:
    """The error for a data-driven criterion without samples.

    Args:
        found: The criterion.
        given: There is data, but it has no training samples.
    """
    lacks = "the data has no training samples" if given else "there is no data"
    instead = {"channels": "l1", "weights": "magnitude"}.get(found.kind)
    return PlanError(
        f"The criterion {found.name} needs calibration samples, and {lacks}.",
        expected="Data that fits the model, with at least one training sample.",
        fix=f"Give such data, or choose a criterion that needs none, for example {instead}."
        if instead
        else "Give such data: the influence of a block can only be measured on samples.",
    )


def _labelled(
    analysis: Analysis, data: Dataset, rows: np.ndarray
) -> tuple[np.ndarray, Callable[[Any, Sequence[Any]], Any]]:
    """Targets, and the loss of each sample as retraining would minimise it."""
    from pruning.training.objective import fitted_targets, objective

    place = data.manifest.output
    judged = analysis.framework.with_output(analysis.model, place)
    loss = objective(judged, analysis.framework, data.manifest.task).loss
    rank = len(judged.outputs[0].shape)

    def losses(targets: Any, outputs: Sequence[Any]) -> Any:
        import tensorflow as tf

        each = loss.call(targets, tf.cast(outputs[place], tf.float32))
        return tf.reduce_mean(tf.reshape(each, (tf.shape(each)[0], -1)), axis=1)

    return fitted_targets(np.asarray(data.y("train")[rows]), rank), losses
