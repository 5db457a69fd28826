"""How arrays become what the model reads: reshaped, scaled, cast and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.errors import DataFileError, MismatchError
from pruning.intake.label_check import words_of
from pruning.intake.labels import check_finite, check_tokens
from pruning.intake.modalities._base import ModelInput

SCALINGS = ("raw", "0..1", "-1..1")


@dataclass(frozen=True)
class ArrayFit:
    """How each block becomes model inputs.

    Attributes:
        shape: Of one sample as the model reads it.
        dtype: As the model reads it.
        scaling: ``raw`` · ``0..1`` divides by 255 · ``-1..1`` divides by 127.5, minus 1.
        vocabulary: Tokens must be below this.
        steps: The same in words.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    scaling: str = "raw"
    vocabulary: int | None = None
    steps: tuple[str, ...] = ()

    def apply(self, key: str, block: np.ndarray) -> np.ndarray:
        """block: (rows, …) as stored -> (rows, *shape).

        Raises:
            DataFileError: NaN, infinities, or fractions where the model reads whole numbers.
            MismatchError: Tokens that the model's embedding does not have.
        """
        check_finite(f"the array {key}", block)
        if self.vocabulary is not None or self.dtype.kind in "iu":
            self._check_whole(key, block)
        values = block.reshape(len(block), *self.shape)
        if self.scaling == "0..1":
            values = values.astype(np.float32) / np.float32(255)
        elif self.scaling == "-1..1":
            values = values.astype(np.float32) / np.float32(127.5) - np.float32(1)
        return values.astype(self.dtype)

    def _check_whole(self, key: str, block: np.ndarray) -> None:
        if block.dtype.kind == "f" and (block != np.floor(block)).any():
            raise DataFileError(
                f"The array {key} has fractions, and the model reads whole numbers.",
                expected="Token or class numbers.",
                fix="Save the tokens, not vectors made of them.",
            )
        if self.vocabulary is not None:
            check_tokens(f"The array {key}", block, self.vocabulary)


def suggest(
    row: tuple[int, ...], dtype: np.dtype, model_input: ModelInput | None
) -> dict[str, Any]:
    """Settings for arrays: bytes of pictures are scaled unless the model does it itself."""
    floats = model_input is None or model_input.dtype.startswith(("float", "bfloat"))
    tokens = model_input is not None and model_input.vocabulary is not None
    scales_itself = model_input is not None and model_input.scales_itself
    is_picture = dtype == np.uint8 and len(row) >= 2
    scale = is_picture and floats and not tokens and not scales_itself
    return {"modality": "arrays", "scaling": "0..1" if scale else "raw"}


def suggest_each(
    rows: Sequence[tuple[tuple[int, ...], np.dtype]],
    names: Sequence[str],
    inputs: Sequence[ModelInput | None],
    asked: dict[str, Any],
) -> dict[str, Any]:
    """Settings for all inputs, what was asked for included.

    One input has a ``scaling``; of several each has its own, ``scaling_NAME``, and a ``scaling``
    that is asked for is that of all the others.
    """
    each = [suggest(*row, wanted) for row, wanted in zip(rows, inputs, strict=True)]
    if len(each) == 1:
        return {**each[0], **asked}
    settings = {"modality": "arrays"}
    if "scaling" not in asked:
        settings |= {f"scaling_{n}": own["scaling"] for n, own in zip(names, each, strict=True)}
    return {**settings, **asked}


def fit_each(
    rows: Sequence[tuple[tuple[int, ...], np.dtype]],
    names: Sequence[str],
    inputs: Sequence[ModelInput | None],
    settings: dict[str, Any],
) -> tuple[ArrayFit, ...]:
    """How each input's rows become what the model reads; see :func:`fit_to`."""
    if len(rows) == 1:
        return (fit_to(*rows[0], inputs[0], settings),)
    scaling = settings.get("scaling", "raw")
    return tuple(
        fit_to(*row, wanted, {"scaling": settings.get(f"scaling_{name}", scaling)}, name)
        for row, name, wanted in zip(rows, names, inputs, strict=True)
    )


def fit_to(
    row: tuple[int, ...],
    dtype: np.dtype,
    model_input: ModelInput | None,
    preprocessing: dict[str, Any],
    name: str = "",
) -> ArrayFit:
    """Find out how rows of ``row`` become the model's input.

    Args:
        row: Shape of one stored sample.
        dtype: Stored type.
        model_input: The model's, or ``None`` to keep shape and type.
        preprocessing: See :func:`suggest`.
        name: Of the input, where there are several.

    Raises:
        MismatchError: No unambiguous reshaping gives the model's input.
        DataFileError: Unknown scaling.
    """
    scaling = preprocessing.get("scaling", "raw")
    if scaling not in SCALINGS:
        raise DataFileError(
            f"The preprocessing setting scaling is {scaling!r}.",
            expected=f"One of {', '.join(SCALINGS)}.",
            fix="Change scaling in the preprocessing settings.",
        )
    words = {"raw": (), "0..1": ("divide by 255",), "-1..1": ("scale to −1 … 1",)}[scaling]
    target = np.dtype(np.float32 if dtype.kind == "f" or scaling != "raw" else dtype)
    if model_input is None:
        return ArrayFit(row, target, scaling, None, words)
    shape = _reshaped(row, model_input.shape, name)
    if model_input.dtype.startswith(("float", "bfloat")):
        target = np.dtype(np.float32)
    elif np.dtype(model_input.dtype).kind in "biu":
        target = np.dtype(model_input.dtype)
    if shape != row:
        words = (f"reshape {words_of(row)} to {words_of(shape)}", *words)
    if name and words:
        words = (f"{name}: {', '.join(words)}",)
    return ArrayFit(shape, target, scaling, model_input.vocabulary, words)


def _reshaped(
    row: tuple[int, ...], wanted: tuple[int | None, ...], name: str = ""
) -> tuple[int, ...]:
    """Add or drop a last axis of length 1, flatten, or unflatten; else the shapes do not fit."""
    candidates = [row, (*row, 1)]
    if row[-1:] == (1,):
        candidates.append(row[:-1])
    size = int(np.prod(row, dtype=np.int64))
    closed = tuple(length for length in wanted if length is not None)
    if len(closed) == len(wanted) and (len(row) == 1 or len(wanted) == 1):
        candidates.append(closed if int(np.prod(closed)) == size else row)
    for shape in candidates:
        if len(shape) == len(wanted) and all(
            want in (None, have) for have, want in zip(shape, wanted, strict=True)
        ):
            return shape
    where = (" for the input " + name, " there") if name else ("", "")
    raise MismatchError(
        f"One sample of the data{where[0]} has the shape {words_of(row)}, "
        f"the model{where[1]} reads {words_of(wanted)}.",
        expected="Samples of the model's input shape.",
        fix="Save the arrays in that shape (resize, or move the channels to the last axis).",
    )
