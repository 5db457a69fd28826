"""Families of ratios: nothing at 0, all at 1, never less at a greater strength."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.strategy.allocation import by_magnitude, by_score, by_size, uniform

RNG = np.random.default_rng(0)
QUANTILES = {
    "small": np.linspace(0, 1, 65),
    "large": np.linspace(0, 4, 65),
    "zeros": np.zeros(65),
    "half": np.concatenate([np.zeros(33), np.linspace(0.5, 2, 32)]),
}
FAMILIES = {
    "uniform": uniform(["a", "b"], 0.99),
    "size": by_size({"a": 10, "b": 1000, "c": 1}, 0.99),
    "score": by_score({"a": RNG.random(8), "b": RNG.random(64), "c": np.ones(3)}, 0.9),
    "magnitude": by_magnitude(QUANTILES, dict.fromkeys(QUANTILES, 1000), 0.99),
}


@pytest.mark.parametrize("name", FAMILIES)
@given(one=st.floats(0, 1), two=st.floats(0, 1))
def test_a_greater_strength_never_removes_less(name, one, two):
    low, high = sorted((one, two))
    gentle, strong = FAMILIES[name](low), FAMILIES[name](high)
    assert all(0 <= gentle[key] <= strong[key] + 1e-12 for key in strong)
    assert all(ratio < 1 for ratio in strong.values())


@pytest.mark.parametrize("name", ["uniform", "size", "score"])
def test_the_ends(name):
    family = FAMILIES[name]
    assert set(family(0.0).values()) == {0.0}
    assert all(ratio >= 0.5 for ratio in family(1.0).values())


def test_size_by_hand():
    # kept shares 1/√1, 1/√4, 1/√16: as 4 to 2 to 1, none above 1
    ratios = by_size({"one": 1, "four": 4, "sixteen": 16}, 0.99)(0.6)
    assert ratios == pytest.approx({"one": 0.0, "four": 0.2, "sixteen": 0.6})


def test_score_by_hand():
    ratios = by_score({"a": np.array([3.0, 1.0]), "b": np.array([2.0, 4.0, 5.0, 0.5])}, 0.6)
    # the three lowest of six: .5 and 2 of b, 1 of a
    assert ratios(0.5) == {"a": 0.5, "b": 0.5}
    assert ratios(1.0) == {"a": 0.6, "b": 0.6}


def test_equal_scores_are_shared_out_evenly():
    fresh = by_score({"a": np.ones(4), "b": np.ones(8), "c": np.array([0.5, 2.0])}, 0.9)
    # the .5 goes first, then a quarter of a and of b, and so on; the 2 goes last
    assert fresh(1 / 14) == {"a": 0, "b": 0, "c": 0.5}
    assert fresh(4 / 14) == {"a": 0.25, "b": 0.25, "c": 0.5}
    assert fresh(7 / 14) == {"a": 0.5, "b": 0.5, "c": 0.5}


def test_magnitude_by_hand():
    quantiles = {"small": np.linspace(0, 1, 1025), "large": np.linspace(0, 4, 1025)}
    ratios = by_magnitude(quantiles, {"small": 100, "large": 100}, 0.99)
    # below 1 lie all of small and a quarter of large: five eighths of all
    at_one = ratios(0.625)
    assert at_one["small"] == pytest.approx(0.99)
    assert at_one["large"] == pytest.approx(0.25, abs=2e-3)
    at_half = ratios(0.3125)
    assert at_half == pytest.approx({"small": 0.5, "large": 0.125}, abs=2e-3)


def test_zeros_are_below_every_threshold():
    ratios = by_magnitude(QUANTILES, dict.fromkeys(QUANTILES, 1000), 0.99)(0.5)
    assert ratios["zeros"] == 0.99
    assert ratios["half"] >= 0.5
