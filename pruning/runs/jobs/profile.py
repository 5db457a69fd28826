"""Read a model file and write its profile: all that the server needs to know of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning import storage
from pruning.analysis.profile import QUANTILES, ModelProfile
from pruning.intake.store import model_folder, model_path, upload_record
from pruning.runs.jobs._base import Job, Task
from pruning.strategy.criteria import criteria
from pruning.strategy.scoring import group_scores

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis


def run(task: Task) -> dict[str, Any]:
    """Write ``profile.json`` and its arrays beside the model; request: ``model``."""
    from pruning.analysis.profiler import analyse
    from pruning.intake.model_file import load

    identifier = task.request["model"]
    folder = model_folder(identifier)
    upload = upload_record(folder)
    task.stages("load", "analyse", "score")
    with task.stage("load"):
        loaded = load(model_path(identifier))
    with task.stage("analyse"):
        analysis = analyse(
            loaded, digest=identifier, name=str(upload["name"]), bytes=int(upload["bytes"])
        )
    with task.stage("score"):
        write_profile(analysis, folder)
    return {"made": [f"models/{identifier}/profile.json"]}


def write_profile(analysis: Analysis, folder: Path) -> ModelProfile:
    """Write the profile, the scores of each criterion and the quantiles of the magnitudes.

    ``profile.json`` comes last: a folder that has it is complete.
    """
    from pruning.analysis.profiler import channel_weights, kernels

    weights = channel_weights(analysis)
    named = criteria("channels")
    for name, criterion in named.items():
        scores = group_scores(criterion, weights)
        storage.write_array(folder / f"scores_{name}.npy", flat_scores(analysis.profile, scores))
    arrays = {layer: [kernel for _, kernel in pairs] for layer, pairs in kernels(analysis).items()}
    storage.write_array(folder / "magnitudes.npy", magnitudes(analysis.profile, arrays))
    profile = replace(analysis.profile, criteria=tuple(named))
    profile.save(folder)
    return profile


def flat_scores(profile: ModelProfile, scores: dict[str, np.ndarray]) -> np.ndarray:
    """Scores of the groups one after another, at their ``score_offset``. -> float32."""
    groups = [group for group in profile.groups if group.score_offset is not None]
    end = max((int(g.score_offset or 0) + g.channels for g in groups), default=0)
    flat = np.zeros(end, np.float32)
    for group in groups:
        start = int(group.score_offset or 0)
        flat[start : start + group.channels] = scores[group.id]
    return flat


def magnitudes(profile: ModelProfile, kernels: dict[str, list[np.ndarray]]) -> np.ndarray:
    """Evenly spaced quantiles of |w| of each layer. -> float32 (maskable layers, QUANTILES)."""
    layers = [layer for layer in profile.layers if layer.magnitude_row is not None]
    rows = np.zeros((len(layers), QUANTILES), np.float32)
    for layer in layers:
        values = np.concatenate([np.abs(kernel).ravel() for kernel in kernels[layer.name]])
        values = np.sort(np.nan_to_num(values.astype(np.float32)))
        places = np.linspace(0, len(values) - 1, QUANTILES)
        rows[layer.magnitude_row] = np.interp(places, np.arange(len(values)), values)
    return rows


JOB = Job("profile", run)
