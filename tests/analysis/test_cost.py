"""Costs are exact polynomials, whatever the widths; JSON keeps them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pruning.analysis.cost import Cost, Term, Width

GROUPS = ("a", "b/c", "d#2")
WIDTHS = st.builds(
    Width,
    st.integers(0, 1000),
    st.dictionaries(st.sampled_from(GROUPS), st.integers(1, 50), max_size=3),
)
COSTS = st.builds(
    Cost,
    st.lists(
        st.builds(Term, st.integers(0, 1000), st.lists(WIDTHS, max_size=4).map(tuple)), max_size=4
    ).map(tuple),
)
KEPT = st.fixed_dictionaries({name: st.integers(1, 500) for name in GROUPS})


def test_a_convolution_by_hand() -> None:
    kernel = Term(9, (Width(3), Width(0, {"conv": 1})))
    bias = Term(1, (Width(0, {"conv": 1}),))
    cost = Cost((kernel, bias))
    assert cost.value({"conv": 16}) == 9 * 3 * 16 + 16
    assert cost.value({"conv": 4}) == 9 * 3 * 4 + 4


def test_a_dense_layer_after_flatten_and_concatenate_by_hand() -> None:
    read = Width(10, {"left": 49, "right": 49})
    cost = Cost((Term(2, (read, Width(5))),))
    assert cost.value({"left": 3, "right": 2}) == 2 * (10 + 49 * 5) * 5
    assert Cost().value({}) == 0


@given(COSTS, COSTS, KEPT)
def test_the_value_of_a_sum_is_the_sum_of_values(a: Cost, b: Cost, kept: dict[str, int]) -> None:
    assert (a + b).value(kept) == a.value(kept) + b.value(kept)


@given(COSTS, KEPT)
def test_fewer_channels_never_cost_more(cost: Cost, kept: dict[str, int]) -> None:
    fewer = {name: (count + 1) // 2 for name, count in kept.items()}
    assert cost.value(fewer) <= cost.value(kept)


@given(COSTS, KEPT)
def test_json_keeps_the_cost(cost: Cost, kept: dict[str, int]) -> None:
    again = Cost.from_list(json.loads(json.dumps(cost.to_list())))
    assert again.value(kept) == cost.value(kept)
    assert again.to_list() == cost.to_list()
