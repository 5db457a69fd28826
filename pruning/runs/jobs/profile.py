"""Read a model file and write its profile: all that the server needs to know of it."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning import storage
from pruning.analysis.profile import QUANTILES, ModelProfile
from pruning.intake.store import model_folder, model_path, upload_record
from pruning.runs.calibration import score_channels
from pruning.runs.jobs._base import Job, Task
from pruning.strategy.channel_scores import NOISE
from pruning.strategy.criteria import criteria

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
        forget_computed(folder)
        write_profile(analysis, folder)
    return {"made": [f"models/{identifier}/profile.json"]}


def forget_computed(folder: Path) -> None:
    """Delete what was computed for a model's former analysis; it is computed again when asked for.

    Scores lie in the order of the groups that an analysis found: another studio finds others.
    """
    for name in ("scores", "influences"):
        shutil.rmtree(folder / name, ignore_errors=True)


def write_profile(
    analysis: Analysis, folder: Path, names: Collection[str] | None = None
) -> ModelProfile:
    """Write the profile, channel scores and the quantiles of the magnitudes.

    ``profile.json`` comes last: a folder that has it is complete.

    Args:
        analysis: Of the model.
        folder: Where to write.
        names: Of the criteria to score by; by default :func:`storable` ones.
    """
    from pruning.analysis.profiler import kernels

    named = storable() if names is None else tuple(names)
    for name in named:
        score_channels(analysis, name).save(folder, analysis.profile)
    arrays = {layer: [kernel for _, kernel in pairs] for layer, pairs in kernels(analysis).items()}
    storage.write_array(folder / "magnitudes.npy", magnitudes(analysis.profile, arrays))
    profile = replace(analysis.profile, criteria=named)
    profile.save(folder)
    return profile


def storable() -> tuple[str, ...]:
    """Criteria for channels whose scores depend on nothing but the model, and cost little."""
    return tuple(
        name
        for name, found in criteria("channels").items()
        if found.stored and not found.data_driven and NOISE not in found.needs
    )


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
