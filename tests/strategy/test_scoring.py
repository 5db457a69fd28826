"""Scores of groups: aggregation, normalisation, degenerate weights."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.strategy.criteria import criterion
from pruning.strategy.scoring import group_scores, indistinct_groups

L1 = criterion("l1", "channels")


def test_one_producer_by_hand():
    rows = np.array([[1.0, -1.0], [3.0, 3.0], [0.0, 0.0]])
    # sums 2, 6, 0, their mean 8/3
    assert group_scores(L1, {"g": [rows]})["g"] == pytest.approx([0.75, 2.25, 0.0])


def test_producers_count_alike_whatever_their_scale():
    first = np.array([[1.0], [3.0]])  # 0.5, 1.5
    second = np.array([[4000.0], [0.0]])  # 2, 0
    assert group_scores(L1, {"g": [first, second]})["g"] == pytest.approx([1.25, 0.75])


def test_groups_are_comparable():
    rng = np.random.default_rng(0)
    scores = group_scores(
        L1, {"small": [rng.normal(size=(8, 9)) * 0.01], "large": [rng.normal(size=(64, 900))]}
    )
    for values in scores.values():
        assert values.mean() == pytest.approx(1, abs=1e-6)
        assert values.dtype == np.float32


def test_l2_keeps_a_channel_with_one_large_weight():
    rows = np.array([[3.0, 3.0, 3.0], [0.0, 0.0, 8.0]])
    l1 = group_scores(L1, {"g": [rows]})["g"]
    l2 = group_scores(criterion("l2", "channels"), {"g": [rows]})["g"]
    assert l1[0] > l1[1]
    assert l2[0] < l2[1]


def test_zero_and_broken_weights_score_zero():
    rows = np.array([[np.nan, np.inf], [1.0, 1.0]])
    assert group_scores(L1, {"g": [rows]})["g"] == pytest.approx([0.0, 2.0])
    assert group_scores(L1, {"g": [np.zeros((3, 2))]})["g"].tolist() == [0, 0, 0]


def test_absolute_scores_are_compared_as_they_are():
    share = criterion("apoz", "channels")
    first, second = np.array([[0.0], [0.5]]), np.array([[0.5], [0.5]])
    found = group_scores(share, {"g": [(first,), (second,)], "none": []})
    assert found.keys() == {"g"}
    assert found["g"] == pytest.approx([0.75, 0.5])  # mean of 1 and .5, of .5 and .5


def test_a_criterion_is_handed_its_needs_in_order():
    hessian = criterion("hessian", "channels")
    kernel, curvature = np.array([[2.0], [1.0]]), np.array([[1.0], [5.0]])
    assert group_scores(hessian, {"g": [(kernel, curvature)]})["g"] == pytest.approx([4.0, 5.0])


def test_equal_scores_are_noticed():
    scores = {"same": np.ones(4), "one": np.ones(1), "apart": np.array([1.0, 2.0])}
    assert indistinct_groups(scores) == ("same",)
