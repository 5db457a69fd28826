"""Each criterion for channels by hand, on numbers that fit on paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning.strategy.criteria import criterion


def scores(name: str, *evidence: object) -> list[float]:
    found = criterion(name, "channels").score(*(np.asarray(e, np.float32) for e in evidence))
    return [float(value) for value in found]


def test_l1_and_l2():
    rows = [[3.0, -4.0], [0.0, 0.0], [-5.0, 0.0]]
    assert scores("l1", rows) == [7, 0, 5]
    assert scores("l2", rows) == [5, 0, 5]


def test_bn_scale_is_the_mean_absolute_factor():
    assert scores("bn_scale", [[-2.0], [0.5], [0.0]]) == [2, 0.5, 0]
    assert scores("bn_scale", [[-2.0, 1.0], [0.5, 0.5]]) == [1.5, 0.5]  # tiled by a Flatten


def test_fpgm_is_the_sum_of_distances():
    # (0, 0), (3, 4), (3, 0): distances 5, 3 and 4
    assert scores("fpgm", [[0, 0], [3, 4], [3, 0]]) == pytest.approx([8, 9, 7])


def test_fpgm_of_equal_filters_is_exactly_zero():
    assert scores("fpgm", np.full((5, 7), 0.3)) == [0, 0, 0, 0, 0]
    assert scores("fpgm", [[1e4, 1], [1e4, 1], [1e4, 2]]) == pytest.approx([1, 1, 2])


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), shift=st.sampled_from([0.0, 10.0]))
def test_fpgm_equals_the_definition_over_several_blocks(seed, shift):
    rng = np.random.default_rng(seed)
    rows = (rng.normal(size=(1100, 3)) + shift).astype(np.float32)  # more than one block
    some = rng.integers(0, 1100, 5)
    expected = [np.linalg.norm(rows.astype(np.float64) - rows[i], axis=1).sum() for i in some]
    found = criterion("fpgm", "channels").score(rows)
    assert found[some] == pytest.approx(expected, rel=2e-5)


def test_taylor_is_the_mean_of_squares():
    # an unsteady channel matters although its changes cancel; (1 + 9) / 2, 4, 0
    assert scores("taylor", [[1, -3], [2, 2], [0, 0]]) == [5, 4, 0]


def test_hessian_is_the_trace_times_the_mean_square():
    kernel, curvature = [[1, -2], [3, 0], [0, 0]], [[2, 4], [0, 1], [9, 9]]
    # 6 · (1 + 4) / 2, 1 · 9 / 2, 18 · 0
    assert scores("hessian", kernel, curvature) == [15, 4.5, 0]


def test_apoz_is_the_share_that_is_not_zero():
    assert scores("apoz", [[1, 1], [0.5, 0.25], [0, 0]]) == [0, 0.625, 1]


def test_mean_activation_is_the_mean_over_samples():
    assert scores("mean_activation", [[1, 3], [0, 0]]) == [2, 0]


def test_random_is_the_lot_itself():
    assert scores("random", [0.25, 0.75]) == [0.25, 0.75]
