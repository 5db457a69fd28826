"""Splits: which samples train, which validate, which judge. Pure functions of labels and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pruning.errors import DataFileError
from pruning.intake.dataset import SPLITS

TRAIN, VAL, TEST = range(3)
RARE = 10  # label sets seen less often are one stratum together: alone, all would be training's

_NAMES = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VAL),
    **dict.fromkeys(("test", "testing", "tst", "eval"), TEST),
}


def split_of(name: str) -> int | None:
    """The split that a folder, file or cell of that name means: ``"Validation"`` -> VAL."""
    return _NAMES.get(name.strip().lower())


def stratified(strata: np.ndarray, *, seed: int, fractions: Mapping[int, float]) -> np.ndarray:
    """Share samples out so that every stratum is in each split in the same proportion.

    Within a stratum of n samples a split gets ``floor(fraction * n + 0.5)``, but at least one
    where n leaves one for training too; training gets the rest.

    Args:
        strata: (n,) values; samples with the same value form a stratum.
        seed: The same seed, strata and fractions give the same splits.
        fractions: Of VAL and TEST, together below 1; a split that is missing gets nothing.

    Returns:
        (n,) uint8 split of each sample.
    """
    codes = np.full(len(strata), TRAIN, np.uint8)
    random = np.random.default_rng(seed)
    _, inverse = np.unique(strata, return_inverse=True)
    order = random.permutation(len(strata))
    by_stratum = order[np.argsort(inverse[order], kind="stable")]
    sizes = np.bincount(inverse) if len(strata) else np.zeros(0, int)
    for members in np.split(by_stratum, np.cumsum(sizes)[:-1]):
        start = 0
        for split in (TEST, VAL):  # the judge first: with two samples, better tested than validated
            fraction = fractions.get(split, 0.0)
            if fraction <= 0:
                continue
            wanted = max(1, int(fraction * len(members) + 0.5))
            taken = min(wanted, len(members) - start - 1)
            codes[members[start : start + taken]] = split
            start += max(taken, 0)
    return codes


def complete(
    given: np.ndarray, strata: np.ndarray, *, seed: int, fractions: Mapping[int, float]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Take a validation or test split out of the training samples where none was given.

    Args:
        given: (n,) splits as the data names them.
        strata: (n,) as in :func:`stratified`.
        seed: As in :func:`stratified`.
        fractions: As in :func:`stratified`; the splits that must not stay empty.

    Returns:
        (n,) uint8 splits with none empty, and notes on what was taken from where.
    """
    codes = given.astype(np.uint8)
    missing = {split: share for split, share in fractions.items() if not np.any(codes == split)}
    if not missing:
        return codes, ()
    training = np.flatnonzero(codes == TRAIN)
    codes[training] = stratified(strata[training], seed=seed, fractions=missing)
    names = " and ".join(SPLITS[split] for split in sorted(missing))
    return codes, (f"No {names} samples were given: taken from the training samples, seed {seed}.",)


def check_counts(codes: np.ndarray) -> None:
    """Refuse data in which a split has no samples.

    Raises:
        DataFileError: A split is empty.
    """
    counts = np.bincount(codes, minlength=len(SPLITS))
    empty = [name for name, count in zip(SPLITS, counts, strict=True) if count == 0]
    if empty:
        raise DataFileError(
            f"No samples are left for {' and '.join(empty)} out of {len(codes)}.",
            expected="At least one sample each for training, validation and test, better 50.",
            fix="Add samples, or correct the names of the splits.",
        )


def strata_of(task: str, y: np.ndarray) -> np.ndarray:
    """What to stratify by: the class; the label set; nothing for numbers and sequences. -> (n,)."""
    if task == "classification" and y.ndim == 1:
        return y
    if task == "multilabel":
        _, sets, counts = np.unique(y, axis=0, return_inverse=True, return_counts=True)
        sets = np.asarray(sets).reshape(-1)
        return np.where(counts[sets] < RARE, len(counts), sets)
    return np.zeros(len(y), np.uint8)


def codes_of(names: Sequence[str]) -> np.ndarray:
    """Splits named in a column. -> (n,) uint8.

    Raises:
        DataFileError: A name is no split's.
    """
    codes = [split_of(name) for name in names]
    if None in codes:
        unknown = names[codes.index(None)]
        raise DataFileError(
            f"{unknown!r} is not the name of a split.",
            expected="train, val or test in every row of the split column.",
            fix="Correct the column, or choose no split column to split at random.",
        )
    return np.array(codes, np.uint8)
