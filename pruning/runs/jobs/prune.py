"""Prune: load · (score) · cut or mask · self-check · recalibrate · retrain · compare · save.

A plan that distils has the original answer the training samples first. One with several cuts makes
all but the last in a stage before the cut.

:func:`prune` is the whole work, for the command line in its own process; the job is the same work
in a worker, told of through the run folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pruning.errors import PlanError
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.intake.store import model_path, upload_record
from pruning.runs import foresight, steps
from pruning.runs.jobs._base import Job, Task
from pruning.runs.narrowing import narrows
from pruning.runs.preparation import distils, recalibrates
from pruning.runs.work import Stage, Voice
from pruning.strategy.criteria import criterion
from pruning.strategy.plan import PruningPlan

SILENT = Voice()
FILES = ("model", "channels", "masks", "layers")


def stages(plan: PruningPlan, *, with_data: bool) -> tuple[str, ...]:
    """Names of the stages that this plan will go through."""
    scores = plan.method != "layers" and criterion(plan.criterion, plan.method).data_driven
    work = ("mask",) if plan.method == "weights" else ("cut", "self-check")
    possible = {
        "load": True,
        "distil": distils(plan),
        "narrow": narrows(plan),
        "score": scores,
        **dict.fromkeys(work, True),
        "recalibrate": with_data and recalibrates(plan),
        "retrain": plan.training.epochs > 0,
        "compare": with_data,
        "save": True,
    }
    return tuple(name for name, needed in possible.items() if needed)


def prune(
    model: Path,
    plan: PruningPlan,
    data: Dataset | None,
    out: Path,
    *,
    epochs: int | None = None,
    report: Callable[[Mapping[str, Any]], None] = SILENT.report,
    should_stop: Callable[[], bool] = SILENT.should_stop,
    stage: Stage = SILENT.stage,
    progress: Callable[[float, str], None] = SILENT.progress,
    skip: Callable[[str], None] = SILENT.skip,
    prepared: Callable[[str, float], None] = SILENT.prepared,
    name: str = "",
    checkpoints: Path | None = None,
) -> dict[str, Any]:
    """Prune a model file and write the result into a folder.

    Args:
        model: A ``.keras`` or ``.h5`` file.
        plan: Made for exactly this file.
        data: To retrain and compare on; None only cuts or masks, checks and saves.
        out: Gets ``model.<suffix>``, and ``channels.json``, ``layers.json`` or ``masks.npz``;
            with data also ``comparison.json``, ``before.npy`` and ``after.npy``.
        epochs: In place of the plan's; 0 retrains nothing.
        report: Told each line of training metrics.
        should_stop: Asked often.
        stage: Entered for each stage, by name.
        progress: Told how far a stage is: a fraction from 0 to 1, and words.
        skip: Told the name of a stage that is not needed.
        prepared: Told the name of a stage that was done before, and its seconds.
        name: The model's name for people; the file's by default.
        checkpoints: Where training may keep checkpoints.

    Returns:
        ``model, channels, masks, layers`` (paths or None), ``params, flops, bytes, gzip_bytes``,
        ``accuracy`` (before and after; accuracy None without data), ``sparsity``, ``self_check``,
        ``calibration`` when the criterion looked at samples, ``seconds``, ``metric``,
        ``recalibration`` (see ``comparison.recalibration``; None when not done).

    Raises:
        PruningError: Model, plan and data do not fit, the self-check failed, the disk is full.
        Cancelled: ``should_stop`` said so.
    """
    if epochs is not None:
        plan = plan.with_training(epochs=epochs)
    if plan.training.epochs and data is None:
        raise PlanError(
            f"The plan retrains for {plan.training.epochs} epochs, but there is no data.",
            expected="Data to retrain on, or 0 epochs.",
            fix="Give the data, or set the epochs to 0.",
        )
    voice = Voice(stage, report, progress, should_stop, skip, prepared)
    work, missing = foresight.begin(model, plan, data, out, voice, name)
    for step in missing:
        step(work)
    if data is not None:
        if plan.training.epochs:
            steps.retrain(work, data, checkpoints)
        steps.compare(work, data)
    return steps.save(work)


def run(task: Task) -> dict[str, Any]:
    """The job: ``plan.json`` and the request's ``model`` and ``data`` in, the run's files out."""
    folder, identifier = task.folder, task.request["model"]
    plan = PruningPlan.from_dict(folder.read(folder.plan))
    data = Dataset.open(prepared_folder(ref)) if (ref := task.request.get("data")) else None
    task.stages(*stages(plan, with_data=data is not None))
    path = model_path(identifier)
    results = prune(
        path,
        plan,
        data,
        folder.path,
        report=task.report,
        should_stop=task.should_stop,
        stage=task.stage,
        progress=task.progress,
        skip=task.skip,
        prepared=task.prepared,
        name=str(upload_record(path.parent)["name"]),
        checkpoints=folder.checkpoints,
    )
    shutil.rmtree(folder.checkpoints, ignore_errors=True)  # the model is whole: no need for them
    names = {k: Path(results[k]).name for k in FILES if results[k]}
    return {**results, **names}  # a folder may be copied or moved: names, not paths


JOB = Job("prune", run, queued=True)
