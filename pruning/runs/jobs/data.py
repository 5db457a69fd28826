"""Prepare uploaded data for a model. NumPy only, so that it starts at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pruning.analysis.profile import Layer, ModelProfile
from pruning.intake import check
from pruning.intake.dataset import prepared_folder
from pruning.intake.modalities._base import ModelInput
from pruning.intake.store import data_path, model_folder
from pruning.runs.jobs._base import Job, Task
from pruning.storage import home


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


def model_input(profile: ModelProfile) -> ModelInput:
    """What the data has to fit: the model's first input, and the layers that read it first."""
    readers = _readers(profile, profile.inputs[0].name)
    embedding = next((layer for layer in readers if layer.cls == "Embedding"), None)
    return replace(
        check.model_input(profile),
        scales_itself=any(layer.cls in ("Rescaling", "Normalization") for layer in readers),
        vocabulary=_rows(embedding) if embedding else None,
    )


def _readers(profile: ModelProfile, name: str) -> list[Layer]:
    """Layers that read the input itself; of a model without input layers, its first layer."""
    inputs = [layer.name for layer in profile.layers if layer.cls == "InputLayer"]
    if not inputs:
        return list(profile.layers[:1])
    source = name if name in inputs else inputs[0]
    targets = {edge.target for edge in profile.edges if edge.source == source}
    return [layer for layer in profile.layers if layer.name in targets]


def _rows(embedding: Layer) -> int | None:
    """``input_dim`` of an embedding, whose only weight is (input_dim, output_dim)."""
    width = embedding.output_shape[-1]
    return embedding.params // width if width else None


def _input_of(model: str | None) -> ModelInput | None:
    if model is None or not (model_folder(model) / "profile.json").exists():
        return None
    return model_input(ModelProfile.load(model_folder(model)))


JOB = Job("data", run, tensorflow=False)
