"""The steps of pruning a model, each filling in its part of a :class:`Work`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning import storage
from pruning.errors import Cancelled, PlanError
from pruning.intake.check import check_data
from pruning.intake.dataset import Dataset
from pruning.runs.calibration import WeightEvidence, score_channels, weight_evidence
from pruning.runs.work import Voice, Work
from pruning.strategy.channel_scores import ChannelScores, require_applicable, require_scored
from pruning.strategy.criteria import criterion
from pruning.strategy.plan import PruningPlan
from pruning.strategy.selection import kept_channels
from pruning.strategy.validation import check_plan

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis
    from pruning.comparison.result import Sizes
    from pruning.intake.model_file import LoadedModel
    from pruning.surgery.channels import Cut
    from pruning.training import Features

MOST_ANSWERS = 2 * 2**30  # bytes of the original's answers that distillation keeps in memory
CHECK_SAMPLES = 32  # of the training split; the cut is exact on all or on none
SIZES = ("params", "flops", "bytes", "gzip_bytes")


def begin(
    before: LoadedModel,
    analysis: Analysis,
    plan: PruningPlan,
    data: Dataset | None,
    out: Path,
    voice: Voice,
) -> Work:
    """Check that the plan is for the model, and the data, too.

    Raises:
        MismatchError: The plan is for another model, or the data does not fit.
        PlanError: The plan names what the model does not have.
    """
    check_plan(analysis.profile, plan)
    if data is not None:  # told now, not after an hour of training
        check_data(data.manifest, analysis.profile)
    return Work(plan, data, out, voice, before, analysis)


def score(work: Work) -> ChannelScores:
    """Score the channels; a stage of its own where samples have to run through the model.

    Raises:
        PlanError: The criterion needs samples and there are none, or it does not apply.
    """
    plan = work.plan
    own = criterion(plan.criterion, "channels").data_driven
    with work.stage("score") if own else nullcontext():
        scores = score_channels(
            work.analysis,
            plan.criterion,
            work.data,
            count=plan.calibration_samples,
            seed=plan.training.seed,
            progress=work.voice.progress,
            should_stop=work.voice.should_stop,
        )
        require_applicable(work.analysis.profile.requested(plan.on_request), scores)
        require_scored(plan, scores)
    work.scores = scores
    return scores


def cut(work: Work) -> Cut:
    """Choose the channels to keep by their scores, and make the smaller model."""
    from pruning.surgery import channels

    scores = work.scores or score(work)
    with work.stage("cut"):
        kept = kept_channels(work.analysis.profile, work.plan, scores.values)
        work.cut = channels.cut(work.analysis, kept)
        work.model = work.cut.model
    return work.cut


def check(work: Work) -> None:
    """Prove that the cut model is the original whose consumers read zeros.

    Raises:
        SelfCheckError: It is not; nothing has been saved.
    """
    from pruning.surgery.self_check import self_check

    assert work.cut is not None
    with work.stage("self-check"):
        work.self_check = self_check(work.analysis, work.cut, _check_samples(work)).to_dict()


def remove(work: Work) -> None:
    """Leave out the plan's blocks."""
    from pruning.surgery import layers

    with work.stage("cut"):
        work.removal = layers.remove(work.analysis, work.plan.removed)
        work.model = work.removal.model


def check_removal(work: Work) -> None:
    """Prove that the model is the original whose removed blocks pass their inputs on.

    Raises:
        SelfCheckError: It is not; nothing has been saved.
    """
    from pruning.surgery import layers

    assert work.removal is not None
    with work.stage("self-check"):
        checked = layers.check_removal(work.analysis, work.removal, _check_samples(work))
        work.self_check = checked.to_dict()


def _check_samples(work: Work) -> tuple[np.ndarray, ...] | None:
    return None if work.data is None else work.data.inputs("train", slice(CHECK_SAMPLES))


def recalibrate(work: Work, data: Dataset) -> None:
    """Measure BatchNormalization's statistics again, and keep the better ones of old and new."""
    from pruning.runs.recalibrating import recalibrated
    from pruning.training.recalibration import normalizations

    if not normalizations(work.model, work.before.framework):
        work.voice.skip("recalibrate")
        return
    with work.stage("recalibrate"):
        work.recalibration = recalibrated(
            work.model,
            work.before.framework,
            data,
            seed=work.plan.training.seed,
            report=work.voice.progress,
            should_stop=work.voice.should_stop,
        )


