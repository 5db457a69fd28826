"""Splits are partitions, in proportion, and the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.errors import DataFileError
from pruning.intake import splits
from pruning.intake.splits import TEST, TRAIN, VAL

labels = st.lists(st.integers(0, 4), min_size=1, max_size=200).map(np.array)
FRACTIONS = {VAL: 0.15, TEST: 0.15}


@given(labels, st.integers(0, 2**32 - 1))
def test_every_class_is_shared_in_proportion(y: np.ndarray, seed: int) -> None:
    codes = splits.stratified(y, seed=seed, fractions=FRACTIONS)
    assert codes.shape == y.shape
    for label in np.unique(y):
        members = codes[y == label]
        n = len(members)
        wanted = max(1, int(0.15 * n + 0.5))
        assert (members == TEST).sum() == min(wanted, n - 1)
        assert (members == VAL).sum() == min(wanted, max(0, n - 1 - min(wanted, n - 1)))
        assert (members == TRAIN).sum() >= 1


@given(labels, st.integers(0, 1000))
def test_the_same_seed_gives_the_same_split(y: np.ndarray, seed: int) -> None:
    first = splits.stratified(y, seed=seed, fractions=FRACTIONS)
    assert np.array_equal(first, splits.stratified(y, seed=seed, fractions=FRACTIONS))


def test_another_seed_gives_another_split() -> None:
    y = np.arange(100) % 2
    first, second = (splits.stratified(y, seed=s, fractions=FRACTIONS) for s in (0, 1))
    assert not np.array_equal(first, second)
    assert np.bincount(first).tolist() == np.bincount(second).tolist() == [68, 16, 16]


def test_small_classes_train_first_then_test_then_validate() -> None:
    y = np.array([0] + [1] * 2 + [2] * 3)
    codes = splits.stratified(y, seed=0, fractions=FRACTIONS)
    shares = [np.bincount(codes[y == label], minlength=3).tolist() for label in range(3)]
    assert shares == [[1, 0, 0], [1, 0, 1], [1, 1, 1]]


@given(labels, st.integers(0, 2**32 - 1))
def test_completing_leaves_given_test_samples_alone(y: np.ndarray, seed: int) -> None:
    codes = np.random.default_rng(seed).choice([TRAIN, TEST], len(y)).astype(np.uint8)
    done, _ = splits.complete(codes, y, seed=0, fractions=FRACTIONS)
    if (codes == TEST).any():
        assert np.array_equal(done == TEST, codes == TEST)
    assert set(np.unique(done[codes == TRAIN])) <= {TRAIN, VAL, TEST}


def test_completing_says_what_was_taken() -> None:
    given_ = np.array([TRAIN] * 40 + [TEST] * 10)
    codes, notes = splits.complete(given_, np.zeros(50), seed=3, fractions=FRACTIONS)
    assert np.bincount(codes).tolist() == [34, 6, 10]
    assert notes == ("No val samples were given: taken from the training samples, seed 3.",)


def test_complete_splits_stay_as_they_are() -> None:
    given_ = np.array([TEST, VAL, TRAIN], np.uint8)
    codes, notes = splits.complete(given_, np.zeros(3), seed=0, fractions=FRACTIONS)
    assert (codes.tolist(), notes) == ([TEST, VAL, TRAIN], ())


@pytest.mark.parametrize(
    ("name", "split"),
    [("train", TRAIN), ("Validation", VAL), (" dev ", VAL), ("TEST", TEST), ("cats", None)],
)
def test_names_of_splits(name: str, split: int | None) -> None:
    assert splits.split_of(name) == split


def test_an_unknown_name_in_a_split_column_is_named() -> None:
    with pytest.raises(DataFileError, match="'holdout'"):
        splits.codes_of(["train", "holdout"])


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(DataFileError, match="No samples are left for val and test out of 2"):
        splits.check_counts(np.array([TRAIN, TRAIN]))


def test_rare_label_sets_are_one_stratum() -> None:
    y = np.eye(40, dtype=np.float32)  # 40 sets, each seen once
    y = np.concatenate([y, np.zeros((20, 40), np.float32)])
    strata = splits.strata_of("multilabel", y)
    assert [len(np.unique(strata[:40])), len(np.unique(strata[40:]))] == [1, 1]
    codes = splits.stratified(strata, seed=0, fractions=FRACTIONS)
    assert (codes[:40] == TEST).sum() == 6
