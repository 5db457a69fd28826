"""Masks: the same weights as TF-MOT, on kernels only, in every layer type of both Kerases."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pruning.analysis.profiler import kernel_variables
from pruning.errors import PlanError
from pruning.frameworks._base import framework
from pruning.strategy.patterns import Unstructured, kept_weights, largest, parse_pattern
from pruning.strategy.plan import PruningPlan
from pruning.strategy.weight_selection import kept_masks
from pruning.surgery.masks import (
    WeightMasks,
    kernels_of,
    load_masks,
    save_masks,
    sparsity,
    zeros,
)
from tests.models import NAMES, build
from tests.surgery import cases

FAMILIES = ["keras3", "tf_keras"]


def tfmot_mask(weights, sparsity_now, block_size=(1, 1), pooling="AVG", m_by_n=None):
    """The mask that TF-MOT's own code computes."""
    import tensorflow as tf
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl

    variable = tf.Variable(weights)
    pruning = pruning_impl.Pruning(
        training_step_fn=lambda: 0,
        pruning_vars=[(variable, tf.Variable(tf.ones_like(weights)), tf.Variable(0.0))],
        pruning_schedule=lambda step: (True, tf.constant(sparsity_now, tf.float32)),
        block_size=list(block_size),
        block_pooling_type=pooling,
        sparsity_m_by_n=m_by_n,
    )
    return pruning._maybe_update_block_mask(variable)[1].numpy().astype(bool)


def magnitude_mask(weights, kept):
    return largest(np.abs(weights), kept)


def test_a_mask_by_hand():
    weights = np.array([[0.5, -0.1], [-2.0, 0.2]], np.float32)
    assert magnitude_mask(weights, 2).tolist() == [[True, False], [True, False]]
    assert magnitude_mask(weights, 4).all()
    assert magnitude_mask(weights, 1).tolist() == [[False, False], [True, False]]


def test_among_equal_weights_the_lower_index_stays():
    assert magnitude_mask(np.array([1.0, -1.0, 1.0, 2.0]), 3).tolist() == [True, True, False, True]
    assert magnitude_mask(np.zeros(5), 2).tolist() == [True, True, False, False, False]


@settings(max_examples=60)
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


# Dense, Conv2D, SeparableConv's pointwise kernel, Embedding; axes that 4 divides and does not.
SHAPES = [
    (64, 32),
    (30, 10),
    (7, 9),
    (5, 4),
    (3, 3, 8, 16),
    (5, 5, 3, 4),
    (1, 1, 6, 7),
    (2, 3, 1, 5),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n", "m"), [(2, 4), (1, 4), (3, 4), (1, 2), (4, 8), (2, 5)])
def test_n_of_m_is_tfmots(shape, n, m):
    weights = np.random.default_rng(2).normal(size=shape).astype("float32")
    weights.reshape(-1)[:: len(weights) + 1] = 0  # ties among zeros, and with the padding
    pattern = parse_pattern(f"{n}:{m}")
    ours = pattern.mask(np.abs(weights), pattern.fixed)
    assert np.array_equal(ours, tfmot_mask(weights, 0.1, m_by_n=(m - n, m)))


@settings(max_examples=40)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 13), st.integers(1, 6)),
        elements=st.integers(-3, 3).map(float),  # many ties
    ),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_n_of_m_is_tfmots_with_ties_too(weights, n, more):
    pattern = parse_pattern(f"{n}:{n + more}")
    ours = pattern.mask(np.abs(weights), pattern.fixed)
    assert np.array_equal(ours, tfmot_mask(weights, 0.1, m_by_n=(more, n + more)))


