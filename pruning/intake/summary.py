"""What the prepared arrays turned out to hold, as their manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from pruning.errors import DataFileError
from pruning.intake import splits
from pruning.intake.dataset import SPLITS, InputArray, Manifest, Modality, input_files
from pruning.intake.draft import Draft
from pruning.intake.labels import Targets
from pruning.intake.options import Options


def summarise(
    ref: str,
    modality: str,
    draft: Draft,
    targets: Targets,
    kept: Mapping[str, np.ndarray],
    options: Options,
    names: Sequence[str] = ("",),
) -> Manifest:
    """Manifest of what was written, without preprocessing and pipeline.

    Args:
        ref: Name of the prepared data.
        modality: Its name.
        draft: The arrays as written.
        targets: Labels of all samples.
        kept: Indices into them by split, of the samples that were written.
        options: Where the samples come from.
        names: Of the inputs, in the model's order.

    Raises:
        DataFileError: A split has no samples, or training has one class only.
    """
    splits.check_counts(np.repeat(np.arange(len(SPLITS)), [len(kept[name]) for name in SPLITS]))
    counts: dict[str, list[int]] = {}
    notes: list[str] = []
    if targets.task == "classification":
        for name in SPLITS:
            values = targets.y[kept[name]].ravel()
            counts[name] = np.bincount(values, minlength=len(targets.classes)).tolist()
        notes += _missing_classes(counts["train"], targets.classes)
    files = input_files("train", len(names))
    inputs = [InputArray(n, *draft.row_of(file)) for n, file in zip(names, files, strict=True)]
    return Manifest(
        ref=ref,
        name=options.name,
        modality=cast(Modality, modality),
        task=targets.task,
        classes=targets.classes,
        counts={name: len(kept[name]) for name in SPLITS},
        class_counts=counts,
        x_shape=inputs[0].shape,
        x_dtype=inputs[0].dtype,
        y_shape=targets.y.shape[1:],
        preprocessing={},
        pipeline=(),
        seed=options.seed,
        source=options.source,
        licence=options.licence,
        notes=tuple(notes),
        inputs=tuple(inputs) if len(inputs) > 1 else (),
    )


def _missing_classes(counts: list[int], classes: tuple[str, ...]) -> list[str]:
    """Words for classes that cannot be learned.

    Raises:
        DataFileError: Fewer than two classes have training samples.
    """
    absent = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if len(classes) - len(absent) < 2:
        raise DataFileError(
            "All training samples belong to one class.",
            expected="Training samples of at least two classes.",
            fix="Shuffle the samples before splitting them, or give them without splits.",
        )
    if not absent:
        return []
    return [f"{len(absent)} classes have no training samples: {', '.join(absent[:5])}"]
