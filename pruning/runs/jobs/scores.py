"""Score a model's channels by one criterion, on calibration samples where it needs some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pruning.intake.dataset import Dataset, prepared_folder
from pruning.intake.store import model_folder, model_path
from pruning.runs.calibration import score_channels
from pruning.runs.jobs._base import Job, Task
from pruning.storage import home

NO_DATA = "none"


def key(model: str, criterion: str, data: str | None, samples: int, seed: int) -> str:
    """What makes it the same work: the same key gives the same scores."""
    return f"{model}-{criterion}-{data or NO_DATA}-{samples}-{seed}"


def scores_folder(model: str, criterion: str, data: str | None, samples: int, seed: int) -> Path:
    """Where the scores are kept, in the model's folder."""
    name = key(model, criterion, data, samples, seed).removeprefix(f"{model}-")
    return model_folder(model) / "scores" / name


def run(task: Task) -> dict[str, Any]:
    """Write the scores; request: model, criterion, data (a ref or None), samples, seed."""
    from pruning.analysis.profiler import analyse
    from pruning.intake.model_file import load

    asked = task.request
    identifier, ref = asked["model"], asked["data"]
    task.stages("load", "score")
    with task.stage("load"):
        data = Dataset.open(prepared_folder(ref)) if ref else None
        analysis = analyse(load(model_path(identifier)), for_pricing=False)
    with task.stage("score"):
        scores = score_channels(
            analysis,
            asked["criterion"],
            data,
            count=asked["samples"],
            seed=asked["seed"],
            progress=task.progress,
            should_stop=task.should_stop,
        )
    folder = scores_folder(identifier, asked["criterion"], ref, asked["samples"], asked["seed"])
    scores.save(folder, analysis.profile)
    made = (folder / f"scores_{scores.criterion}.json").relative_to(home())
    return {"samples": scores.samples, "made": [str(made)]}


JOB = Job("scores", run)
