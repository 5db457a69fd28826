"""The profile of a model: figures by hand, JSON both ways, what is measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pruning.analysis.layer_rules import rules
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.profile import ModelProfile
from pruning.analysis.profiler import analyse_file, channel_weights, kernel_variables, kernels
from pruning.storage import digest_file
from tests.models import FAMILIES, build, keras_of
from tests.surgery.cases import analysed, case
from tests.surgery.cases import build as build_topology

BOTH = pytest.mark.parametrize("family", FAMILIES)


@BOTH
def test_parameters_and_flops_by_hand(family: str) -> None:
    layers = keras_of(family).layers
    model = keras_of(family).Sequential(
        [
            keras_of(family).Input((8, 8, 3)),
            layers.Conv2D(4, 3, strides=2, padding="valid", name="conv"),  # -> 3 x 3 x 4
            layers.BatchNormalization(name="bn"),
            layers.DepthwiseConv2D(2, name="depthwise"),  # -> 2 x 2 x 4
            layers.SeparableConv2D(5, 2, padding="same", use_bias=False, name="separable"),
            layers.Conv2DTranspose(2, 2, strides=2, name="up"),  # -> 4 x 4 x 2
            layers.Reshape((4, 8), name="rows"),
            layers.GRU(3, name="gru", reset_after=True),
            layers.Dense(2, name="out"),
        ]
    )
    profile = analysed(model, family).profile
    figures = {layer.name: (layer.params, layer.flops) for layer in profile.layers}
    assert figures["conv"] == (3 * 3 * 3 * 4 + 4, 2 * 9 * (3 * 3 * 3 * 4))
    assert figures["bn"] == (4 * 4, 0)
    assert figures["depthwise"] == (2 * 2 * 4 + 4, 2 * 4 * (2 * 2 * 4))
    assert figures["separable"] == (2 * 2 * 4 + 4 * 5, 2 * 4 * (2 * 2 * 4 + 4 * 5))
    assert figures["up"] == (2 * 2 * 2 * 5 + 2, 2 * 4 * (2 * 2 * 2 * 5))
    assert figures["gru"] == (8 * 9 + 3 * 9 + 2 * 9, 2 * 4 * (8 * 9 + 3 * 9))
    assert figures["out"] == (3 * 2 + 2, 2 * 3 * 2)
    assert profile.params == model.count_params() == sum(p for p, _ in figures.values())
    assert profile.flops == sum(f for _, f in figures.values())


@BOTH
def test_attention_flops_by_hand(family: str) -> None:
    attention = case("cross_attention", family).analysis.profile.layer("attention")
    # 5 queries of width 6, 6 keys of width 7 and values of width 5; 4 heads, key 3, value 2, out 9.
    projections = 5 * 6 * 12 + 6 * 7 * 12 + 6 * 5 * 8 + 5 * 8 * 9
    scores = 5 * 6 * 4 * (3 + 2)
    assert attention.flops == 2 * (projections + scores)


@BOTH
def test_a_shared_layer_costs_once_in_parameters_and_per_call_in_flops(family: str) -> None:
    shared = case("shared_layer", family).analysis.profile.layer("shared")
    assert shared.params == 3 * 3 * 4 * 5 + 5
    assert shared.flops == 2 * (2 * 6 * 6 * 3 * 3 * 4 * 5)


@BOTH
def test_open_dimensions_count_as_the_length(family: str) -> None:
    model = case("tokens", family).analysis.model
    per_step = 2 * (6 * 20 + 5 * 20)
    for length, note in ((None, "count as 128"), (10, "count as 10")):
        profile = analysed(model, family, length=length).profile
        assert profile.layer("lstm").flops == 2 * (length or 128) * per_step
        assert profile.layer("table").flops == 0
        assert note in profile.notes[0]
        assert profile.inputs[0].shape == (None,)


@BOTH
def test_json_gives_the_profile_back(family: str, tmp_path) -> None:
    profile = case("attention", family).analysis.profile
    assert ModelProfile.from_dict(json.loads(json.dumps(profile.to_dict()))) == profile
    profile.save(tmp_path)
    assert ModelProfile.load(tmp_path) == profile


@BOTH
def test_layers_say_whether_they_can_be_cut_or_why_not(family: str) -> None:
    profile = case("plain", family).analysis.profile
    conv, bn = profile.layer("conv"), profile.layer("conv_bn")
    assert (conv.prunable, conv.reason, conv.groups_out, conv.maskable) == (
        True,
        None,
        ("conv",),
        True,
    )
    assert (bn.prunable, bn.maskable, bn.magnitude_row) == (False, False, None)
    assert "shrinks with the layers before it" in str(bn.reason)
    assert "outputs of the model" in str(profile.layer("logits").reason)
    assert "no weights" in str(profile.layer("dropout").reason)
    assert profile.layer("hidden").groups_in == ("conv",)
    assert all(layer.prunable == (layer.reason is None) for layer in profile.layers)


@BOTH
def test_the_outputs_of_the_model(family: str) -> None:
    profile = case("many_inputs_outputs", family).analysis.profile
    assert profile.output_activation == "softmax"
    assert [(t.name, t.shape) for t in profile.inputs] == [("image", (8, 8, 3)), ("facts", (5,))]
    assert [t.shape for t in profile.outputs] == [(3,), (1,)]
    assert case("bidirectional", family).analysis.profile.output_activation == "sigmoid"


@BOTH
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_the_container_is_what_a_saved_file_has_beyond_its_weights(
    family: str, suffix: str, tmp_path
) -> None:
    model = build("lstm", family)
    analysis = analysed(model, family, file_format=suffix, for_pricing=True)
    path = tmp_path / f"model.{suffix}"
    analysis.framework.save(model, path)
    assert analysis.profile.container_bytes == path.stat().st_size - 4 * model.count_params()


@BOTH
def test_a_short_analysis_leaves_out_what_a_cut_does_not_need(family: str) -> None:
    whole = case("attention", family).analysis
    short = analysed(whole.model, family)
    assert short.groups == whole.groups
    assert short.profile.container_bytes is None
    for ours, theirs in zip(short.profile.layers, whole.profile.layers, strict=True):
        assert ours == replace(theirs, stats=None, zeros=0.0)


@BOTH
def test_score_offsets_follow_one_another(family: str) -> None:
    profile = case("cross_attention", family).analysis.profile
    end = 0
    for group in profile.groups:
        if group.can_shrink:
            assert group.score_offset == end
            end += group.channels
        else:
            assert group.score_offset is None


@BOTH
def test_kernels_are_what_may_be_masked(family: str) -> None:
    analysis = case("attention", family).analysis
    found = {
        layer: [array.shape for _, array in pairs] for layer, pairs in kernels(analysis).items()
    }
    assert found == {
        "embedding": [(20, 8)],
        "attention": [(8, 3, 4), (8, 3, 4), (8, 3, 4), (3, 4, 8)],
        "ffn1": [(8, 10)],
        "ffn2": [(10, 8)],
        "logits": [(8, 3)],
    }
    for layer, pairs in kernel_variables(analysis).items():
        for (name, variable), (same_name, array) in zip(
            pairs, kernels(analysis)[layer], strict=True
        ):
            assert name == same_name
            np.testing.assert_array_equal(variable.numpy(), array)


@BOTH
def test_zeros_and_edges(family: str) -> None:
    model = build("plain", family)
    kernel, bias = model.get_layer("hidden").get_weights()
    kernel[:, :5] = 0
    model.get_layer("hidden").set_weights([kernel, bias])
    profile = analysed(model, family, for_pricing=True).profile
    assert profile.layer("hidden").zeros == 0.5
    assert profile.layer("logits").zeros == 0.0
    edges = {(edge.source, edge.target) for edge in profile.edges}
    assert ("conv", "conv_bn") in edges
    assert ("hidden", "dropout") in edges


@BOTH
def test_every_prunable_group_can_be_scored(family: str) -> None:
    for name in ("unet", "bidirectional", "cross_attention", "whole_groups", "time_distributed"):
        analysis = case(name, family).analysis
        weights = channel_weights(analysis)
        for group in analysis.groups:
            if group.prunable:
                assert weights[group.id], f"{name}: {group.id} has no kernel that makes it"
                assert {len(array) for array in weights[group.id]} == {group.channels}


@BOTH
def test_windows_that_become_samples_count_all_of_them(family: str) -> None:
    profile = analysed(build_topology("windows", family), family).profile
    flops = {layer.name: layer.flops for layer in profile.layers}
    assert flops["stem"] == 2 * 64 * 3 * 6
    assert flops["inside"] == 2 * 64 * 6 * 5  # four windows of 16 positions
    assert flops["back"] == 2 * 64 * 10 * 6
    assert {group.id for group in profile.groups if group.prunable} == {"stem", "inside"}


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("sequences", [True, False])
def test_steps_before_a_fixed_number_of_samples_count_for_one(
    turned: bool, sequences: bool
) -> None:
    """Two samples of seven steps, turned before the layer, or given to the model so."""
    import tensorflow as tf

    keras = keras_of("tf_keras")
    i = keras.Input(batch_shape=(2, 7, 3) if turned else (7, 2, 3))
    x = tf.transpose(i, (1, 0, 2)) if turned else i
    x = keras.layers.LSTM(4, time_major=True, return_sequences=sequences, name="steps")(x)
    model = keras.Model(i, keras.layers.Dense(5, name="out")(x))
    profile = analysed(model, "tf_keras").profile
    flops = {layer.name: layer.flops for layer in profile.layers}
    # By hand, for one sample: four gates of (3 + 4) x 4 at 7 steps, 4 x 5 where it answers.
    assert flops["steps"] == 2 * 7 * 4 * (3 + 4) * 4
    assert flops["out"] == 2 * (7 if sequences else 1) * 4 * 5


@BOTH
def test_heads_folded_into_a_fixed_number_of_samples_count_all_of_them(family: str) -> None:
    """Three samples of four positions, each in two halves that a layer reads as samples."""
    import tensorflow as tf

    keras = keras_of(family)
    reshape = keras.ops.reshape if family == "keras3" else tf.reshape
    i = keras.Input(batch_shape=(3, 4, 6))
    x = reshape(keras.layers.Dense(8, name="in")(i), (6, 4, 4))
    x = reshape(keras.layers.Dense(5, name="half")(x), (3, 40))
    profile = analysed(keras.Model(i, keras.layers.Dense(2, name="out")(x)), family).profile
    flops = {layer.name: layer.flops for layer in profile.layers}
    assert (flops["in"], flops["half"]) == (2 * 4 * 6 * 8, 2 * 2 * 4 * 4 * 5)
    assert flops["out"] == 2 * 40 * 2


@BOTH
@pytest.mark.parametrize("error", [ValueError("cannot reshape"), IndexError(), TypeError("axis")])
def test_a_rule_that_stumbles_freezes_its_group_and_not_the_model(
    family: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def stumbles(call: Call) -> list[Channels]:
        call.new(6)
        raise error

    rule = LayerRule("stumbling", ("ReLU",), stumbles, "passed")
    monkeypatch.setitem(rules(), "ReLU", rule)
    keras = keras_of(family)
    i = keras.Input((8,))
    x = keras.layers.ReLU(name="relu")(keras.layers.Dense(6, name="before")(i))
    x = keras.layers.Dense(5, name="after")(x)
    analysis = analysed(keras.Model(i, keras.layers.Dense(2, name="out")(x)), family)
    groups = {group.id: group for group in analysis.groups}
    assert groups["after"].prunable
    assert not groups["before"].can_shrink
    assert f"a way the studio does not know: {type(error).__name__}" in groups["before"].reason


@BOTH
def test_a_file_is_analysed_under_its_own_name_and_digest(family: str, tmp_path) -> None:
    path = tmp_path / "plain.keras"
    build("plain", family).save(path)
    loaded, analysis = analyse_file(path, length=3)
    assert loaded.framework.family == family
    assert analysis.model is loaded.model
    assert analysis.profile.name == "plain.keras"
    assert analysis.profile.digest == digest_file(path)
    assert analysis.profile.bytes == path.stat().st_size
    assert analysis.profile.container_bytes is not None
    _, brief = analyse_file(path, "my model", for_pricing=False)
    assert brief.profile.name == "my model"
    assert brief.profile.container_bytes is None
    assert brief.profile.flops == analysis.profile.flops
