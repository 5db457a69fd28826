"""Time each layer of a model alone on LiteRT: of an uploaded model, or of a run's pruned one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pruning.errors import Cancelled, NotFoundError
from pruning.intake.store import model_path
from pruning.runs import library
from pruning.runs.jobs._base import Job, Task


def run(task: Task) -> dict[str, Any]:
    """Return milliseconds by layer; request: ``model``, or ``run`` for its pruned model."""
    from pruning.comparison.layer_latency import layer_latencies
    from pruning.delivery.running import random_inputs
    from pruning.intake.model_file import load

    task.stages("load", "measure")
    with task.stage("load"):
        loaded = load(_file(task))
    with task.stage("measure"):
        found = layer_latencies(
            loaded.model,
            loaded.framework,
            random_inputs(loaded, 1, length=loaded.length),
            progress=task.progress,
            should_stop=task.should_stop,
        )
    if task.should_stop():
        raise Cancelled
    return {"layers": found}


def _file(task: Task) -> Path:
    if "run" not in task.request:
        return model_path(task.request["model"])
    model = library.find(task.request["run"]).model()
    if model is None:
        raise NotFoundError(
            f"The run {task.request['run']} has no model.",
            expected="A run that is done.",
            fix="Wait until it is done, or start it again.",
        )
    return model


JOB = Job("layer_latency", run)
