"""Measure what each removable block of a model is worth, on prepared data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pruning import storage
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.intake.store import model_folder, model_path
from pruning.runs import influences
from pruning.runs.jobs._base import Job, Task


def key(model: str, data: str, criterion: str, samples: int, seed: int) -> str:
    """What makes it the same work: the same key gives the same influences."""
    return f"{model}-{criterion}-{data}-{samples}-{seed}"


def influences_path(model: str, data: str, criterion: str, samples: int, seed: int) -> Path:
    """Where the influences of a model's blocks are kept, in the model's folder."""
    name = key(model, data, criterion, samples, seed).removeprefix(f"{model}-")
    return model_folder(model) / "influences" / f"{name}.json"


def run(task: Task) -> dict[str, Any]:
    """Write them beside the model; request: model, data, criterion, samples, seed."""
    from pruning.analysis.profiler import analyse
    from pruning.intake.model_file import load

    identifier, ref = task.request["model"], task.request["data"]
    criterion = task.request["criterion"]
    samples, seed = task.request["samples"], task.request["seed"]
    task.stages("load", "measure")
    with task.stage("load"):
        data = Dataset.open(prepared_folder(ref))
        analysis = analyse(load(model_path(identifier)), for_pricing=False)
    with task.stage("measure"):
        found = influences.measure(
            analysis,
            data,
            criterion,
            samples=samples,
            seed=seed,
            report=task.progress,
            should_stop=task.should_stop,
        )
    path = influences_path(identifier, ref, criterion, samples, seed)
    storage.write_json(path, found.to_dict())
    return {"samples": found.samples, "made": [str(path.relative_to(storage.home()))]}


JOB = Job("influences", run)
