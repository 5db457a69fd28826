"""Every criterion keeps its contract; a new file is covered the moment it exists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pruning.analysis.calibration import KERNEL, statistics
from pruning.errors import PlanError
from pruning.strategy.channel_scores import NOISE
from pruning.strategy.criteria import Criterion, criteria, criterion
from pruning.strategy.plan import default_criterion
from pruning.strategy.weight_scores import MOVEMENT

BLOCKS = criteria("layers")
EVERY = {name: found for name, found in criteria().items() if name not in BLOCKS}
CHANNELS = criteria("channels")
SIGNED = {"movement"}  # below zero: on the way to zero
finite = st.floats(-1e3, 1e3, width=32)
rows = hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=finite)
# What a statistic may hold, where it is less than any number.
RANGES = {
    "noise": lambda x: np.abs(x[:, 0]) / 1001,
    "zeros": lambda x: np.abs(x) / 1001,
    "activation": np.abs,
    "curvature": np.abs,
    "input_norm": np.abs,
}


def evidence(plugin: Criterion, values: np.ndarray) -> list[np.ndarray]:
    """Arrays of the shapes and ranges that the criterion is handed. values: (channels, n)."""
    arrays = []
    for number, name in enumerate(plugin.needs):
        shifted = np.roll(values, number, axis=1)  # not all statistics alike
        arrays.append(RANGES.get(name, np.asarray)(shifted))
    return arrays


def test_the_channel_criteria_are_there():
    assert set(CHANNELS) >= {
        *("l1", "l2", "random", "bn_scale", "fpgm"),
        *("taylor", "hessian", "apoz", "mean_activation"),
    }
    assert set(criteria("weights")) & set(CHANNELS) == set()


@pytest.mark.parametrize("plugin", EVERY.values(), ids=EVERY)
def test_it_says_what_it_is_and_what_it_needs(plugin):
    assert plugin.name.isidentifier()
    assert plugin.title[0].isupper()
    assert plugin.sentence.endswith(".")
    assert plugin.sentence.count(". ") == 0
    assert plugin.source.startswith("https://")
    assert plugin.kind in ("channels", "weights")
    assert plugin.needs
    assert set(plugin.needs) <= {KERNEL, NOISE, MOVEMENT, *statistics()}
    assert plugin.data_driven == any(
        statistics()[name].samples for name in plugin.needs if name in statistics()
    )


@pytest.mark.parametrize("plugin", BLOCKS.values(), ids=BLOCKS)
@given(pair=hnp.arrays(np.float32, st.tuples(st.just(2), st.integers(1, 9)), elements=finite))
def test_criteria_for_blocks_score_what_is_seen_before_and_after(plugin, pair):
    assert plugin.data_driven
    assert plugin.source.startswith("https://")
    assert plugin.sentence.endswith(".")
    same = np.stack([pair[0], pair[0]])
    if plugin.name == "block_influence":
        pair, same = pair[..., None], same[..., None]
    scores = plugin.score(pair)
    assert scores.shape == pair.shape[1:2]
    assert np.isfinite(scores).all()
    assert plugin.score(same) == pytest.approx(0, abs=1e-6)  # what changes nothing goes first


@pytest.mark.parametrize("kind", ["channels", "weights"])
def test_a_new_plan_begins_with_a_criterion_that_always_applies(kind):
    assert criteria(kind)[default_criterion(kind)].needs == (KERNEL,)


@pytest.mark.parametrize("plugin", EVERY.values(), ids=EVERY)
@given(values=rows)
def test_scores_have_the_right_shape_and_are_not_negative(plugin, values):
    scores = plugin.score(*evidence(plugin, values))
    assert scores.shape == (values.shape if plugin.kind == "weights" else values.shape[:1])
    assert (scores >= 0).all() or plugin.name in SIGNED
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("plugin", CHANNELS.values(), ids=CHANNELS)
@given(values=rows, seed=st.integers(0, 1000))
def test_permuting_the_channels_permutes_the_scores(plugin, values, seed):
    given_arrays = evidence(plugin, values)
    order = np.random.default_rng(seed).permutation(len(values))
    moved = plugin.score(*(array[order] for array in given_arrays))
    # FPGM adds up distances in another order.
    scale = float(np.abs(values).max()) * values.size
    assert moved == pytest.approx(plugin.score(*given_arrays)[order], rel=1e-5, abs=1e-5 * scale)


@pytest.mark.parametrize("plugin", CHANNELS.values(), ids=CHANNELS)
@given(values=rows)
def test_scores_do_not_depend_on_the_sign_of_the_weights(plugin, values):
    given_arrays = evidence(plugin, values)
    turned = [-a if n == KERNEL else a for n, a in zip(plugin.needs, given_arrays, strict=True)]
    assert np.array_equal(plugin.score(*turned), plugin.score(*given_arrays))


def test_a_criterion_of_the_other_method_is_refused():
    with pytest.raises(PlanError, match="weights has no criterion 'l1'"):
        criterion("l1", "weights")
