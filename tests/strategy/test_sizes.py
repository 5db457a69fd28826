"""The compression table is what zlib really does."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.strategy.sizes import cuts_are_exact, file_bytes, gzip_bytes, gzip_share, whole_bytes
from tests.strategy.profiles import CONTAINER, small_profile


@pytest.mark.parametrize("zeros", [0.0, 0.25, 0.5, 0.75, 0.85, 0.95, 0.99])
def test_estimates_are_within_a_hundredth_of_zlib(zeros):
    rng = np.random.default_rng(3)
    weights = (0.02 * rng.normal(size=100_000)).astype("float32")
    weights[rng.random(weights.size) < zeros] = 0
    measured = len(zlib.compress(weights.tobytes(), 6)) / weights.nbytes
    assert gzip_share(zeros) == pytest.approx(measured, abs=0.01)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_zeros_never_compress_worse(one, two):
    low, high = sorted((one, two))
    assert gzip_share(high) <= gzip_share(low)


def test_only_archives_near_2_gib_are_not_exact():
    profile = small_profile()
    huge = replace(profile, container_bytes=2**31)
    assert cuts_are_exact(profile)
    assert cuts_are_exact(huge)  # HDF5 has one size of tables
    assert cuts_are_exact(replace(profile, file_format="keras"))
    assert not cuts_are_exact(replace(huge, file_format="keras"))


def test_bytes_by_hand():
    profile = small_profile()
    assert file_bytes(profile, 4000) == CONTAINER + 4000
    assert whole_bytes(profile) == CONTAINER + 4 * (224 + 1168 + 10250)
    assert gzip_bytes(profile, [(1000, 0.0), (1000, 0.5)]) == round(
        0.2 * CONTAINER + 4000 * 0.926 + 4000 * 0.553
    )
