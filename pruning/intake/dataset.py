"""Prepared data: arrays that a model can be trained and judged on, and a manifest.

A folder ``data/<id>/prepared/<preprocessing id>/`` holds

    manifest.json
    x_train.npy y_train.npy x_val.npy y_val.npy x_test.npy y_test.npy
                        of several inputs one file each, in the model's order:
                        x_train_0.npy x_train_1.npy …
                        pixels of pictures to train on as bytes, scaled when they are read
    preview/            what a person sees of the test samples, by modality:
                        image: images.npy uint8 (n, h, w, 1|3); audio: audio.npy int16 (n, samples);
                        text: texts.json {"texts": [...]}; arrays: images.npy where those of an
                        input are pictures, else nothing

``DataRef`` ``"<id>-<preprocessing id>"`` names it in links, plans and runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from pruning import storage
from pruning.errors import NotFoundError

Modality = Literal["image", "audio", "text", "arrays"]
Task = Literal["classification", "multilabel", "regression"]
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class InputArray:
    """What the model reads at one of its inputs.

    Attributes:
        name: Of the input; its number from 0 where the data was prepared without a model and
            names none; empty where there is one only.
        shape, dtype: Of one sample.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str


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
        x_shape, x_dtype: Of one sample; of several inputs the first.
        preprocessing: The settings, as the modality wrote them; the id is their digest.
        pipeline: The same in words, step by step: ``resize 28×28``, ``grey``, ``divide by 255``.
        sample_rate: Of ``preview/audio.npy``, in Hz, for audio.
        source, licence: Where the samples come from, when known.
        notes: What a reader should know, e.g. how many files were skipped and why.
        inputs: Several inputs in the model's order; empty for one, as in older manifests.
        output: Number of the model's output that the labels are for.
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
    inputs: tuple[InputArray, ...] = field(default=())
    output: int = 0

    @property
    def input_arrays(self) -> tuple[InputArray, ...]:
        """All inputs, also a single one."""
        return self.inputs or (InputArray("", self.x_shape, self.x_dtype),)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Manifest:
        """Inverse of :meth:`to_dict`."""
        fields = {key: value for key, value in record.items() if key in cls.__dataclass_fields__}
        for key in ("classes", "x_shape", "y_shape", "pipeline", "notes"):
            fields[key] = tuple(fields[key])
        fields["inputs"] = tuple(
            InputArray(entry["name"], tuple(entry["shape"]), entry["dtype"])
            for entry in record.get("inputs", ())
        )
        return cls(**fields)


class Rows(Protocol):
    """Samples that may still be on disk: an array, or what reads and scales rows when asked."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of samples first."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Of what the model reads."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class _Stored:
    """Rows of which less is stored than the model reads."""

    array: np.ndarray
    dtype: np.dtype
    restore: Callable[[np.ndarray], np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return self.restore(np.asarray(self.array[rows]))


@dataclass(frozen=True)
class Dataset:
    """Prepared data on disk; arrays are memory-mapped and read when used."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open a prepared folder."""
        return cls(folder, Manifest.from_dict(storage.read_json(folder / "manifest.json")))

    def rows(self, split: str) -> tuple[Rows, ...]:
        """What the model reads of a split, (n, …) for each input, in the model's order.

        Slices and lists of numbers of it are arrays, read when they are taken.
        """
        entries = self.manifest.input_arrays
        return tuple(
            self._read(storage.read_array(self.folder / f"{name}.npy", mapped=True), entry)
            for name, entry in zip(input_files(split, len(entries)), entries, strict=True)
        )

    def inputs(self, split: str, rows: slice | np.ndarray = slice(None)) -> tuple[np.ndarray, ...]:
        """The same of some samples, read at once. -> an array (n, …) for each input.

        Args:
            split: Its name.
            rows: Numbers of the samples, or a slice of them.
        """
        return tuple(np.asarray(entry[rows]) for entry in self.rows(split))

    def x(self, split: str) -> np.ndarray:
        """The same of all samples where there is one input. -> (n, *x_shape)."""
        (array,) = self.inputs(split)
        return array

    def _read(self, stored: np.ndarray, entry: InputArray) -> Rows:
        """Stored rows as the model reads them."""
        if stored.dtype == entry.dtype:
            return stored
        # What only pictures need is imported for them alone.
        from pruning.intake.modalities import modality

        restore = modality(self.manifest.modality).restore
        settings = self.manifest.preprocessing
        return _Stored(stored, np.dtype(entry.dtype), lambda rows: restore(rows, settings))

    def y(self, split: str) -> np.ndarray:
        """Targets of a split. -> (n,) or (n, outputs)."""
        return storage.read_array(self.folder / f"y_{split}.npy", mapped=True)


def input_files(split: str, count: int) -> list[str]:
    """Names of the files of a split's inputs, without suffix, in the model's order."""
    return [f"x_{split}"] if count == 1 else [f"x_{split}_{place}" for place in range(count)]


def prepared_folder(ref: str) -> Path:
    """Folder of prepared data in the home folder."""
    identifier, _, preprocessing = ref.partition("-")
    return storage.home() / "data" / identifier / "prepared" / preprocessing


def require_prepared(ref: str) -> None:
    """Refuse data that is not there, or not yet.

    Raises:
        NotFoundError: It is not.
    """
    if not (prepared_folder(ref) / "manifest.json").is_file():
        raise NotFoundError(
            "The data is no longer in the studio.",
            expected="Prepared data to retrain and compare on.",
            fix="Upload the same data again on the upload page.",
        )
