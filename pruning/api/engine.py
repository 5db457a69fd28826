"""The five functions. TensorFlow is imported inside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from pruning.api.inputs import (
    Words,
    check_apart,
    parse_target,
    prepared,
    profiled,
    read_plan,
)
from pruning.api.planning import make_and_price
from pruning.api.results import Compared, Exported, Inspection, Planned, Pruned
from pruning.strategy.patterns import UNSTRUCTURED, Pooling
from pruning.strategy.plan import Engine, Method, PruningPlan, Schedule, Scope, Target, Training

Stage = Callable[[str], AbstractContextManager[None]]


def inspect(
    model: str | Path, *, data: str | Path | None = None, length: int | None = None
) -> Inspection:
    """Say what a model is made of and what of it can be pruned.

    Args:
        model: A ``.keras`` or ``.h5`` file.
        data: Also check that this data fits, and evaluate the model on its test samples.
        length: What open dimensions (time steps, tokens) count as in FLOPs.

    Raises:
        PruningError: The model or the data cannot be used.
    """
    loaded, profile = profiled(Path(model), length, for_pricing=True)
    if data is None:
        return Inspection(profile)
    from pruning.comparison.evaluate import evaluate
    from pruning.comparison.near_chance import NEAR_CHANCE, advice
    from pruning.intake.check import check_data

    dataset = prepared(data, profile)
    manifest = dataset.manifest
    notes = (*manifest.notes, *check_data(manifest, profile))
    baseline, _ = evaluate(loaded.model, loaded.framework, dataset)
    if baseline.near_chance:
        notes = (f"{NEAR_CHANCE} {advice(manifest)}", *notes)
    return Inspection(profile, manifest, baseline, notes)


def plan(
    model: str | Path,
    target: str | Target | None,
    *,
    method: Method = "channels",
    criterion: str | None = None,
    scope: Scope = "uniform",
    data: str | Path | None = None,
    ratios: Mapping[str, float] | None = None,
    locked: Collection[str] = (),
    schedule: Schedule | None = None,
    training: Training | None = None,
    engine: Engine = "studio",
    round_to: int = 1,
    length: int | None = None,
    latency: bool = True,
    name: str = "",
    on_request: Collection[str] = (),
    calibration_samples: int = PruningPlan.calibration_samples,
    recalibrate: bool = True,
    removed: Collection[str] = (),
    progress: Words = lambda fraction, words: None,
    pattern: str = UNSTRUCTURED,
    block_pooling: Pooling = "average",
    cuts: int = 1,
) -> Planned:
    """Make a plan that reaches a target, and price it.

    Args:
        model: A ``.keras`` or ``.h5`` file.
        target: ``"flops=0.5"``: half of the FLOPs are left; None takes ``ratios`` or ``removed``
            alone, or puts an N:M pattern on all layers that it applies to.
        method: ``channels`` removes channels, ``weights`` sets single weights to zero, ``layers``
            leaves out whole blocks, for which a target needs ``data``.
        criterion: What decides; the method's usual one by default.
        scope: How the target is shared out: ``uniform``, ``layer``, ``global``.
        data: Also measure the accuracy that the plan starts from; a data-driven criterion looks at
            samples of its training split.
        ratios: Fractions to remove by group (channels) or layer (weights) name.
        locked: Names that stay whole.
        schedule: When weights are zeroed.
        training: How the model is retrained.
        engine: ``tfmot`` zeroes the weights with TF-MOT (tf_keras models).
        round_to: Kept channel counts are rounded up to a multiple of this.
        length: What open dimensions count as.
        latency: Measure the model's latency, from which the plan's is estimated.
        name: Of the plan.
        on_request: ``inexact``, ``rescaled``, ``summed``: also cut groups that are left whole
            otherwise.
        calibration_samples: How many samples a data-driven criterion looks at.
        recalibrate: Measure BatchNormalization's statistics again after the cut.
        removed: Blocks that go in any case (layers).
        progress: Told how far scoring is: a fraction from 0 to 1, and words.
        pattern: ``unstructured``, ``N:M`` (``2:4``) or blocks (``4x4``) of zeros.
        block_pooling: A block's score is the ``average`` or the ``max`` of its weights'.
        cuts: The channels go in so many cuts, with retraining between them.

    Raises:
        PruningError: The target cannot be reached, or model or data cannot be used.
    """
    asked = PruningPlan(
        method=method,
        criterion=criterion or "",
        scope=scope,
        ratios={name: ratio for name, ratio in (ratios or {}).items() if name not in locked},
        locked=tuple(locked),
        target=parse_target(target) if isinstance(target, str) else target,
        schedule=schedule or Schedule(),
        training=training or Training(),
        engine=engine,
        round_to=round_to,
        name=name,
        on_request=tuple(on_request),
        calibration_samples=calibration_samples,
        pattern=pattern,
        block_pooling=block_pooling,
        recalibrate=recalibrate,
        removed=tuple(removed),
        cuts=cuts,
    )
    return make_and_price(
        Path(model), asked, data=data, length=length, latency=latency, progress=progress
    )


def prune(
    model: str | Path,
    plan: PruningPlan | str | Path,
    *,
    out: str | Path,
    data: str | Path | None = None,
    epochs: int | None = None,
    report: Callable[[Mapping[str, Any]], None] = lambda line: None,
    stage: Stage = lambda name: nullcontext(),
    progress: Words = lambda fraction, words: None,
) -> Pruned:
    """Prune a model as a plan says, and write the result into a folder.

    Args:
        model: The file that the plan was made for.
        plan: A plan, or the path of one.
        out: Folder for the pruned model and what proves it.
        data: To retrain and compare on; needed unless nothing is retrained.
        epochs: In place of the plan's; 0 retrains nothing.
        report: Told each line of training metrics.
        stage: Entered for each stage, by name.
        progress: Told how far a stage is: a fraction from 0 to 1, and words.

    Raises:
        PruningError: Model, plan and data do not fit together, the disk is full, or the pruned
            model would overwrite the original.
    """
    from pruning.runs.jobs.prune import prune as run

    check_apart(Path(model), *(Path(out) / f"model.{suffix}" for suffix in ("keras", "h5")))

    chosen = plan if isinstance(plan, PruningPlan) else read_plan(Path(plan))
    dataset = None
    if data is not None:
        with stage("data"):
            _, profile = profiled(Path(model))
            dataset = prepared(data, profile, chosen.training.seed, progress)
    results = run(
        Path(model),
        chosen,
        dataset,
        Path(out),
        epochs=epochs,
        report=report,
        stage=stage,
        progress=progress,
    )
    return Pruned(results)


def compare(
    before: str | Path,
    after: str | Path,
    data: str | Path,
    *,
    latency: bool = True,
    seed: int = 0,
    report: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> Compared:
    """Judge two models on the same test samples, as pairs.

    Args:
        before: The original model's file.
        after: The pruned model's file.
        data: What both answer.
        latency: Also time both on LiteRT.
        seed: Splits data that has no test samples of its own; the plan's seed.
        report: Told what is being done.

    Raises:
        PruningError: A file cannot be used, or the models do not fit the data.
    """
    from pruning.comparison import judge

    loaded, profile = profiled(Path(before))
    other, pruned = profiled(Path(after))
    dataset = prepared(data, profile, seed)
    flops = profile.flops, pruned.flops
    return Compared(
        *judge.compare(loaded, other, dataset, flops=flops, latency=latency, report=report)
    )


def export(model: str | Path, to: str, out: str | Path, *, length: int | None = None) -> Exported:
    """Write a model in another format, read it again and compare it with the model.

    Args:
        model: A ``.keras`` or ``.h5`` file.
        to: ``keras``, ``h5`` or ``litert``.
        out: The file to write.
        length: Steps to export for, where the model leaves them open.

    Raises:
        PruningError: The format cannot hold the model, or the file is not equal to it.
    """
    from pruning.delivery.export import export as write

    check_apart(Path(model), Path(out))
    result = write(Path(model), to, Path(out), length=length)
    return Exported(Path(result["path"]), result["bytes"], **result["check"])
