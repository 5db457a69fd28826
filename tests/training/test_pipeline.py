"""Batches of a split."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.training.pipeline import batches

X = np.arange(14, dtype=np.float32).reshape(7, 2)
Y = np.arange(7)


def rows_of(pipeline) -> list[list[int]]:
    return [y.tolist() for _, y in pipeline.as_numpy_iterator()]


def order(seed: int, epoch: int) -> list[list[int]]:
    """Rows of each batch of three, written down again."""
    drawn = np.random.default_rng([seed, epoch]).permutation(7)
    return [sorted(drawn[start : start + 3].tolist()) for start in (0, 3, 6)]


def test_without_a_seed_the_order_is_kept_and_the_last_batch_is_smaller() -> None:
    pipeline = batches([X], Y, 3)
    assert pipeline.cardinality() == 3
    for _ in range(2):
        assert rows_of(pipeline) == [[0, 1, 2], [3, 4, 5], [6]]


def test_each_epoch_has_an_order_of_its_own_that_the_seed_says() -> None:
    pipeline = batches([X], Y, 3, seed=5)
    found = [rows_of(pipeline) for _ in range(3)]
    assert found == [order(5, epoch) for epoch in range(3)]
    assert found[0] != found[1]
    assert rows_of(batches([X], Y, 3, seed=5)) == found[0]


def test_an_epoch_that_is_left_early_does_not_shift_the_next_one() -> None:
    pipeline = batches([X], Y, 3, seed=5)
    next(iter(pipeline))
    assert rows_of(pipeline) == order(5, 1)


def test_repeated_for_so_many_steps_the_epochs_follow_each_other() -> None:
    pipeline = batches([X], Y, 3, seed=5).repeat().take(5)
    assert rows_of(pipeline) == [*order(5, 0), *order(5, 1)[:2]]


def test_inputs_and_labels_stay_together_and_keep_shape_and_type() -> None:
    pipeline = batches([X], Y, 3, seed=1)
    for x, y in pipeline.as_numpy_iterator():
        np.testing.assert_array_equal(x, X[y])
    inputs, labels = pipeline.element_spec
    assert (inputs.shape.as_list(), inputs.dtype.as_numpy_dtype) == ([None, 2], np.float32)
    assert (labels.shape.as_list(), labels.dtype.as_numpy_dtype) == ([None], np.int64)


@pytest.mark.parametrize("mapped", [False, True])
def test_several_inputs_are_put_together_as_the_model_reads_them(mapped: bool, tmp_path) -> None:
    other = np.arange(7, dtype=np.int32)[:, None, None] * np.ones((1, 2, 2), np.int32)
    if mapped:
        np.save(tmp_path / "other.npy", other)
        other = np.load(tmp_path / "other.npy", mmap_mode="r")
    pipeline = batches([X, other], Y, 4, nested=lambda each: {"a": each[0], "b": each[1]})
    first, _ = pipeline.as_numpy_iterator()
    np.testing.assert_array_equal(first[0]["a"], X[:4])
    np.testing.assert_array_equal(first[0]["b"][:, 1, 1], [0, 1, 2, 3])
    assert pipeline.element_spec[0]["b"].shape.as_list() == [None, 2, 2]