def mask(work: Work) -> None:
    """Load a second copy to work on; zero its weights now if no training will do it in steps."""
    from pruning.intake import model_file
    from pruning.surgery.masks import WeightMasks

    evidence = look_at_weights(work)
    with work.stage("mask"):
        work.model = model_file.load(work.before.file.path).model
        if work.plan.training.epochs:
            return
        masks = WeightMasks(work.model, work.before.framework, work.plan, evidence)
        masks.attach()
        masks.update(lambda final: final)
        work.masks = masks.arrays()
        masks.detach()


def look_at_weights(work: Work) -> WeightEvidence | None:
    """Run calibration samples through the model, as a stage, when the criterion needs some.

    Raises:
        PlanError: It needs samples and there are none.
    """
    plan = work.plan
    if not criterion(plan.criterion, "weights").data_driven:
        return None
    with work.stage("score"):
        work.evidence = weight_evidence(
            work.analysis,
            plan.criterion,
            work.data,
            count=plan.calibration_samples,
            seed=plan.training.seed,
            progress=work.voice.progress,
            should_stop=work.voice.should_stop,
        )
    return work.evidence


def answer(work: Work, data: Dataset) -> None:
    """Have the original answer the training samples, for retraining to learn from.

    Raises:
        PlanError: The answers would not fit into memory.
        MismatchError: The original's answers are not finite.
    """
    from pruning.comparison.evaluate import predict

    samples = data.manifest.counts["train"]
    place = data.manifest.output
    outputs = work.analysis.profile.outputs[place].shape
    size = 4 * samples * math.prod(dimension or 1 for dimension in outputs)
    if size > MOST_ANSWERS:
        raise PlanError(
            f"The original's answers to {samples:,} training samples take"
            f" {size / 2**30:.1f} GiB, and distillation keeps them in memory.",
            expected=f"At most {MOST_ANSWERS >> 30} GiB.",
            fix="Switch distillation off, or prepare the data with fewer training samples.",
        )
    with work.stage("distil"):
        work.answers = predict(
            work.before.framework.with_output(work.before.model, place),
            data.rows("train"),
            should_stop=work.voice.should_stop,
            report=lambda entry: work.voice.progress(
                entry["done"] / entry["total"],
                f"{entry['done']:,} of {entry['total']:,} training samples",
            ),
        )


def make_ready(work: Work, data: Dataset) -> None:
    """Have the graph of the training made; it cannot be stopped midway.

    Raises:
        Cancelled: On entering, when something else is to be done.
    """
    from pruning.training import made_ready

    if work.voice.should_stop():
        raise Cancelled
    work.ready = made_ready(work.model, work.before.framework, data, work.plan.training)


def retrain(work: Work, data: Dataset, checkpoints: Path | None) -> None:
    """Train the pruned model; masks are computed while it trains, by the plan's schedule.

    Raises:
        PlanError: The model reads a fixed number of samples at once, and the batches have another.
    """
    from pruning.training import retrain

    with work.stage("retrain"), _fixed_batches_told(work):
        work.training = retrain(
            work.model,
            work.before.framework,
            data,
            work.plan,
            report=work.voice.report,
            should_stop=work.voice.should_stop,
            evidence=work.evidence,
            answers=work.answers,
            features=_features(work),
            checkpoints=checkpoints,
            stretch=work.stretch,
            ready=work.ready,
        )
        if work.voice.should_stop():
            raise Cancelled
        if work.plan.method == "weights":
            work.masks = work.training.masks


@contextmanager
def _fixed_batches_told(work: Work) -> Iterator[None]:
    """Say what is wrong where batches do not have the samples that a model's author fixed."""
    from pruning.frameworks.running import fixed_batch, model_errors

    try:
        yield
    except model_errors() as error:
        fixed = fixed_batch(work.model)
        if fixed is None:
            raise
        raise PlanError(
            f"The model reads {fixed} samples at once, and does not train on batches of others.",
            expected=f"A batch size of {fixed}, and training and validation samples in whole "
            "batches.",
            fix="Set the plan's batch size and cut the data to whole batches, save the model with "
            "an open batch size, or retrain for 0 epochs.",
        ) from error


def _features(work: Work) -> Features | None:
    """What the original holds inside, for a plan that matches it."""
    from pruning.training import Features

    weight = work.plan.training.feature_matching
    if not weight or work.cut is None:
        return None
    original, kept = work.original or (work.analysis, work.cut.kept)
    return Features(original, work.analysis_after, kept, weight)


def compare(work: Work, data: Dataset) -> None:
    """Judge before and after on the same test samples; write what was found."""
    from pruning.comparison import judge

    with work.stage("compare"):
        found, before, after = judge.compare(
            work.before,
            work.after,
            data,
            flops=(work.analysis.profile.flops, work.analysis_after.profile.flops),
            should_stop=work.voice.should_stop,
            report=lambda entry: _tell(work.voice, entry),
        )
        seconds = {**found.seconds, **_training_seconds(work, data)}
        work.comparison = replace(found, seconds=seconds, recalibration=work.recalibration)
        storage.write_array(work.out / "before.npy", before)
        storage.write_array(work.out / "after.npy", after)
        work.comparison.save(work.out / "comparison.json")


