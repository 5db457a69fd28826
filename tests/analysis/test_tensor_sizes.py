"""FLOPs of one sample where it has several rows: counted by hand, 2 x multiply-adds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.models import FAMILIES, keras_of
from tests.surgery.cases import analysed
from tests.surgery.topologies_operators import operation

BOTH = pytest.mark.parametrize("family", FAMILIES)


def flops(model: Any, family: str) -> dict[str, int]:
    """FLOPs of the layers that have some."""
    return {
        layer.name: layer.flops for layer in analysed(model, family).profile.layers if layer.flops
    }


def branches(keras: Any, way: str) -> Any:
    """A dense layer on three branches at once, written before the samples."""
    i = keras.Input((10,), name="values")
    if way == "stacked":
        x = operation(keras, "stack")([i, i, i], 0)
    elif way == "joined":
        x = keras.layers.Concatenate(axis=0)([i, i, i])
    elif way == "joined by operation":
        x = operation(keras, "concatenate" if hasattr(keras, "ops") else "concat")([i, i, i], 0)
    elif way == "repeated":
        x = operation(keras, "repeat")(i, 3, axis=0)
    else:
        x = operation(keras, "tile")(i, (3, 1))
    x = keras.layers.Dense(7, name="each")(x)
    x = operation(keras, "sum")(operation(keras, "reshape")(x, (3, -1, 7)), axis=0)
    return keras.Model(i, keras.layers.Dense(2, name="once")(x))


@BOTH
@pytest.mark.parametrize("way", ["stacked", "joined", "joined by operation", "repeated", "tiled"])
def test_rows_that_belong_to_one_sample_are_all_counted(way: str, family: str) -> None:
    found = flops(branches(keras_of(family), way), family)
    assert found == {"each": 3 * 2 * 10 * 7, "once": 2 * 7 * 2}


@BOTH
def test_steps_before_the_samples_are_all_counted(family: str) -> None:
    keras = keras_of(family)
    turn = operation(keras, "transpose")
    i = keras.Input((6, 10))
    x = turn(keras.layers.Dense(7, name="steps")(turn(i, (1, 0, 2))), (1, 0, 2))
    x = keras.layers.Flatten()(x)
    model = keras.Model(i, keras.layers.Dense(2, name="once")(x))
    assert flops(model, family) == {"steps": 6 * 2 * 10 * 7, "once": 2 * 42 * 2}


def test_recurrent_steps_before_the_samples_are_all_counted() -> None:
    import tensorflow as tf

    keras = keras_of("tf_keras")
    i = keras.Input((6, 5))
    x = keras.layers.SimpleRNN(4, time_major=True, name="rnn")(tf.transpose(i, (1, 0, 2)))
    model = keras.Model(i, keras.layers.Dense(2, name="once")(x))
    assert flops(model, "tf_keras") == {"rnn": 6 * 2 * (5 + 4) * 4, "once": 2 * 4 * 2}


@BOTH
def test_dimensions_that_a_layer_leaves_open_are_counted_as_they_are(family: str) -> None:
    """``EinsumDense(output_shape=(None, …))`` hides the number of steps from Keras 3."""
    keras = keras_of(family)
    i = keras.Input((6, 8))
    heads = [
        keras.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 4), name=name)(i)
        for name in ("query", "key")
    ]
    scores = operation(keras, "einsum")("bqhd,bkhd->bhqk", *heads)
    scores = operation(keras, "mean")(scores, axis=(2, 3))
    x = keras.layers.Dense(2, name="once")(scores)
    found = flops(keras.Model(i, x), family)
    product = next(value for name, value in found.items() if "einsum" in name)
    assert product == 2 * 6 * 6 * 2 * 4
    assert found["query"] == found["key"] == 6 * 2 * 8 * 2 * 4
