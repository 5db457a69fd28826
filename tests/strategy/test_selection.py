"""Which channels and how many weights stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.analysis.profile import Group
from pruning.errors import MismatchError
from pruning.strategy.patterns import kept_weights
from pruning.strategy.plan import PruningPlan, removed_count
from pruning.strategy.selection import kept_channels, kept_count
from tests.strategy.profiles import MODEL, small_profile

PROFILE = small_profile()


def chosen(ratios, scores, **fields):
    return kept_channels(PROFILE, PruningPlan(MODEL, ratios=ratios, **fields), scores)


def test_the_lowest_scores_go():
    kept = chosen({"a": 0.5}, {"a": np.array([5, 1, 4, 2, 8, 0, 3, 9.0])})
    assert kept["a"].tolist() == [0, 2, 4, 7]
    assert kept["a"].dtype == np.int64
    assert kept["b"].tolist() == list(range(16))
    assert set(kept) == {"a", "b"}  # frozen groups are left out


def test_among_equal_scores_the_lower_index_stays():
    assert chosen({"a": 0.5}, {"a": np.ones(8)})["a"].tolist() == [0, 1, 2, 3]
    scores = np.array([1, 2, 1, 2, 1, 2, 1, 2.0])
    assert chosen({"a": 0.25}, {"a": scores})["a"].tolist() == [0, 1, 2, 3, 5, 7]


def test_the_minimum_and_rounding_hold():
    scores = {"a": np.arange(8.0), "b": np.arange(16.0)}
    kept = chosen({"a": 0.999, "b": 0.999}, scores)
    assert kept["a"].tolist() == [7]
    assert kept["b"].tolist() == [14, 15]
    kept = chosen({"a": 0.9, "b": 0.6}, scores, round_to=4)
    assert kept["a"].tolist() == [4, 5, 6, 7]
    assert kept["b"].tolist() == [8, 9, 10, 11, 12, 13, 14, 15]


def test_blocks_of_a_grouped_convolution_lose_the_same_number():
    group = Group("g", 8, ("g",), ("g",), True, None, multiple=2, minimum=2, score_offset=0)
    profile = PROFILE.__class__(**{**vars(PROFILE), "groups": (group,)})
    plan = PruningPlan(MODEL, ratios={"g": 0.5})
    kept = kept_channels(profile, plan, {"g": np.array([9, 8, 7, 6, 1, 2, 3, 4.0])})
    assert kept["g"].tolist() == [0, 1, 6, 7]


@pytest.mark.parametrize("scores", [{}, {"a": np.ones(7)}])
def test_scores_of_another_model_are_refused(scores):
    with pytest.raises(MismatchError, match="'a'"):
        chosen({"a": 0.5}, scores)


@given(
    channels=st.integers(1, 300),
    ratio=st.floats(0, 1, exclude_max=True),
    minimum=st.integers(1, 4),
    multiple=st.integers(1, 4),
    round_to=st.integers(1, 16),
)
def test_the_kept_count_obeys_its_rules(channels, ratio, minimum, multiple, round_to):
    channels *= multiple
    kept = channels - removed_count(
        channels, ratio, minimum=minimum, multiple=multiple, round_to=round_to
    )
    assert min(minimum, channels) <= kept <= channels
    assert kept == channels or kept % multiple == kept % round_to == 0
    assert kept >= channels - int(ratio * channels + 0.5)
    group = Group("g", channels, (), (), True, None, minimum=minimum, multiple=multiple)
    assert kept_count(group, ratio, round_to) == kept
    # what was removed, as a ratio, removes the same again
    assert kept_count(group, (channels - kept) / channels, round_to) == kept


def test_the_kept_count_by_hand():
    assert removed_count(64, 0.5) == 32
    assert removed_count(10, 0.25) == 3  # 2.5 is rounded up
    assert removed_count(64, 0.5, round_to=24) == 64 - 48
    assert removed_count(8, 0.99, minimum=2) == 6
    assert removed_count(8, 0.99, multiple=4) == 4
    assert removed_count(12, 0.5, multiple=4, round_to=3) == 0  # 6 → a multiple of 12


def test_kept_weights_by_hand():
    assert kept_weights(10, 0.75) == 2  # 2.5 to the even number
    assert kept_weights(10, 0.25) == 8  # 7.5 to the even number
    assert kept_weights(100, 0.999) == 1
    assert kept_weights(3, 0.0) == 3
    assert kept_weights(0, 0.5) == 0
