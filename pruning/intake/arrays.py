"""Arrays of an ``.npz`` to arrays that fit the model: reshaped, scaled, cast and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.errors import DataFileError, MismatchError
from pruning.intake import splits
from pruning.intake.dataset import SPLITS
from pruning.intake.draft import Draft, check_space
from pruning.intake.labels import Expected, Targets, check_finite, check_tokens, from_array
from pruning.intake.modalities._base import ModelInput
from pruning.intake.npz import Npz, Pair
from pruning.intake.preview import pictures, thumbnail, thumbnail_shape

Report = Callable[[float, str], None]

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


def fit_to(
    row: tuple[int, ...],
    dtype: np.dtype,
    model_input: ModelInput | None,
    preprocessing: dict[str, Any],
) -> ArrayFit:
    """Find out how rows of ``row`` become the model's input.

    Args:
        row: Shape of one stored sample.
        dtype: Stored type.
        model_input: The model's, or ``None`` to keep shape and type.
        preprocessing: See :func:`suggest`.

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
    shape = _reshaped(row, model_input.shape)
    if model_input.dtype.startswith(("float", "bfloat")):
        target = np.dtype(np.float32)
    elif np.dtype(model_input.dtype).kind in "biu":
        target = np.dtype(model_input.dtype)
    if shape != row:
        words = (f"reshape {_words(row)} to {_words(shape)}", *words)
    return ArrayFit(shape, target, scaling, model_input.vocabulary, words)


def _reshaped(row: tuple[int, ...], wanted: tuple[int | None, ...]) -> tuple[int, ...]:
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
    raise MismatchError(
        f"One sample of the data has the shape {_words(row)}, the model reads {_words(wanted)}.",
        expected="Samples of the model's input shape.",
        fix="Save the arrays in that shape (resize, or move the channels to the last axis).",
    )


def _words(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"


def row_of(npz: Npz, pairs: tuple[Pair, ...]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of one sample, the same in all arrays of inputs.

    Raises:
        DataFileError: They differ, or are no numbers.
    """
    headers = [npz.headers[pair.x] for pair in pairs]
    rows = {header.shape[1:] for header in headers}
    if len(rows) > 1:
        raise DataFileError(
            f"Samples have the shapes {' and '.join(sorted(map(_words, rows)))}.",
            expected="The same shape in all splits.",
            fix="Save the arrays again, all prepared in the same way.",
        )
    if any(header.dtype.kind not in "biuf" for header in headers):
        raise DataFileError(
            f"The array {pairs[0].x} holds values of the type {headers[0].dtype}.",
            expected="Numbers. Texts come as a CSV table.",
            fix="Save the inputs as numbers.",
        )
    if 0 in headers[0].shape[1:]:
        raise DataFileError(
            f"One sample has the shape {_words(headers[0].shape[1:])}: it has no values.",
            expected="At least one value in each sample.",
            fix="Save the arrays again.",
        )
    return headers[0].shape[1:], np.result_type(*(header.dtype for header in headers))


def read_targets(npz: Npz, pairs: tuple[Pair, ...], expected: Expected) -> Targets:
    """Labels of all pairs, one after the other.

    Raises:
        DataFileError: See :func:`pruning.intake.labels.from_array`.
    """
    parts = [npz.read(pair.y) for pair in pairs]
    if len({part.shape[1:] for part in parts}) > 1:
        shapes = ", ".join(
            f"{pair.y} {part.shape}" for pair, part in zip(pairs, parts, strict=True)
        )
        raise DataFileError(
            f"The labels have different shapes: {shapes}.",
            expected="The same kind of labels in all splits.",
            fix="Save the labels again, all encoded in the same way.",
        )
    return from_array(np.concatenate(parts), expected)


def given_splits(npz: Npz, pairs: tuple[Pair, ...]) -> np.ndarray | None:
    """(n,) splits that the keys name, or ``None`` for ``x, y``."""
    if pairs[0].split is None:
        return None
    lengths = [npz.headers[pair.x].shape[0] for pair in pairs]
    return np.repeat(np.array([pair.split for pair in pairs], np.uint8), lengths)


def write_arrays(
    draft: Draft,
    npz: Npz,
    pairs: tuple[Pair, ...],
    fit: ArrayFit,
    targets: Targets,
    codes: np.ndarray,
    report: Report,
) -> None:
    """Write inputs, labels and thumbnails of all splits, in the order of the file.

    Args:
        draft: Where to.
        npz: Where from.
        pairs: Its arrays.
        fit: What to do with each block.
        targets: Labels of all samples, in the order of ``pairs``.
        codes: (n,) split of each sample.
        report: Told how far it is.
    """
    row_bytes = int(np.prod(fit.shape, dtype=np.int64)) * fit.dtype.itemsize
    check_space(draft.folder, len(codes) * row_bytes)
    start = 0
    side: tuple[int, ...] | None = None
    tests = int((codes == splits.TEST).sum())
    for pair in pairs:
        for block in npz.chunks(pair.x):
            rows = slice(start, start + len(block))
            values = fit.apply(pair.x, block)
            for split, name in enumerate(SPLITS):
                chosen = codes[rows] == split
                if chosen.any():
                    draft.append(f"x_{name}", values[chosen])
                    draft.append(f"y_{name}", targets.y[rows][chosen])
            tested = block[codes[rows] == splits.TEST]
            if len(tested):
                side = _append_pictures(draft, tested, tests, side)
            start += len(block)
            report(start / len(codes), f"Reading samples: {start:,} of {len(codes):,}")


def _append_pictures(
    draft: Draft, block: np.ndarray, tests: int, side: tuple[int, ...] | None
) -> tuple[int, ...] | None:
    """Add thumbnails; ``side`` is ``()`` once the arrays have turned out to be no pictures."""
    if side == ():
        return side
    images = pictures(block)
    if images is None:
        return () if side is None else _blank(draft, len(block), side)
    if side is None:
        side = thumbnail_shape(images.shape[1:], tests)
    draft.append("preview/images", np.stack([thumbnail(image, side) for image in images]))
    return side


def _blank(draft: Draft, count: int, side: tuple[int, ...]) -> tuple[int, ...]:
    """Keep pictures and samples in step when a later block leaves the range of pictures."""
    draft.append("preview/images", np.zeros((count, *side), np.uint8))
    return side
