"""Products of two tensors: what they hand on can go, what they sum over stays; their FLOPs."""

from __future__ import annotations

import pytest

from pruning.surgery.channels import cut
from pruning.surgery.self_check import self_check
from tests.models import FAMILIES, keras_of, randomize
from tests.surgery.cases import analysed, build
from tests.surgery.topologies_operators import operation
from tests.surgery.topologies_products import NODES, STEPS

FREE = {
    "attended_values": {"v", "m", "top"},
    "additive_attention": {"q", "r", "v"},
    "heads_by_hand": {"stem", "wide_v", "narrow_k"},
    "graph_convolution": {"first", "second", "third", "fourth"},
    "context": {"encoder", "hide", "top"},
    "summed_channels": {"free", "d"},
    "own_norms": {"free", "top"},
    "fixed_graph": {"first", "second"},
    "scores_of_heads": {
        *("of_heads", "attention", "attention#2", "attention#3"),
        *("unread", "unread#2", "unread#3"),
    },
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", FREE)
def test_which_channels_can_go(name, family):
    groups = analysed(build(name, family), family).groups
    # In tf_keras the scale of additive attention is as long as the values are wide.
    tied = {"v"} if (name, family) == ("additive_attention", "tf_keras") else set()
    assert {group.id for group in groups if group.prunable} == FREE[name] - tied


ASKED = {
    "summed_channels": {"a": "summed"},
    "towers": {"v": "summed", "a": "summed", "c": "summed", "e": "summed"},
    "own_norms": {"one": "inexact", "two": "inexact"},
    "heads_by_hand": {"wide_k": "summed"},
    "projected": {"first": "summed", "second": "summed"},
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ASKED)
def test_what_is_summed_up_goes_on_request(name, family):
    groups = analysed(build(name, family), family).groups
    assert {g.id: g.on_request for g in groups if g.on_request} == ASKED[name]


@pytest.mark.parametrize("family", FAMILIES)
def test_heads_go_whole_when_there_are_more_than_they_are_wide(family):
    groups = {g.id: g for g in analysed(build("heads_by_hand", family), family).groups}
    assert groups["narrow_k"].channels == 6
    assert {"narrow_q", "narrow_k", "narrow_v", "narrow_out"} <= set(groups["narrow_k"].layers)
    assert groups["wide_v"].channels == 4


@pytest.mark.parametrize("family", FAMILIES)
def test_flops_by_hand(family):
    def of(name):
        profile = analysed(build(name, family), family).profile
        return {layer.name: layer.flops for layer in profile.layers}

    flops = of("graph_convolution")
    assert flops["dot"] == 2 * NODES * NODES * 5
    assert flops["nodes_first"] == 2 * NODES * NODES * 4
    flops = of("attended_values")
    assert flops["scaled"] == 2 * STEPS * STEPS * (5 + 7)
    flops = of("summed_channels")
    assert flops["cosine"] == 2 * STEPS * STEPS * 5
    product = next(name for name in flops if "matmul" in name)
    assert flops[product] == 2 * STEPS * 4 * 3
    flops = of("fixed_graph")
    products = [count for name, count in flops.items() if "matmul" in name]
    assert products == [2 * STEPS * NODES * NODES * 5] * 2


@pytest.mark.parametrize("family", FAMILIES)
def test_a_product_with_itself_goes_on_request(family):
    keras = keras_of(family)
    layers = keras.layers
    i = keras.Input((STEPS, 4), name="frames")
    x = layers.Dense(6, name="same")(i)
    y = layers.Dot(axes=2, name="gram")([x, x])
    free = layers.Dense(5, name="free")(y)
    model = keras.Model(i, layers.Dense(2, name="out")(free))
    groups = {g.id: g for g in analysed(model, family).groups}
    assert not groups["same"].prunable
    assert groups["same"].on_request == "summed"
    assert "sums over these channels" in groups["same"].reason
    assert groups["free"].prunable


def test_heads_of_the_attention_operation_go_where_its_scale_is_not_written():
    groups = {g.id: g for g in analysed(build("operations_of_keras_3", "keras3"), "keras3").groups}
    assert (groups["v2"].channels, groups["v2"].prunable) == (2, True)
    assert {"q2", "k2", "v2", "logits"} <= set(groups["v2"].layers)
    assert groups["v1"].on_request == "summed"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("reader", ["dot", "matrix product"])
def test_a_computed_matrix_loses_what_it_makes_where_what_it_reads_stays(
    family: str, reader: str
) -> None:
    """PointNet's transform of its input points: a dense layer's units as (read, made)."""
    keras = keras_of(family)
    layers = keras.layers
    i = keras.Input((10, 3), name="points")
    x = layers.GlobalMaxPooling1D(name="pool")(layers.Conv1D(6, 1, name="conv")(i))
    matrix = layers.Reshape((3, 4), name="matrix")(layers.Dense(12, name="transform")(x))
    if reader == "dot":
        x = layers.Dot((2, 1), name="moved")([i, matrix])
    else:
        x = operation(keras, "matmul")(i, matrix)
    x = layers.GlobalMaxPooling1D(name="max")(layers.Conv1D(5, 1, name="next")(x))
    model = keras.Model(i, layers.Dense(2, name="out")(x))
    randomize(model)
    analysis = analysed(model, family)
    groups = {group.id: group for group in analysis.groups}
    assert groups["transform"].prunable
    assert groups["transform"].channels == 4
    made = cut(analysis, {"transform": [1, 3], "conv": [0, 2, 5]})
    assert self_check(analysis, made).max_abs_error < 1e-5
    assert made.model.get_layer("next").kernel.shape == (1, 2, 5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_single_map_of_weights_is_not_told_to_be_one_of_two_widths(family):
    """A global context: the weights of all positions are one unit's."""
    keras = keras_of(family)
    i = keras.Input((6, 4))
    x = keras.layers.Dense(5, name="values")(i)
    share = keras.layers.Softmax(axis=1)(keras.layers.Dense(1, name="map")(x))
    context = keras.layers.Dot((1, 1), name="context")([x, share])
    out = keras.layers.Dense(2, name="out")(keras.layers.Flatten()(context))
    groups = {g.id: g for g in analysed(keras.Model(i, out), family).groups}
    assert groups["values"].prunable
    assert groups["map"].reason == "This single channel is combined with many channels."
