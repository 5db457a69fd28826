"""Small data sets on disk and small models to train on them, in both Kerases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pruning import storage
from pruning.frameworks._base import framework
from pruning.intake.dataset import Dataset, Manifest
from pruning.strategy.plan import PruningPlan, Training

MODEL = "0123456789abcdef0123"


def write_dataset(
    folder: Path,
    task: str,
    splits: dict[str, tuple[np.ndarray, np.ndarray]],
    classes: tuple[str, ...] = ("a", "b", "c"),
) -> Dataset:
    """Write arrays and a manifest as the intake would."""
    for split, (x, y) in splits.items():
        storage.write_array(folder / f"x_{split}.npy", x)
        storage.write_array(folder / f"y_{split}.npy", y)
    x, y = splits["train"]
    counts = {split: len(splits[split][0]) if split in splits else 0 for split in ("train", "val")}
    manifest = Manifest(
        ref="data-prep",
        name="toy",
        modality="arrays",
        task=task,  # type: ignore[arg-type]
        classes=classes,
        counts=counts,
        class_counts={},
        x_shape=x.shape[1:],
        x_dtype=str(x.dtype),
        y_shape=y.shape[1:],
        preprocessing={},
        pipeline=(),
    )
    storage.write_json(folder / "manifest.json", manifest.to_dict())
    return Dataset.open(folder)


def blobs(samples: int, seed: int, features: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Three Gaussian clouds that a line separates. -> x (n, features) float32, y (n,) int64."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 2.5, (3, features))
    y = rng.integers(0, 3, samples)
    return (centres[y] + rng.normal(0, 0.6, (samples, features))).astype("float32"), y


def separable(folder: Path, train: int = 400, val: int = 100) -> Dataset:
    """The clouds as a data set; no validation split when ``val`` is 0."""
    splits = {"train": blobs(train, 1)}
    if val:
        splits["val"] = blobs(val, 2)
    return write_dataset(folder, "classification", splits)


def dense_model(family: str, outputs: int = 3, activation: str = "softmax", seed: int = 0) -> Any:
    """8 → 16 → outputs."""
    keras = framework(family).keras
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.layers.Input((8,)),
            keras.layers.Dense(16, activation="relu", name="hidden"),
            keras.layers.Dense(outputs, activation=activation, name="head"),
        ]
    )


def plan_for(**fields: Any) -> PruningPlan:
    """A plan for the toy models; a few epochs of Adam at one rate unless told otherwise."""
    usual = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "decay": "none"}
    training = usual | fields.pop("training", {})
    return PruningPlan(model=MODEL, training=Training(**training), **fields)


def weights_plan(ratios: dict[str, float], **fields: Any) -> PruningPlan:
    """A plan of the method weights."""
    return plan_for(method="weights", criterion="magnitude", ratios=ratios, **fields)
