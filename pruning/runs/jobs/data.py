"""Prepare uploaded data for a model. NumPy only, so that it starts at once."""

from __future__ import annotations

from typing import Any

from pruning.analysis.profile import ModelProfile
from pruning.intake.check import model_input
from pruning.intake.dataset import prepared_folder
from pruning.intake.modalities._base import ModelInput
from pruning.intake.store import data_path, model_folder
from pruning.runs.jobs._base import Job, Task
from pruning.storage import home

__all__ = ["JOB", "model_input", "run"]


def run(task: Task) -> dict[str, Any]:
    """Write a prepared folder; request: ``data``, and optionally ``model, preprocessing, options``.

    Returns:
        ``ref`` of the prepared data.
    """
    from pruning.intake.prepare import prepare

    task.stages("prepare")
    with task.stage("prepare"):
        dataset = prepare(
            data_path(task.request["data"]),
            model_input=_input_of(task.request.get("model")),
            preprocessing=task.request.get("preprocessing"),
            options=task.request.get("options"),
            report=task.progress,
        )
    ref = dataset.manifest.ref
    made = (prepared_folder(ref) / "manifest.json").relative_to(home())
    return {"ref": ref, "made": [str(made)]}


def _input_of(model: str | None) -> ModelInput | None:
    if model is None or not (model_folder(model) / "profile.json").exists():
        return None
    return model_input(ModelProfile.load(model_folder(model)))


JOB = Job("data", run, tensorflow=False)
