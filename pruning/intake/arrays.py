"""Arrays of an ``.npz`` to prepared arrays: read by rows, checked, written by split."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pruning.errors import DataFileError
from pruning.intake import splits
from pruning.intake.array_fit import ArrayFit
from pruning.intake.dataset import SPLITS, input_files
from pruning.intake.draft import Draft, check_space
from pruning.intake.label_check import words_of
from pruning.intake.labels import Expected, Targets, from_array
from pruning.intake.npz import Npz
from pruning.intake.npz_keys import Keys, Pair
from pruning.intake.preview import Thumbnails

Report = Callable[[float, str], None]


def row_of(npz: Npz, keys: Sequence[str]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of one sample, the same in all arrays of an input.

    Raises:
        DataFileError: They differ, or are no numbers.
    """
    headers = [npz.headers[key] for key in keys]
    rows = {header.shape[1:] for header in headers}
    if len(rows) > 1:
        raise DataFileError(
            f"Samples in {', '.join(keys)} have the shapes "
            f"{' and '.join(sorted(map(words_of, rows)))}.",
            expected="The same shape in all splits.",
            fix="Save the arrays again, all prepared in the same way.",
        )
    if any(header.dtype.kind not in "biuf" for header in headers):
        raise DataFileError(
            f"The array {keys[0]} holds values of the type {headers[0].dtype}.",
            expected="Numbers. Texts come as a CSV table.",
            fix="Save the inputs as numbers.",
        )
    if 0 in headers[0].shape[1:]:
        raise DataFileError(
            f"One sample in {keys[0]} has the shape {words_of(headers[0].shape[1:])}: "
            "it has no values.",
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
    lengths = [npz.headers[pair.y].shape[0] for pair in pairs]
    return np.repeat(np.array([pair.split for pair in pairs], np.uint8), lengths)


def write_arrays(
    draft: Draft,
    npz: Npz,
    keys: Keys,
    fits: Sequence[ArrayFit],
    targets: Targets,
    codes: np.ndarray,
    report: Report,
) -> None:
    """Write inputs, labels and thumbnails of all splits, in the order of the file.

    Args:
        draft: Where to.
        npz: Where from.
        keys: Its arrays.
        fits: What to do with each block, by input.
        targets: Labels of all samples, in the order of the pairs.
        codes: (n,) split of each sample.
        report: Told how far it is.
    """
    row_bytes = [int(np.prod(fit.shape, dtype=np.int64)) * fit.dtype.itemsize for fit in fits]
    check_space(draft.folder, len(codes) * sum(row_bytes))
    thumbnails = Thumbnails(draft, int((codes == splits.TEST).sum()))
    for split, name in enumerate(SPLITS):
        if (codes == split).any():
            draft.append(f"y_{name}", targets.y[codes == split])
    for place, fit in enumerate(fits):
        start = 0
        for key in keys.of_input(place):
            for block in npz.chunks(key):
                own = codes[start : start + len(block)]
                values = fit.apply(key, block)
                for split, name in enumerate(SPLITS):
                    if (own == split).any():
                        file = input_files(name, len(fits))[place]
                        draft.append(file, values[own == split])
                thumbnails.add(place, block[own == splits.TEST])
                start += len(block)
                done = (place + start / len(codes)) / len(fits)
                report(done, f"Reading samples: {start:,} of {len(codes):,}")
