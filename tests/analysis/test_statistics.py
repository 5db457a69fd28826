"""Distribution of kernels, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.analysis.statistics import BINS, weight_stats, zero_fraction


def test_stats_of_known_values() -> None:
    stats = weight_stats([np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([4.0])])
    assert stats is not None
    assert (stats.count, stats.minimum, stats.maximum) == (5, 0.0, 4.0)
    assert stats.mean == pytest.approx(2.0)
    assert stats.std == pytest.approx(np.sqrt(2.0))
    assert len(stats.histogram) == BINS
    assert (stats.edges[0], stats.edges[-1]) == (0.0, 4.0)
    # One value each in bins 0, 10, 20, 30 and, on the closed right edge, 39.
    assert [i for i, count in enumerate(stats.histogram) if count] == [0, 10, 20, 30, 39]


def test_equal_values_have_a_histogram_too() -> None:
    stats = weight_stats([np.full((3, 3), 0.25)])
    assert stats is not None
    assert sum(stats.histogram) == 9
    assert (stats.edges[0], stats.edges[-1]) == (-0.25, 0.75)


def test_nothing_to_describe() -> None:
    assert weight_stats([]) is None
    assert weight_stats([np.zeros((0, 4))]) is None
    assert weight_stats([np.array([np.nan, np.inf])]) is None


def test_zero_fraction_counts_exact_zeros_over_all_kernels() -> None:
    assert zero_fraction([np.array([0.0, 1.0]), np.array([[0.0, 1e-30], [2.0, -0.0]])]) == 0.5
    assert zero_fraction([]) == 0.0
