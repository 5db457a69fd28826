"""Prepared data and baselines written by hand, as the workers would."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from pruning import storage
from pruning.comparison.result import Interval, Scores
from pruning.intake.dataset import Manifest, prepared_folder

DATA = "d" * 20
REF = f"{DATA}-{'e' * 20}"
CLASSES = tuple(f"class {index}" for index in range(10))

IMAGE = {
    "modality": "image", "height": 32, "width": 32, "channels": 3, "scaling": "0..1",
    "resize": "bilinear", "background": "white", "layout": "hwc",
}  # fmt: skip
AUDIO = {
    "modality": "audio", "sample_rate": 8000, "seconds": 0.5, "features": "log-mel",
    "frame_ms": 32.0, "hop_ms": 12.5, "bins": 32, "time_first": True, "channel_axis": True,
    "normalise": "none", "window": "centre",
}  # fmt: skip
TEXT = {
    "modality": "text", "length": 6, "max_tokens": 10, "lowercase": True, "tokens": "words",
    "padding": "post", "truncating": "post", "vocabulary": ["good", "bad", "<script>"],
}  # fmt: skip


def manifest(settings: dict, x_shape: tuple[int, ...], test: int = 20) -> Manifest:
    """A manifest of ``test`` samples in two or ten classes."""
    return Manifest(
        ref=REF, name="pictures.zip", modality=settings["modality"], task="classification",
        classes=CLASSES, counts={"train": 60, "val": 20, "test": test},
        class_counts={"test": [test // 10] * 10}, x_shape=x_shape, x_dtype="float32", y_shape=(),
        preprocessing=settings, pipeline=("resize 32×32", "RGB", "divide by 255"),
        sample_rate=8000 if settings["modality"] == "audio" else None,
        source="made up", licence="MIT", notes=("2 files were skipped.",),
    )  # fmt: skip


def store(settings: dict, x_shape: tuple[int, ...], x: np.ndarray | None = None) -> Manifest:
    """Write a prepared folder with previews of its 20 test samples. -> its manifest."""
    record = manifest(settings, x_shape)
    folder = prepared_folder(REF)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, *x_shape)).astype(np.float32) if x is None else x
    storage.write_array(folder / "x_test.npy", values)
    storage.write_array(folder / "y_test.npy", np.repeat(np.arange(10), 2))
    if record.modality == "image":
        pictures = rng.integers(0, 255, (20, 32, 32, 3)).astype(np.uint8)
        storage.write_array(folder / "preview" / "images.npy", pictures)
    elif record.modality == "audio":
        sound = (8000 * rng.normal(size=(20, 4000))).astype(np.int16)
        storage.write_array(folder / "preview" / "audio.npy", sound)
    else:
        texts = [f"text {index} is **good** <b>" for index in range(20)]
        storage.write_json(folder / "preview" / "texts.json", {"texts": texts})
    storage.write_json(folder / "manifest.json", record.to_dict())
    source = folder.parents[1]
    storage.write_bytes(source / "source.zip", b"not opened by the pages")
    storage.write_json(
        source / "upload.json", {"name": "pictures.zip", "bytes": 23, "uploaded": 1e9}
    )
    return record


def judge(home: Path, model: str, value: float, *, chance: float = 0.1) -> None:
    """Write the baseline of a model on the prepared data."""
    interval = Interval(value, value - 0.013, value + 0.013)
    scores = Scores("accuracy", interval, 0.31, chance)
    path = home / "models" / model / "baselines" / f"{REF}.json"
    storage.write_json(path, {"scores": asdict(scores)})
