"""Measure a model before anything is pruned: what a plan's latency and gzip size are told from."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pruning import storage
from pruning.intake.store import model_folder, model_path
from pruning.runs.jobs._base import Job, Task

if TYPE_CHECKING:
    from pruning.intake.model_file import LoadedModel

MOST_BYTES = 50_000_000  # of weights: gzip takes some two seconds for as many
FLOAT32 = 4


def run(task: Task) -> dict[str, Any]:
    """Write ``latency.json`` beside the model; request: model."""
    from pruning.analysis.profiler import analyse
    from pruning.comparison.latency_before import time_before
    from pruning.delivery.running import random_inputs
    from pruning.intake.model_file import load

    identifier = task.request["model"]
    task.stages("load", "measure", "compress")
    with task.stage("load"):
        loaded = load(model_path(identifier))
    with task.stage("measure"):
        sample = random_inputs(loaded, 1, length=loaded.length)
        latency, fixed = time_before(analyse(loaded), sample)
    with task.stage("compress"):
        packed = _gzip_bytes(loaded)
    content = {**asdict(latency), "fixed": fixed, "gzip_bytes": packed}
    storage.write_json(model_folder(identifier) / "latency.json", content)
    return {"latency": asdict(latency), "made": [f"models/{identifier}/latency.json"]}


def _gzip_bytes(loaded: LoadedModel) -> int | None:
    """Bytes after gzip, as a comparison measures them; ``None`` where that would take long."""
    from pruning.comparison.sizes import saved_sizes

    weights = sum(FLOAT32 * math.prod(weight.shape) for weight in loaded.model.weights)
    if weights > MOST_BYTES:
        return None
    return saved_sizes(loaded.model, loaded.framework, loaded.file.file_format)[1]


JOB = Job("latency", run)