@pytest.mark.parametrize("shape", [(64, 32), (30, 10), (7, 9), (513, 100), (33, 1000)])
@pytest.mark.parametrize("block", [(4, 4), (1, 8), (8, 1), (3, 2), (2, 5)])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_blocks_are_tfmots(shape, block, pooling):
    """Also where blocks do not divide the kernel, and TF-MOT pools beside its blocks."""
    if min(-(-size // side) for size, side in zip(shape, block, strict=True)) == 1:
        pytest.skip("TF-MOT fails on a single row or column of blocks")
    weights = np.random.default_rng(3).normal(size=shape).astype("float32")
    pattern = parse_pattern("x".join(map(str, block)), pooling)
    name = {"average": "AVG", "max": "MAX"}[pooling]
    for share in (0.0, 0.3, 0.5, 0.9):
        ours = pattern.mask(np.abs(weights), share)
        assert np.array_equal(ours, tfmot_mask(weights, share, block, name)), share


@pytest.mark.parametrize("shape", [(8, 1), (3, 10), (10, 3)])
def test_tfmot_fails_on_a_single_row_or_column_of_blocks(shape):
    """Why the plan refuses them for the engine tfmot; the studio's masks can do it."""
    weights = np.random.default_rng(3).normal(size=shape).astype("float32")
    with pytest.raises(ValueError, match="rank"):
        tfmot_mask(weights, 0.5, (4, 4))
    mask = parse_pattern("4x4").mask(np.abs(weights), 0.5)
    assert 0 < mask.sum() < mask.size


def test_jointly_a_layer_has_one_threshold():
    kernels = {"one": [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 20.0])]}
    apart = kept_masks(kernels, {"one": 0.5}, Unstructured())["one"]
    assert [mask.tolist() for mask in apart] == [[[False, False], [True, True]], [False, True]]
    together = kept_masks(kernels, {"one": 0.5}, Unstructured(), competing={"one"})["one"]
    assert [mask.tolist() for mask in together] == [[[False, False], [False, True]], [True, True]]


def test_in_the_global_scope_all_layers_have_one_threshold():
    scores = {"a": [np.array([1.0, 5.0, 6.0, 7.0])], "b": [np.array([2.0, 3.0])]}
    shares = {"a": 0.25, "b": 0.5}  # of six weights four stay
    masks = kept_masks(scores, shares, Unstructured(), competing={"a", "b"})
    assert masks["a"][0].tolist() == [False, True, True, True]
    assert masks["b"][0].tolist() == [False, True]
    # Whoever set a's share by hand gets it: b does not compete with it.
    masks = kept_masks(scores, {"a": 0.75, "b": 0.5}, Unstructured(), competing={"b"})
    assert masks["a"][0].tolist() == [False, False, False, True]
    assert masks["b"][0].tolist() == [False, True]


def test_one_threshold_empties_no_layer():
    scores = {"small": [np.array([0.1, 0.2])], "large": [np.arange(1.0, 9.0)]}
    masks = kept_masks(scores, {"small": 0.5, "large": 0.5}, Unstructured(), competing=set(scores))
    assert masks["small"][0].tolist() == [False, True]
    assert masks["large"][0].tolist() == [False] * 4 + [True] * 4


def test_blocks_of_all_layers_compete_too():
    scores = {
        "a": [np.kron([[1.0, 5.0]], np.ones((2, 2)))],
        "b": [np.kron([[2.0], [3.0], [4.0]], np.ones((2, 2)))],
    }
    masks = kept_masks(scores, {"a": 0.5, "b": 2 / 3}, parse_pattern("2x2"), competing={"a", "b"})
    assert masks["a"][0].astype(int).tolist() == [[0, 0, 1, 1]] * 2
    assert masks["b"][0].astype(int).tolist() == [[0, 0]] * 4 + [[1, 1]] * 2


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


COMPARED = {
    *("mobile", "separable", "attention", "gru", "time_distributed", "depth_multiplier"),
    *("grouped_queries", "einsum", "spectral", "random_features"),
}


@pytest.mark.parametrize(("name", "family"), [case for case in cases.CASES if case[0] in COMPARED])
def test_kernels_are_those_of_the_analysis(name, family):
    """By the same keys, in the same shapes, the same ones depthwise."""
    analysis = cases.analysed(cases.build(name, family), family)
    kernels = kernels_of(analysis.model, framework(family))
    named = [key for variables in kernel_variables(analysis).values() for key, _ in variables]
    shapes = [kernel for layer in analysis.profile.layers for kernel in layer.kernels]
    assert sorted(kernel.key for kernel in kernels) == sorted(named)
    known = dict(zip(named, shapes, strict=True))
    assert {kernel.key: kernel.shape for kernel in kernels} == known


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
