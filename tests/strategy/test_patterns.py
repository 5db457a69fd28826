"""Patterns of zeros by hand, and what holds for all kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pruning.analysis.profile import KernelShape
from pruning.errors import PlanError
from pruning.strategy.patterns import (
    Blocks,
    NofM,
    Unstructured,
    kept_weights,
    largest,
    parse_pattern,
)

finite = st.floats(0, 9, width=32)


def test_patterns_are_read_from_their_text() -> None:
    assert parse_pattern("unstructured") == Unstructured()
    assert parse_pattern("2:4") == NofM(2, 4)
    assert parse_pattern("1x16", "max") == Blocks(1, 16, "max")
    for text in ("unstructured", "2:4", "1:4", "3:8", "4x4", "1x16", "16x1"):
        assert parse_pattern(text).text == text


@pytest.mark.parametrize(
    "text", ["", "2", "2:", "a:b", "2:4:8", "4x", "4X4", "0:4", "0x4", "-1:4", "2:2000", "2.5:4"]
)
def test_a_text_that_is_no_pattern_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(PlanError, match="does not exist") as caught:
        parse_pattern(text)
    assert "2:4" in caught.value.expected
    assert "4x4" in caught.value.expected


def test_numbers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(PlanError, match="it zeroes none"):
        parse_pattern("4:4")
    with pytest.raises(PlanError, match="single weights"):
        parse_pattern("1x1")


def test_two_of_four_by_hand() -> None:
    # Inputs along axis 0: the column 1, 2, 3, 4 keeps 3 and 4; among equals the first ones stay.
    scores = np.array([[1, 5], [2, 5], [3, 5], [4, 5]], np.float32)
    mask = NofM(2, 4).mask(scores, 0.5)
    assert mask.T.astype(int).tolist() == [[0, 0, 1, 1], [1, 1, 0, 0]]


def test_a_convolution_is_grouped_along_its_input_channels() -> None:
    scores = np.zeros((1, 2, 4, 1), np.float32)
    scores[0, 0, :, 0] = [4, 1, 3, 2]
    scores[0, 1, :, 0] = [1, 2, 3, 4]
    mask = NofM(2, 4).mask(scores, 0.5)
    assert mask[0, 0, :, 0].astype(int).tolist() == [1, 0, 1, 0]
    assert mask[0, 1, :, 0].astype(int).tolist() == [0, 0, 1, 1]


def test_what_m_does_not_divide_counts_as_if_zeros_followed() -> None:
    # Six inputs: of the last two both may stay, for two zeros would follow them.
    scores = np.arange(1, 7, dtype=np.float32)[:, None]
    assert NofM(2, 4).mask(scores, 0.5)[:, 0].astype(int).tolist() == [0, 0, 1, 1, 1, 1]
    assert NofM(2, 4).kept((6, 1), 0.5) == 4
    assert NofM(1, 4).mask(scores, 0.75)[:, 0].astype(int).tolist() == [0, 0, 0, 1, 0, 1]
    assert NofM(1, 4).kept((6, 1), 0.75) == 2


def test_a_schedule_takes_the_weights_of_a_group_one_by_one() -> None:
    scores = np.arange(8, dtype=np.float32)[:, None]
    kept = [int(NofM(2, 8).mask(scores, share).sum()) for share in (0, 0.1, 0.13, 0.5, 0.7, 0.75)]
    assert kept == [8, 8, 7, 4, 3, 2]


def test_blocks_by_hand() -> None:
    scores = np.array([[1, 1, 9, 0], [1, 1, 0, 0], [2, 2, 3, 3], [2, 2, 3, 3]], np.float32)
    # Means 1, 2.25, 2, 3; largest 1, 9, 2, 3.
    halves = Blocks(2, 2, "average").mask(scores, 0.5)
    assert halves.astype(int).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]
    quarter = [Blocks(2, 2, pooling).mask(scores, 0.75) for pooling in ("average", "max")]
    assert quarter[0][2:, 2:].all()
    assert quarter[0].sum() == 4
    assert quarter[1][:2, 2:].all()
    assert quarter[1].sum() == 4


def test_what_a_pattern_cannot_lie_on() -> None:
    dense, conv = KernelShape((8, 4)), KernelShape((3, 3, 8, 4))
    depthwise, conv1d = KernelShape((3, 3, 8, 1), depthwise=True), KernelShape((3, 8, 4))
    for kernel in (dense, conv, depthwise, conv1d):
        assert Unstructured().refusal(kernel) is None
    two_of_four = NofM(2, 4)
    assert two_of_four.refusal(dense) is two_of_four.refusal(conv) is None
    assert "single input channel" in str(two_of_four.refusal(depthwise))
    assert "3 axes" in str(two_of_four.refusal(conv1d))
    assert "no more than 2 inputs" in str(two_of_four.refusal(KernelShape((3, 3, 2, 16))))
    assert two_of_four.refusal(KernelShape((3, 3, 3, 16))) is None
    assert Blocks(4, 4).refusal(dense) is None
    assert "4 axes" in str(Blocks(4, 4).refusal(conv))
    assert "single block" in str(Blocks(8, 8).refusal(dense))


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3), elements=finite), st.data())
def test_the_largest_are_marked_and_counted(values: np.ndarray, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, values.size))
    mask = largest(values, kept)
    assert mask.shape == values.shape
    assert mask.sum() == kept
    if kept < values.size:
        assert values[mask].min() >= values[~mask].max()


kernels = st.one_of(
    hnp.arrays(np.float32, st.tuples(*[st.integers(1, 20)] * 2), elements=finite),
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 11), st.integers(1, 5)),
        elements=finite,
    ),
)


@given(kernels, st.integers(1, 6), st.integers(1, 4))
def test_of_every_m_neighbours_at_most_n_stay(scores: np.ndarray, n: int, more: int) -> None:
    m = n + more
    pattern = NofM(n, m)
    mask = pattern.mask(scores, pattern.fixed)
    assert mask.shape == scores.shape
    assert mask.sum() == pattern.kept(scores.shape, pattern.fixed)
    rows = np.moveaxis(mask, -2, -1).reshape(-1, scores.shape[-2])
    values = np.moveaxis(scores, -2, -1).reshape(-1, scores.shape[-2])
    for start in range(0, rows.shape[1], m):
        group, value = rows[:, start : start + m], values[:, start : start + m]
        assert (group.sum(axis=1) == min(n, group.shape[1])).all()
        gone = np.where(group, -1.0, value).max(axis=1)
        assert (np.where(group, value, np.inf).min(axis=1) >= gone).all()


@given(
    hnp.arrays(np.float32, st.tuples(*[st.integers(1, 20)] * 2), elements=finite),
    st.integers(1, 5),
    st.integers(2, 5),
    st.sampled_from(["average", "max"]),
    st.floats(0, 0.99),
)
def test_blocks_stay_or_go_whole_and_are_counted(scores, height, width, pooling, share) -> None:
    pattern = Blocks(height, width, pooling)
    mask = pattern.mask(scores, share)
    assert mask.shape == scores.shape
    stay = 0
    for row in range(0, scores.shape[0], height):
        for column in range(0, scores.shape[1], width):
            block = mask[row : row + height, column : column + width]
            assert block.all() or not block.any()
            stay += bool(block.all())
    blocks = pattern.count(scores.shape)
    assert stay == kept_weights(blocks, share)
    if scores.shape[0] % height == 0 and scores.shape[1] % width == 0:
        assert mask.sum() == pattern.kept(scores.shape, share)
