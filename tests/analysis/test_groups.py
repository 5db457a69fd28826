"""Which channels go together, and in which words the others stay."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.analysis.cost import Width
from pruning.analysis.profiler import channel_weights
from pruning.surgery.channels import cut
from pruning.surgery.self_check import self_check
from tests.models import FAMILIES, keras_of, randomize
from tests.surgery.cases import analysed, case

BOTH = pytest.mark.parametrize("family", FAMILIES)


def groups_of(name: str, family: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Channels and producers of the prunable groups."""
    groups = case(name, family).analysis.groups
    return {g.id: (g.channels, g.producers) for g in groups if g.prunable}


@BOTH
def test_a_residual_add_ties_what_it_adds(family: str) -> None:
    assert groups_of("residual_projection", family) == {
        "stem": (4, ("stem",)),
        "conv1": (6, ("conv1",)),
        "shortcut": (8, ("shortcut", "conv2")),
    }


@BOTH
def test_a_concatenation_does_not_tie(family: str) -> None:
    assert groups_of("concat_dense", family) == {
        "stem": (4, ("stem",)),
        "dense1": (3, ("dense1",)),
        "dense2": (3, ("dense2",)),
        "transition": (5, ("transition",)),
    }


@BOTH
def test_a_squeeze_and_excite_gate_goes_with_what_it_gates(family: str) -> None:
    stem = next(g for g in case("squeeze_excite", family).analysis.groups if g.id == "stem")
    assert stem.producers == ("stem", "excite")
    assert set(stem.layers) == {"stem", "stem_bn", "excite", "reduce", "top"}


@BOTH
def test_heads_and_value_channels_are_groups_of_their_own(family: str) -> None:
    groups = {g.id: g for g in case("cross_attention", family).analysis.groups}
    units = {name: (groups[name].channels, groups[name].unit) for name in groups}
    assert units["attention"] == (9, "channel")
    assert units["attention#2"] == (4, "head")
    assert units["attention#3"] == (2, "channel")


@BOTH
def test_whole_groups_of_a_convolution_count_as_one_channel_each(family: str) -> None:
    analysis = case("whole_groups", family).analysis
    assert groups_of("whole_groups", family)["stem"] == (4, ("stem", "grouped"))
    stem = next(layer for layer in analysis.layers if layer.name == "stem")
    grouped = next(layer for layer in analysis.layers if layer.name == "grouped")
    assert analysis.channels.width(stem.made["out"]) == Width(0, {"stem": 2})
    assert analysis.channels.width(grouped.made["out"]) == Width(0, {"stem": 3})


@BOTH
def test_flatten_counts_a_channel_once_per_position(family: str) -> None:
    hidden = next(x for x in case("plain", family).analysis.layers if x.name == "hidden")
    width = case("plain", family).analysis.channels.width(hidden.weights[0].reads[0])
    assert width.constant == 0
    assert list(width.groups) == ["conv"]
    assert width.groups["conv"] * 6 == hidden.weights[0].shape[0]


@BOTH
def test_frozen_groups_say_why(family: str) -> None:
    reasons = {
        group.id: group.reason
        for group in case("not_understood", family).analysis.groups
        if not group.prunable
    }
    assert set(reasons) == {"asked", "weights", "logits"}
    assert "softmax compares all its channels" in str(reasons["asked"])
    assert "outputs of the model" in str(reasons["logits"])


@BOTH
@pytest.mark.parametrize("as_layer", [True, False])
def test_a_single_unit_whose_positions_are_compared_says_so(family: str, as_layer: bool) -> None:
    layers = keras_of(family).layers
    i = keras_of(family).Input((6, 5))
    x = layers.Flatten()(layers.Dense(1, name="score")(layers.Dense(8, name="hidden")(i)))
    softmax = (
        layers.Softmax(name="share") if as_layer else layers.Activation("softmax", name="share")
    )
    x = layers.Dense(3, name="out")(softmax(x))
    groups = {g.id: g for g in analysed(keras_of(family).Model(i, x), family).groups}
    assert groups["hidden"].prunable
    assert groups["score"].reason == (
        "'share' compares the positions of this single channel: without it nothing would be left "
        "to compare."
    )


@BOTH
def test_layer_normalization_freezes_only_what_it_normalises(family: str) -> None:
    groups = {g.id: g for g in case("states", family).analysis.groups}
    assert not groups["wide"].prunable
    assert "normalises" in str(groups["wide"].reason)
    assert groups["encoder"].prunable
    assert groups["encoder"].producers == ("encoder", "decoder")
    assert groups["hidden"].prunable


@BOTH
def test_a_single_broadcast_channel_stays(family: str) -> None:
    groups = {g.id: g for g in case("merges", family).analysis.groups}
    assert not groups["mask"].prunable
    assert len(groups["branch0"].producers) == 7


def test_both_kerases_have_the_same_groups() -> None:
    for name in ("mobile", "unet", "nested_functional", "bidirectional", "functions"):
        assert groups_of(name, "keras3").keys() == groups_of(name, "tf_keras").keys()


