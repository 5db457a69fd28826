"""Masks: the same weights as TF-MOT, on kernels only, in every layer type of both Kerases."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pruning.errors import PlanError
from pruning.frameworks._base import framework
from pruning.strategy.plan import PruningPlan
from pruning.strategy.selection import kept_weights
from pruning.surgery.masks import (
    WeightMasks,
    kernels_of,
    layer_masks,
    load_masks,
    magnitude_mask,
    save_masks,
    sparsity,
    zeros,
)
from tests.models import NAMES, build

FAMILIES = ["keras3", "tf_keras"]


def tfmot_mask(weights, sparsity_now):
    """The mask that TF-MOT's own code computes."""
    import tensorflow as tf
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl

    variable = tf.Variable(weights)
    pruning = pruning_impl.Pruning(
        training_step_fn=lambda: 0,
        pruning_vars=[(variable, tf.Variable(tf.ones_like(weights)), tf.Variable(0.0))],
        pruning_schedule=lambda step: (True, tf.constant(sparsity_now, tf.float32)),
        block_size=[1, 1],
        block_pooling_type="AVG",
        sparsity_m_by_n=None,
    )
    return pruning._update_mask(variable)[1].numpy().astype(bool)


def test_a_mask_by_hand():
    weights = np.array([[0.5, -0.1], [-2.0, 0.2]], np.float32)
    assert magnitude_mask(weights, 2).tolist() == [[True, False], [True, False]]
    assert magnitude_mask(weights, 4).all()
    assert magnitude_mask(weights, 1).tolist() == [[False, False], [True, False]]


def test_among_equal_weights_the_lower_index_stays():
    assert magnitude_mask(np.array([1.0, -1.0, 1.0, 2.0]), 3).tolist() == [True, True, False, True]
    assert magnitude_mask(np.zeros(5), 2).tolist() == [True, True, False, False, False]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400),
    st.floats(0, 1, exclude_max=True, allow_subnormal=False),
    st.integers(0, 2**31),
)
def test_the_same_weights_as_tfmot(count, sparsity_now, seed):
    rng = np.random.default_rng(seed)
    # Distinct magnitudes with random signs: no ties, so that the rule leaves no choice.
    weights = (rng.permutation(np.arange(1, count + 1)) * rng.choice([-1, 1], count)).astype("f4")
    ours = magnitude_mask(weights, kept_weights(count, sparsity_now))
    assert np.array_equal(ours, tfmot_mask(weights, sparsity_now))


@pytest.mark.parametrize("shape", [(3, 3, 8, 16), (64, 10), (7,)])
@pytest.mark.parametrize("sparsity_now", [0.0, 0.33, 0.5, 0.875, 0.999])
def test_the_same_weights_as_tfmot_for_kernels(shape, sparsity_now):
    weights = np.random.default_rng(1).normal(size=shape).astype("float32")
    ours = magnitude_mask(weights, kept_weights(weights.size, sparsity_now))
    assert np.array_equal(ours, tfmot_mask(weights, sparsity_now))


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=3), elements=st.floats(-9, 9, width=32)),
    st.data(),
)
def test_a_mask_keeps_the_count_and_the_largest(values, data):
    kept = data.draw(st.integers(1, values.size))
    mask = magnitude_mask(values, kept)
    assert mask.shape == values.shape
    assert mask.sum() == kept
    if kept < values.size:
        assert np.abs(values[mask]).min() >= np.abs(values[~mask]).max()


def test_jointly_a_layer_has_one_threshold():
    kernels = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 20.0])]
    apart = layer_masks(kernels, 0.5, jointly=False)
    assert [mask.tolist() for mask in apart] == [[[False, False], [True, True]], [False, True]]
    together = layer_masks(kernels, 0.5, jointly=True)
    assert [mask.tolist() for mask in together] == [[[False, False], [False, True]], [True, True]]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", NAMES)