def save(work: Work) -> dict[str, Any]:
    """Write the model, under its name only when it is whole. -> the results, see ``prune``."""
    from pruning.surgery.masks import sparsity

    framework, suffix = work.before.framework, work.before.file.file_format
    with work.stage("save"):
        work.out.mkdir(parents=True, exist_ok=True)
        unfinished, path = work.out / f".unfinished.{suffix}", work.out / f"model.{suffix}"
        try:
            framework.save(work.model, unfinished)
            made = _proofs(work)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        sizes = _sizes(work, path)
    scores = work.comparison
    accuracy = [scores.before.value.value, scores.after.value.value] if scores else None
    return {
        "model": str(path),
        **made,
        **{name: _pair(getattr(s, name) for s in sizes) for name in SIZES},
        "sparsity": sparsity(work.model, framework),
        "self_check": work.self_check,
        **_calibration(work),
        "metric": scores.before.metric if scores else None,
        **({"notes": list(scores.notes)} if scores and scores.notes else {}),
        "recalibration": work.recalibration.to_dict() if work.recalibration else None,
        "accuracy": _pair(accuracy) if accuracy else None,
        "seconds": {name: round(value, 3) for name, value in work.seconds.items()},
    }


def _proofs(work: Work) -> dict[str, str | None]:
    """Write what was kept, by which the model can be checked. -> the paths by kind."""
    from pruning.surgery.masks import save_masks

    made: dict[str, str | None] = {"channels": None, "masks": None, "layers": None}
    if work.cut is not None:
        path = work.out / "channels.json"
        storage.write_json(path, work.cut.channels)
        made["channels"] = str(path)
    if work.removal is not None:
        path = work.out / "layers.json"
        storage.write_json(path, work.removal.layers)
        made["layers"] = str(path)
    if work.masks is not None:
        path = work.out / "masks.npz"
        save_masks(path, work.masks)
        made["masks"] = str(path)
    return made


def _calibration(work: Work) -> dict[str, Any]:
    """What the criterion looked at; empty when it looked at no samples."""
    if work.evidence is not None:
        seen: dict[str, Any] = {
            "criterion": work.plan.criterion,
            "samples": work.evidence.samples,
        }
        unseen = [name for name in work.evidence.unseen if work.plan.ratios.get(name, 0.0) > 0]
        return {"calibration": seen | ({"by_magnitude": unseen} if unseen else {})}
    if work.scores is None or not work.scores.samples:
        return {}
    looked = {"criterion": work.scores.criterion, "samples": work.scores.samples}
    return {"calibration": looked}


def _training_seconds(work: Work, data: Dataset) -> dict[str, float]:
    """Time of the training, and of one plain step before and after, measured by turns."""
    from pruning.training import step_seconds

    if work.training is None:
        return {}
    work.voice.progress(0.97, "time of a training step")
    seconds = {"train": work.training.seconds}
    measured = step_seconds((work.before.model, work.model), work.before.framework, data, work.plan)
    if measured is not None:
        seconds["step_before"], seconds["step_after"] = measured
    return seconds


def _sizes(work: Work, saved: Path) -> tuple[Sizes, Sizes]:
    """Sizes before and after, as the comparison measured them or measured now, the same way.

    Args:
        work: Done, but for this.
        saved: The pruned model's file.
    """
    if work.comparison is not None:
        return work.comparison.sizes_before, work.comparison.sizes_after
    from pruning.comparison.sizes import sizes

    framework, file_format = work.before.framework, work.before.file.file_format
    flops = work.analysis.profile.flops, work.analysis_after.profile.flops
    return (
        sizes(work.before.model, framework, file_format, flops[0]),
        sizes(work.model, framework, file_format, flops[1], saved),
    )


def _tell(voice: Voice, entry: Mapping[str, Any]) -> None:
    """Turn what the comparison reports into a share of its whole work, roughly by time."""
    step = entry["step"]
    if "done" in entry:
        share = (0.0 if step == "before" else 0.4) + 0.4 * entry["done"] / entry["total"]
        voice.progress(share, f"{step}: {entry['done']:,} of {entry['total']:,} test samples")
    else:
        voice.progress(0.8 if step == "latency" else 0.95, step)


def _pair(values: Iterable[float]) -> dict[str, float]:
    return dict(zip(("before", "after"), values, strict=True))
