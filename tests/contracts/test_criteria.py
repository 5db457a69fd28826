"""Every criterion keeps its contract; a new file is covered the moment it exists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pruning.errors import PlanError
from pruning.strategy.criteria import criteria, criterion

EVERY = criteria()
finite = st.floats(-1e3, 1e3, width=32)
rows = hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=finite)


def test_the_three_of_the_first_release_are_there():
    assert set(EVERY) >= {"l1", "l2", "magnitude"}
    assert set(criteria("weights")) & set(criteria("channels")) == set()


@pytest.mark.parametrize("plugin", EVERY.values(), ids=EVERY)
def test_it_says_what_it_is(plugin):
    assert plugin.name.isidentifier()
    assert plugin.title[0].isupper()
    assert plugin.sentence.endswith(".")
    assert plugin.sentence.count(". ") == 0
    assert plugin.source.startswith("https://")
    assert plugin.kind in ("channels", "weights")


@pytest.mark.parametrize("plugin", EVERY.values(), ids=EVERY)
@settings(deadline=None)
@given(kernel=rows)
def test_scores_have_the_right_shape_and_are_not_negative(plugin, kernel):
    scores = plugin.score(kernel)
    assert scores.shape == (kernel.shape if plugin.kind == "weights" else kernel.shape[:1])
    assert (scores >= 0).all()
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("plugin", EVERY.values(), ids=EVERY)
@settings(deadline=None)
@given(kernel=rows, seed=st.integers(0, 1000))
def test_scores_do_not_depend_on_the_sign_and_go_with_their_channel(plugin, kernel, seed):
    scores = plugin.score(kernel)
    assert np.array_equal(scores, plugin.score(-kernel))
    order = np.random.default_rng(seed).permutation(len(kernel))
    assert np.array_equal(plugin.score(kernel[order]), scores[order])


@pytest.mark.parametrize("plugin", EVERY.values(), ids=EVERY)
def test_zero_weights_matter_least(plugin):
    kernel = np.array([[0.0, 0.0], [0.5, -2.0]], np.float32)
    scores = plugin.score(kernel)
    assert np.all(scores[0] == 0)
    assert np.all(scores[1] > 0)


def test_a_criterion_of_the_other_method_is_refused():
    with pytest.raises(PlanError, match="weights has no criterion 'l1'"):
        criterion("l1", "weights")
