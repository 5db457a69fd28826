"""A cut is exact, is what its record says, costs what was priced, and spares the original."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.analysis.layer_rules import rule_for, rules
from pruning.errors import PlanError, SelfCheckError
from pruning.strategy.cuts import changed
from pruning.strategy.plan import PruningPlan
from pruning.strategy.sizes import cuts_are_exact
from pruning.surgery.channels import channels_record, consumers_read_zeros, cut
from pruning.surgery.self_check import difference, self_check
from tests.models import FAMILIES, build, keras_of, outputs, samples
from tests.surgery.cases import (
    CASES,
    REQUESTED,
    analysed,
    assert_priced,
    case,
    flops_of,
    random_kept,
    weights_by_path,
)

SAVED = ("residual_identity", "nested_functional", "bidirectional", "operators", "cross_attention")
SAVED += ("conv_lstm", "repeated_models", "cells", "constants", "shuffle", "einsum", "picked")
SAVED += ("blurred", "fixed_graph", "scores_of_heads")
SAVED += ("repeated_backbone", "repeated_weights", "along_positions", "text_as_image")
SAVED += ("picked_by_number", "ranked", "gated_positions", "pooled_channels", "decoders")
SAVED += ("selective_kernel", "best_tokens", "each_by_itself")

# Their convolutions, normalizations or heads have fewer groups of channels after a cut.
FEWER_GROUPS = ("grouped", "whole_groups", "normalized", "shuffle", "heads_by_hand")
FEWER_GROUPS += ("operations_of_keras_3", "made_kernels")
# Their units do not become channels any more once a single channel is left.
FEWER_GROUPS += ("decoders", "read_two_ways", "repeated_decoders", "compared_beside")

# Constants for each channel and numbers of channels are text in the configuration; a kernel is
# stored twice, an adapter within its kernel.
ESTIMATED = {"not_understood", "constants", "spectral", "picked_by_number"}
ESTIMATED |= {"adapted", "blurred", "projected", "normalised_by_hand", "tensorflow_functions"}


@pytest.mark.parametrize(("name", "family"), CASES)
def test_a_cut_equals_the_original_whose_consumers_read_zeros(name: str, family: str) -> None:
    made = case(name, family)
    result = self_check(made.analysis, made.cut)
    assert result.max_abs_error <= 1e-5
    assert result.samples == 4
    removed = [g for g in made.analysis.groups if g.prunable and made.counts[g.id] < g.channels]
    assert removed, "the random cut of this topology removes nothing"
    for before, after in zip(made.weights_before, made.analysis.model.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_original_reads_again_what_it_read_when_its_oracle_fails(family: str) -> None:
    analysis = analysed(build("plain", family), family)
    before = analysis.model.get_weights()

    def fail() -> None:
        with consumers_read_zeros(analysis, {"conv": [0]}) as oracle:
            now = oracle.get_weights()
            assert any((is_ != was).any() for is_, was in zip(now, before, strict=True))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    for now, was in zip(analysis.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, was)


@pytest.mark.parametrize(("name", "family"), CASES)
def test_weights_are_the_slices_that_the_record_names(name: str, family: str) -> None:
    made = case(name, family)
    framework = made.analysis.framework
    before = weights_by_path(made.analysis.model, framework)
    after = weights_by_path(made.cut.model, framework)
    for layer, entries in made.cut.channels["layers"].items():
        for entry in entries:
            weights = before[layer]
            weights[entry["weight"]] = np.take(
                weights[entry["weight"]], entry["kept"], axis=entry["axis"]
            )
    for layer, weights in before.items():
        if not weights:
            continue
        for expected, actual in zip(weights, after[layer], strict=True):
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(("name", "family"), CASES)
def test_a_cut_of_a_cut_is_the_cut_of_both_together(name: str, family: str) -> None:
    """What several cuts need: the same groups by the same ids, their channels in the same order."""
    made = case(name, family)
    again = analysed(made.cut.model, family)
    kept = {group: len(indices) for group, indices in made.cut.kept.items()}
    others = changed(made.analysis.profile, kept, again.profile, PruningPlan("m"))
    assert not others or name in FEWER_GROUPS
    chosen = random_kept(again, seed=7)
    same = made.cut.kept.keys() - others
    second = cut(again, {group: chosen[group] for group in chosen if group in same})
    both = {
        group: kept[second.kept[group]] if group in second.kept else kept
        for group, kept in made.cut.kept.items()
    }
    at_once = cut(made.analysis, both)
    assert at_once.channels == channels_record(made.analysis, both)
    pairs = zip(second.model.get_weights(), at_once.model.get_weights(), strict=True)
    for twice, once in pairs:
        np.testing.assert_allclose(twice, once, rtol=1e-6)


@pytest.mark.parametrize(("name", "family"), CASES)
def test_the_price_from_the_profile_is_what_the_cut_model_has(name: str, family: str) -> None:
    made = case(name, family)
    layers = made.analysis.profile.layers
    assert sum(layer.params_cost.value(made.counts) for layer in layers) == (
        made.cut.model.count_params()
    )
    assert sum(layer.flops_cost.value(made.counts) for layer in layers) == (
        flops_of(made.cut.model, made.analysis.framework)
    )


@pytest.mark.parametrize("file_format", ["keras", "h5"])
@pytest.mark.parametrize(("name", "family"), CASES)
def test_the_file_of_the_cut_model_is_as_large_as_priced(
    name: str, family: str, file_format: str, tmp_path
) -> None:
    made = case(name, family)
    analysis = made.analysis
    if file_format != analysis.profile.file_format:
        analysis = analysed(analysis.model, family, file_format, for_pricing=True)
    assert cuts_are_exact(analysis.profile) == (name not in ESTIMATED)
    assert_priced(analysis, made.cut, tmp_path)


@pytest.mark.parametrize(("name", "family"), CASES)
def test_the_original_is_not_changed(name: str, family: str) -> None:
    made = case(name, family)
    for before, now in zip(made.weights_before, made.analysis.model.get_weights(), strict=True):
        np.testing.assert_array_equal(now, before)


def test_every_cutting_rule_is_cut_in_a_topology() -> None:
    missing = {rule.name for rule in rules().values() if rule.effect == "cut"}
    requested = [(name, family, True) for name in REQUESTED for family in FAMILIES]
    for asked in (*CASES, *requested):
        made = case(*asked)
        layers = {record.name: record.layer for record in made.analysis.layers}
        missing -= {rule_for(layers[n]).name for n in made.cut.channels["layers"]}
        if not missing:
            break
    assert not missing


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_cut_model_is_saved_and_loaded_by_plain_keras(name: str, family: str, tmp_path) -> None:
    made = case(name, family)
    path = tmp_path / "model.keras"
    made.cut.model.save(path)
    loaded = keras_of(family).models.load_model(path, compile=False)
    inputs = samples(loaded)
    for ours, theirs in zip(outputs(made.cut.model, inputs), outputs(loaded, inputs), strict=True):
        np.testing.assert_array_equal(theirs, ours)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_channel_a_group_reaches_the_floor_of_the_profile(family: str) -> None:
    analysis = case("residual_projection", family).analysis
    smallest = cut(analysis, {g.id: [0] for g in analysis.groups if g.prunable})
    assert smallest.model.count_params() == analysis.profile.floor_params
    assert flops_of(smallest.model, analysis.framework) == analysis.profile.floor_flops
    assert self_check(analysis, smallest).max_abs_error <= 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_flattened_channels_counted_by_hand_in_numpy(family: str) -> None:
    """The dense layer's rows of a removed channel are gone, its bias and BatchNorm's shift too."""
    model = build("plain", family)
    analysis = analysed(model, family)
    kept = [0, 2, 5]
    made = cut(analysis, {"conv": kept})
    keras, inputs = keras_of(family), samples(model)
    flatten = next(layer for layer in model.layers if type(layer).__name__ == "Flatten")
    features = np.array(keras.Model(model.inputs, flatten.input)(inputs[0], training=False))
    features[..., [1, 3, 4]] = 0
    hidden, logits = model.get_layer("hidden"), model.get_layer("logits")
    x = features.reshape(len(features), -1) @ hidden.get_weights()[0] + hidden.get_weights()[1]
    x = np.maximum(x, 0) @ logits.get_weights()[0] + logits.get_weights()[1]
    expected = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs(made.model, inputs)[0], expected, atol=1e-5)
    assert made.model.get_layer("conv").filters == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_lstm_units_against_a_loop_in_numpy(family: str) -> None:
    """A removed unit is read by nobody: neither by the next step nor by the next layer."""
    keras = keras_of(family)
    i = keras.Input((4, 3), name="frames")
    x = keras.layers.LSTM(5, name="lstm")(i)
    model = keras.Model(i, keras.layers.Dense(2, name="out")(x))
    analysis = analysed(model, family)
    kernel, recurrent, bias = model.get_layer("lstm").get_weights()
    dense, dense_bias = model.get_layer("out").get_weights()
    heard = np.array([1, 0, 1, 1, 0], np.float32)
    frames = samples(model)[0]
    h = c = np.zeros((len(frames), 5), np.float32)
    for step in range(4):
        gates = frames[:, step] @ kernel + (h * heard) @ recurrent + bias
        take, forget, new, show = np.split(gates, 4, axis=1)
        c = _sigmoid(forget) * c + _sigmoid(take) * np.tanh(new)
        h = _sigmoid(show) * np.tanh(c)
    made = cut(analysis, {"lstm": np.flatnonzero(heard)})
    np.testing.assert_allclose(
        outputs(made.model, [frames])[0], (h * heard) @ dense + dense_bias, atol=1e-5
    )
    assert made.channels["layers"]["lstm"][0] == {
        "weight": 0,
        "axis": 1,
        "kept": [0, 2, 3, 5, 7, 8, 10, 12, 13, 15, 17, 18],
    }


def test_a_width_written_into_a_keras_3_reshape_is_edited() -> None:
    import keras

    i = keras.Input((4, 4, 3), name="image")
    x = keras.ops.reshape(keras.layers.Conv2D(6, 1, name="conv")(i), (-1, 16 * 6))
    model = keras.Model(i, keras.layers.Dense(2, name="out")(x))
    analysis = analysed(model, "keras3")
    made = cut(analysis, {"conv": [1, 4]})
    assert made.model.get_layer("out").get_weights()[0].shape == (16 * 2, 2)
    assert self_check(analysis, made).max_abs_error <= 1e-5


def test_a_width_that_is_computed_freezes_its_group() -> None:
    import tensorflow as tf
    import tf_keras

    i = tf_keras.Input((4, 4, 3), name="image")
    x = tf_keras.layers.Conv2D(6, 1, name="conv")(i)
    x = tf.reshape(x, tf.stack([tf.shape(x)[0], 96]))
    analysis = analysed(tf_keras.Model(i, tf_keras.layers.Dense(2)(x)), "tf_keras")
    conv = next(group for group in analysis.groups if group.id == "conv")
    assert not conv.prunable
    assert "computes its width" in str(conv.reason)


@pytest.mark.parametrize("kept", [[], [6], [-1], [0, 0]])
def test_impossible_indices_are_refused(kept: list[int]) -> None:
    with pytest.raises(PlanError, match="'conv'"):
        cut(case("plain", "keras3").analysis, {"conv": kept})


def test_frozen_and_unknown_groups_are_refused_with_the_reason() -> None:
    analysis = case("plain", "keras3").analysis
    with pytest.raises(PlanError, match="outputs of the model"):
        cut(analysis, {"logits": [0]})
    with pytest.raises(PlanError, match="no_such_layer"):
        cut(analysis, {"no_such_layer": [0]})


def test_a_wrong_cut_does_not_pass_the_self_check() -> None:
    analysis = analysed(build("plain", "keras3"), "keras3")
    made = cut(analysis, random_kept(analysis, seed=5))
    conv = made.model.get_layer("conv")
    conv.set_weights([weight * 1.01 for weight in conv.get_weights()])
    with pytest.raises(SelfCheckError, match="differs"):
        self_check(analysis, made)


def test_nan_does_not_pass_the_self_check() -> None:
    analysis = analysed(build("plain", "keras3"), "keras3")
    made = cut(analysis, random_kept(analysis, seed=5))
    conv = made.model.get_layer("conv")
    conv.set_weights([weight * np.nan for weight in conv.get_weights()])
    with pytest.raises(SelfCheckError, match="nan"):
        self_check(analysis, made)


@pytest.mark.parametrize("place", [0, 1])
def test_nan_in_any_output_is_a_difference(place: int) -> None:
    expected = [np.zeros(2, np.float32), np.zeros(2, np.float32)]
    actual = [array.copy() for array in expected]
    actual[place][1] = np.nan
    assert np.isnan(difference(expected, actual))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_reads_a_fixed_number_of_samples_is_checked_with_as_many(family: str) -> None:
    """Stateful layers keep a state for each of them, and refuse any other number."""
    keras = keras_of(family)
    i = keras.Input(batch_shape=(3, 5, 2), name="frames")
    x = keras.layers.LSTM(6, stateful=True, name="lstm")(i)
    analysis = analysed(keras.Model(i, keras.layers.Dense(2, name="out")(x)), family)
    made = cut(analysis, {"lstm": [1, 4]})
    assert self_check(analysis, made).samples == 3
    real = np.random.default_rng(0).normal(size=(8, 5, 2)).astype("float32")
    assert self_check(analysis, made, [real]).samples == 3


def test_given_samples_are_used() -> None:
    made = case("many_inputs_outputs", "keras3")
    assert self_check(made.analysis, made.cut, samples(made.analysis.model, 7)).samples == 7


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