def test_kernels_are_the_matrices_and_nothing_else(name, family):
    model = build(name, family)
    kernels = kernels_of(model, framework(family))
    assert len({kernel.name for kernel in kernels}) == len(kernels)
    assert len({id(kernel.variable) for kernel in kernels}) == len(kernels)
    chosen = {id(kernel.variable) for kernel in kernels}
    for variable in model.weights:
        last = variable.name.split("/")[-1].split(":")[0]
        expected = last.endswith("kernel") or last == "embeddings"
        assert (id(variable) in chosen) == expected, variable.name


@pytest.mark.parametrize("family", FAMILIES)
def test_kernels_of_recurrent_layers_by_name(family):
    names = [kernel.name for kernel in kernels_of(build("gru", family), framework(family))]
    assert names[:2] == ["gru_after/gru_cell/kernel", "gru_after/gru_cell/recurrent_kernel"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["mobile", "separable", "attention", "bidirectional", "gru"])
def test_update_zeroes_the_plans_layers_only(name, family):
    model = build(name, family)
    before = {k.name: k.value() for k in kernels_of(model, framework(family))}
    layers = list(dict.fromkeys(k.layer for k in kernels_of(model, framework(family))))
    plan = PruningPlan(
        "m", method="weights", criterion="magnitude", ratios={layers[0]: 0.5, layers[1]: 0.9}
    )
    masks = WeightMasks(model, framework(family), plan)
    masks.attach()
    masks.update(lambda final: final)
    masks.detach()
    found = zeros(model, framework(family))
    covered = 0
    for kernel in kernels_of(model, framework(family)):
        ratio = plan.ratios.get(kernel.layer, 0.0)
        count = kernel.value().size
        expected = count - kept_weights(count, ratio) if ratio else 0
        assert found[kernel.name] == (expected, count)
        stays = kernel.value() != 0
        assert np.array_equal(kernel.value()[stays], before[kernel.name][stays])
        covered += expected
    total = sum(value.size for value in before.values())
    assert sparsity(model, framework(family)) == covered / total
    assert set(masks.arrays()) == {k for k in before if k.split("/")[0] in layers[:2]}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_constraint_zeroes_even_what_is_not_a_number(family):
    model = build("plain", family)
    plan = PruningPlan("m", method="weights", criterion="magnitude", ratios={"hidden": 0.5})
    masks = WeightMasks(model, framework(family), plan)
    masks.attach()
    masks.update(lambda final: final)
    kernel = masks.kernels[0]
    mask = masks.arrays()[kernel.name]
    constraint = getattr(kernel.variable, "constraint", None) or kernel.variable._constraint
    result = constraint(np.where(mask, kernel.value(), np.float32(np.nan))).numpy()
    assert np.array_equal(result, np.where(mask, kernel.value(), 0))
    masks.detach()
    assert getattr(kernel.variable, "constraint", None) is None


def test_a_layer_without_a_kernel_is_refused():
    model = build("plain", "keras3")
    plan = PruningPlan("m", method="weights", criterion="magnitude", ratios={"nowhere": 0.5})
    with pytest.raises(PlanError, match="nowhere"):
        WeightMasks(model, framework("keras3"), plan)


def test_masks_are_saved_as_zeros_and_ones(tmp_path):
    masks = {"a/kernel": np.array([[True, False]]), "b#1/kernel": np.array([False])}
    save_masks(tmp_path / "masks.npz", masks)
    with np.load(tmp_path / "masks.npz", allow_pickle=False) as archive:
        assert archive["a/kernel"].dtype == np.uint8
    loaded = load_masks(tmp_path / "masks.npz")
    assert list(loaded) == list(masks)
    assert all(np.array_equal(loaded[name], masks[name]) for name in masks)


def test_two_inner_layers_of_one_name_get_two_keys():
    variables = [
        SimpleNamespace(path="outer/cell/kernel", name="kernel"),
        SimpleNamespace(path="outer/cell/kernel", name="kernel"),
    ]
    layer = SimpleNamespace(name="outer", weights=variables)
    fake = SimpleNamespace(
        flat=lambda model: model, layers=lambda model: [layer], path_of=lambda flat, one: one.name
    )
    names = [kernel.name for kernel in kernels_of(None, fake)]
    assert names == ["outer/cell/kernel", "outer/cell/kernel#1"]