@BOTH
def test_channel_weights_of_recurrent_units_hold_all_gates(family: str) -> None:
    analysis = case("lstm", family).analysis
    kernel = analysis.model.get_layer("lstm1").get_weights()[0]
    rows = channel_weights(analysis)["lstm1"]
    assert [array.shape for array in rows] == [(6, 4 * kernel.shape[0]), (6, 4 * 6)]
    gates = kernel.reshape(kernel.shape[0], 4, 6)
    np.testing.assert_array_equal(
        np.sort(rows[0][2]), np.sort(gates[:, :, 2].reshape(-1)), strict=True
    )


@BOTH
def test_channel_weights_have_one_row_per_channel_of_every_producer(family: str) -> None:
    analysis = case("residual_projection", family).analysis
    rows = channel_weights(analysis)["shortcut"]
    kernels = [analysis.model.get_layer(n).get_weights()[0] for n in ("shortcut", "conv2")]
    expected = {k.shape: k.reshape(-1, 8).T for k in kernels}
    found = {(array.shape): array for array in rows}
    for kernel in expected.values():
        np.testing.assert_array_equal(found[kernel.shape], kernel)


@BOTH
def test_a_dense_layer_along_the_positions_lets_channels_through(family: str) -> None:
    analysis = case("mixed_positions", family).analysis
    groups = {group.id: group for group in analysis.groups}
    assert groups["patches"].prunable
    assert groups["patches"].channels == 5
    assert set(groups["patches"].layers) == {"patches", "channels_back", "channels", "logits"}
    layer = analysis.profile.layer("positions")
    assert (layer.params, layer.flops) == (16 * 6 + 6, 2 * 5 * 16 * 6)
    assert layer.flops_cost.value({g.id: g.channels for g in analysis.groups} | {"patches": 2}) == (
        2 * 2 * 16 * 6
    )


@BOTH
@pytest.mark.parametrize("along_first", [True, False])
def test_a_dense_layer_used_along_and_beside_the_channels_freezes_them(
    family: str, along_first: bool
) -> None:
    keras = keras_of(family)
    layers = keras.layers
    i = keras.Input((4, 3), name="rows")
    x = layers.Conv1D(4, 1, name="conv")(i)
    shared = layers.Dense(4, name="shared")
    turn = layers.Permute((2, 1))
    x = shared(turn(shared(x))) if along_first else shared(turn(shared(turn(x))))
    model = keras.Model(i, layers.Dense(2, name="classes")(layers.Flatten()(x)))
    analysis = analysed(model, family)
    assert not [group.id for group in analysis.groups if group.prunable]
    assert "'shared' is used in a way" in analysis.profile.layer("shared").reason


@pytest.mark.parametrize("family", FAMILIES)
def test_units_that_become_an_image_at_every_step_are_channels_of_it(family: str) -> None:
    groups = groups_of("repeated_decoders", family)
    assert groups["pictures"] == (4, ("pictures",))
    assert groups["pictures#2"] == (3, ("pictures",))
    assert groups["step_units"] == (4, ("step_units",))


@pytest.mark.parametrize("family", FAMILIES)
def test_models_nested_in_a_repeated_model_are_walked(family: str) -> None:
    groups = groups_of("repeated_backbone", family)
    sizes = [channels for name, (channels, _) in groups.items() if name.startswith("frames")]
    assert sizes == [6, 5, 7, 6]


@pytest.mark.parametrize("family", FAMILIES)
def test_sets_of_units_go_where_what_is_in_a_set_is_compared(family: str) -> None:
    groups = groups_of("compared_beside", family)
    assert groups == {name: (3, (name,)) for name in ("codes", "choices", "norms", "means")}


@BOTH
def test_a_token_for_each_feature_of_the_input_has_channels(family: str) -> None:
    """FT-Transformer's tokens: a row of the kernel for each number that the model reads."""
    keras = keras_of(family)
    layers = keras.layers
    i, j = keras.Input((4,)), keras.Input((2,), dtype="int32")
    x = layers.EinsumDense("bf,fd->bfd", (4, 8), bias_axes="fd", name="numbers")(i)
    x = layers.Concatenate(axis=1)([x, layers.Embedding(9, 8, name="kinds")(j)])
    x = layers.Dense(5, name="mixed")(x)
    x = layers.Dense(2, name="out")(layers.Flatten()(x))
    model = keras.Model([i, j], x)
    randomize(model)
    analysis = analysed(model, family)
    free = {g.id: (g.channels, g.producers) for g in analysis.groups if g.prunable}
    assert free == {"numbers": (8, ("numbers", "kinds")), "mixed": (5, ("mixed",))}
    assert analysis.profile.layer("numbers").flops == 2 * 4 * 8
    made = cut(analysis, {"numbers": [0, 3, 4, 6], "mixed": [1, 2]})
    assert [w.shape for w in made.model.get_layer("numbers").get_weights()] == [(4, 4)] * 2
    assert self_check(analysis, made).max_abs_error < 1e-5
