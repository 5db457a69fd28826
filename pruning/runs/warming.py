"""What a warm worker does before its folder comes: import everything that takes long, and rehearse.

Both Kerases and TensorFlow make much of themselves on first use. Cutting one tiny model of each
saves a quarter of a second of the next one's; training one for a step as much again, but takes
longer itself, and is done when a model is likely to be pruned.
"""

from __future__ import annotations

import gc
import importlib
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pruning.analysis.profiler import analyse_file
from pruning.errors import Cancelled
from pruning.frameworks.memory import imported
from pruning.intake.dataset import Dataset, Manifest
from pruning.runs import steps
from pruning.runs.work import Voice, Work
from pruning.strategy.plan import PruningPlan, Training

FAMILIES = ("keras", "tf_keras")
MODULES = (
    "pruning.intake.model_file",
    "pruning.analysis.profiler",
    "pruning.surgery.channels",
    "pruning.surgery.self_check",
    "pruning.training",
    "pruning.comparison.judge",
)


def warm() -> None:
    """Import TensorFlow, both Kerases and the rooms that need them, and use them once."""
    for name in FAMILIES:
        imported(name)
    for name in MODULES:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        for family in reversed(FAMILIES):
            _cut(imported(family), Path(folder))
    gc.collect()  # the rehearsal's models
    gc.freeze()  # all of this stays: whoever collects later need not look through it


@cache
def rehearse(keras: Any) -> None:
    """Prune a tiny model, and train it for one step; once for each Keras.

    Args:
        keras: The module.
    """
    with tempfile.TemporaryDirectory() as folder:
        work, data = _cut(keras, Path(folder))
        steps.recalibrate(work, data)
        steps.retrain(work, data, None)


def _cut(keras: Any, folder: Path) -> tuple[Work, Dataset]:
    """Write a tiny model and its data, and cut it as a run does."""
    path = folder / f"{keras.__name__}.keras"
    _model(keras).save(path)
    before, analysis = analyse_file(path, for_pricing=False)
    plan = PruningPlan(
        analysis.profile.digest,
        ratios={group.id: 0.5 for group in analysis.groups if group.prunable},
        training=Training(epochs=1, batch_size=2),
    )
    data = _data(folder)
    work = Work(plan, data, folder, Voice(report=_enough), before, analysis)
    steps.cut(work)
    steps.check(work)
    return work, data


def _enough(line: Mapping[str, Any]) -> None:
    """End the training at its first step: making the graph would take as long as all of this."""
    raise Cancelled


def _model(keras: Any) -> Any:
    layers = keras.layers
    image = layers.Input((4, 4, 1))
    hidden = layers.BatchNormalization()(layers.Conv2D(2, 3, padding="same")(image))
    hidden = layers.GlobalAveragePooling2D()(layers.ReLU()(hidden))
    return keras.Model(image, layers.Dense(2, activation="softmax")(hidden))


def _data(folder: Path) -> Dataset:
    """Four samples of each split, written as prepared data is."""
    labels = np.arange(4) % 2
    images = np.random.default_rng(0).normal(size=(4, 4, 4, 1)).astype(np.float32)
    for split in ("train", "val"):
        np.save(folder / f"x_{split}.npy", images)
        np.save(folder / f"y_{split}.npy", labels)
    return Dataset(
        folder,
        Manifest(
            ref="rehearsal",
            name="rehearsal",
            modality="arrays",
            task="classification",
            classes=("0", "1"),
            counts={"train": len(images), "val": len(images)},
            class_counts={},
            x_shape=images.shape[1:],
            x_dtype=str(images.dtype),
            y_shape=(),
            preprocessing={},
            pipeline=(),
        ),
    )
