"""The array form of the costs equals the polynomials."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.analysis.cost import Cost, Term, Width
from pruning.strategy.cost_table import CostTable, flops_table, full_widths, params_table, widths
from tests.strategy.profiles import FLOPS, PARAMS, small_profile

PROFILE = small_profile()


def test_the_whole_model_by_hand():
    kept = full_widths(PROFILE)
    assert kept.tolist() == [8, 16, 10]
    assert params_table(PROFILE).by_layer(kept).tolist() == [224, 1168, 0, 10250]
    assert params_table(PROFILE).total(kept) == sum(PARAMS.values()) == 11642
    assert flops_table(PROFILE).total(kept) == sum(FLOPS.values()) == 195584


def test_half_the_channels_by_hand():
    kept = widths(PROFILE, {"a": 4, "b": 8})
    # 27·4 + 4, 9·4·8 + 8, 64·8·10 + 10
    assert params_table(PROFILE).by_layer(kept).tolist() == [112, 296, 0, 5130]


linear = st.builds(
    Width,
    st.integers(0, 5),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 49), max_size=3),
)
term = st.builds(Term, st.integers(0, 1000), st.lists(linear, max_size=3).map(tuple))
cost = st.builds(Cost, st.lists(term, max_size=4).map(tuple))


@given(st.lists(cost, min_size=1, max_size=5), st.tuples(*[st.integers(1, 512)] * 3))
def test_equals_the_polynomials(costs, kept):
    table = CostTable.of(["a", "b", "c"], costs)
    by_name = dict(zip("abc", kept, strict=True))
    expected = [one.value(by_name) for one in costs]
    assert table.by_layer(np.array(kept)).tolist() == expected
    assert table.total(np.array(kept)) == sum(expected)


def test_a_model_without_weights_costs_nothing():
    table = CostTable.of(["a"], [Cost()])
    assert table.total(np.array([3])) == 0


def test_an_unknown_group_is_a_bug_and_stays_loud():
    with pytest.raises(KeyError):
        CostTable.of(["a"], [Cost((Term(1, (Width(0, {"b": 1}),)),))])
