"""Where the channels of a group are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.analysis.calibration._places import layers_behind, places
from pruning.analysis.profiler import Analysis
from tests.analysis.calibration.small import analysed, built, pictures
from tests.models import FAMILIES, keras_of

BOTH = pytest.mark.parametrize("family", FAMILIES)


def seen(analysis: Analysis) -> dict[str, list[tuple[str, str]]]:
    """(producer, layer whose output is looked at) by group."""
    makers = {
        id(tensor): analysis.traced.layers[id(node.layer)].name
        for node in analysis.framework.nodes(analysis.flat)
        for tensor in node.outputs
    }
    return {
        group: [(place.producer, makers[id(place.tensor)]) for place in listed]
        for group, listed in places(analysis).items()
    }


@BOTH
def test_behind_the_first_activation(family: str) -> None:
    assert seen(pictures(family)) == {
        "c1": [("c1", "r1"), ("c2", "r2")],  # united by the addition: one place each
        "c3": [("c3", "c3")],  # its own activation
    }


@BOTH
def test_without_an_activation_what_the_first_reader_is_given(family: str) -> None:
    layers = keras_of(family).layers
    i = keras_of(family).Input((4, 4, 2))
    x = layers.BatchNormalization(name="bn")(layers.Conv2D(3, 1, name="bottleneck")(i))
    x = layers.Conv2D(2, 1, name="last")(x)
    x = layers.Flatten(name="flat")(x)
    analysis = analysed(keras_of(family).Model(i, layers.Dense(3, name="scores")(x)), family)
    assert seen(analysis) == {"bottleneck": [("bottleneck", "bn")], "last": [("last", "flat")]}
    (place,) = places(analysis)["last"]
    # (row, column, channel) in a row: channel 0 lies at 0, 2, 4, …
    assert place.positions.tolist() == [list(range(0, 32, 2)), list(range(1, 32, 2))]


@BOTH
def test_heads_are_in_no_tensor(family: str) -> None:
    found = seen(built("attention", family))
    assert found["attention"] == []  # the heads
    assert found["ffn1"] == [("ffn1", "ffn1")]


@BOTH
def test_both_directions_of_a_recurrent_layer_are_one_channel(family: str) -> None:
    layers = keras_of(family).layers
    i = keras_of(family).Input((5, 3))
    x = layers.Bidirectional(layers.LSTM(2), name="both")(i)
    analysis = analysed(keras_of(family).Model(i, layers.Dense(3)(x)), family)
    (place,) = places(analysis)["both"]
    assert place.positions.tolist() == [[0, 2], [1, 3]]


@BOTH
def test_a_shared_layer_has_a_place_for_every_call(family: str) -> None:
    layers = keras_of(family).layers
    i = keras_of(family).Input((4,))
    shared = layers.Dense(4, name="shared")
    x = layers.ReLU(name="first")(shared(i))
    y = layers.ReLU(name="second")(shared(layers.Dense(4, name="other")(i)))
    x = layers.Dense(3, name="scores")(layers.Concatenate(name="join")([x, y]))
    analysis = analysed(keras_of(family).Model(i, x), family)
    assert sorted(seen(analysis)["shared"]) == [("shared", "first"), ("shared", "second")]


@BOTH
def test_what_channels_go_through_begins_with_their_maker(family: str) -> None:
    ways = layers_behind(pictures(family))["c1"]
    names = [[record.name for record in way] for way in ways]
    assert [way[:2] for way in names] == [["c1", "c1_bn"], ["c2", "c2_bn"]]
    assert names[1][2:] == ["add", "r2"]


@BOTH
def test_positions_are_in_the_order_of_the_groups_channels(family: str) -> None:
    """Behind a concatenation a group has a part of the axis."""
    layers = keras_of(family).layers
    i = keras_of(family).Input((4,))
    x = layers.Dense(2, name="a")(i)
    y = layers.Dense(3, name="b")(i)
    x = layers.Concatenate(name="join")([x, y])
    x = layers.ReLU(name="relu")(x)
    analysis = analysed(keras_of(family).Model(i, layers.Dense(3, name="scores")(x)), family)
    found = places(analysis)
    assert np.concatenate([found["a"][0].positions, found["b"][0].positions]).ravel().tolist() == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip
