"""Prepared data: arrays that a model can be trained and judged on, and a manifest.

A folder ``data/<id>/prepared/<preprocessing id>/`` holds

    manifest.json
    x_train.npy y_train.npy x_val.npy y_val.npy x_test.npy y_test.npy
    preview/            what a person sees of the test samples, by modality:
                        image: images.npy uint8 (n, h, w, 1|3); audio: audio.npy int16 (n, samples);
                        text: texts.json {"texts": [...]}; arrays: images.npy where they are
                        pictures, else nothing

``DataRef`` ``"<id>-<preprocessing id>"`` names it in links, plans and runs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pruning import storage

Modality = Literal["image", "audio", "text", "arrays"]
Task = Literal["classification", "multilabel", "regression"]
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Manifest:
    """What is known of prepared data.

    Attributes:
        ref: ``"<id>-<preprocessing id>"``.
        task: ``classification`` (y: int class index, (n,) or (n, steps)), ``multilabel``
            (y: 0/1, (n, classes)) or ``regression`` (y: float, (n,) or (n, outputs)).
        classes: Class names in the order of the indices; empty for regression.
        counts: Samples per split.
        class_counts: Samples per split and class (classification).
        preprocessing: The settings, as the modality wrote them; the id is their digest.
        pipeline: The same in words, step by step: ``resize 28×28``, ``grey``, ``divide by 255``.
        sample_rate: Of ``preview/audio.npy``, in Hz, for audio.
        source, licence: Where the samples come from, when known.
        notes: What a reader should know, e.g. how many files were skipped and why.
    """

    ref: str
    name: str
    modality: Modality
    task: Task
    classes: tuple[str, ...]
    counts: dict[str, int]
    class_counts: dict[str, list[int]]
    x_shape: tuple[int, ...]
    x_dtype: str
    y_shape: tuple[int, ...]
    preprocessing: dict[str, Any]
    pipeline: tuple[str, ...]
    seed: int = 0
    sample_rate: int | None = None
    source: str = ""
    licence: str = ""
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Manifest:
        """Inverse of :meth:`to_dict`."""
        fields = {key: value for key, value in record.items() if key in cls.__dataclass_fields__}
        for key in ("classes", "x_shape", "y_shape", "pipeline", "notes"):
            fields[key] = tuple(fields[key])
        return cls(**fields)


@dataclass(frozen=True)
class Dataset:
    """Prepared data on disk; arrays are memory-mapped and read when used."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open a prepared folder."""
        return cls(folder, Manifest.from_dict(storage.read_json(folder / "manifest.json")))

    def x(self, split: str) -> np.ndarray:
        """Model inputs of a split. -> (n, *x_shape)."""
        return storage.read_array(self.folder / f"x_{split}.npy", mapped=True)

    def y(self, split: str) -> np.ndarray:
        """Targets of a split. -> (n,) or (n, outputs)."""
        return storage.read_array(self.folder / f"y_{split}.npy", mapped=True)


def prepared_folder(ref: str) -> Path:
    """Folder of prepared data in the home folder."""
    identifier, _, preprocessing = ref.partition("-")
    return storage.home() / "data" / identifier / "prepared" / preprocessing
