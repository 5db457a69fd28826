"""Time a model on LiteRT before anything is pruned: what a plan's latency is estimated from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pruning import storage
from pruning.intake.store import model_folder, model_path
from pruning.runs.jobs._base import Job, Task


def run(task: Task) -> dict[str, Any]:
    """Write ``latency.json`` beside the model; request: model."""
    from pruning.analysis.profiler import analyse
    from pruning.comparison.latency_before import time_before
    from pruning.delivery.running import random_inputs
    from pruning.intake.model_file import load

    identifier = task.request["model"]
    task.stages("load", "measure")
    with task.stage("load"):
        loaded = load(model_path(identifier))
    with task.stage("measure"):
        sample = random_inputs(loaded, 1, length=loaded.length)
        latency, fixed = time_before(analyse(loaded), sample)
    content = {**asdict(latency), "fixed": fixed}
    storage.write_json(model_folder(identifier) / "latency.json", content)
    return {"latency": asdict(latency), "made": [f"models/{identifier}/latency.json"]}


JOB = Job("latency", run)
