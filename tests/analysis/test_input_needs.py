"""What models do first with their input, in both Kerases."""

from collections.abc import Callable
from typing import Any

import pytest

from pruning.analysis.input_needs import InputNeeds
from pruning.intake.check import model_input
from tests.models import FAMILIES, keras_of
from tests.surgery.cases import analysed


def picture(first: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """A model of pictures that begins with ``first``."""

    def build(keras: Any) -> Any:
        inputs = keras.Input((8, 8, 3))
        x = keras.layers.Conv2D(2, 3, name="conv")(first(keras, inputs))
        x = keras.layers.GlobalAveragePooling2D()(x)
        return keras.Model(inputs, keras.layers.Dense(2, activation="softmax", name="out")(x))

    return build


def text(first: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """A model of tokens that begins with ``first``."""

    def build(keras: Any) -> Any:
        inputs = keras.Input((6,), dtype="int32")
        x = keras.layers.GlobalAveragePooling1D()(first(keras, inputs))
        return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="out")(x))

    return build


def nested(keras: Any, x: Any) -> Any:
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Rescaling(1 / 255)])
    return inner(keras.layers.RandomFlip()(x))


def two_tables(keras: Any, x: Any) -> Any:
    tables = [keras.layers.Embedding(size, 4, name=f"table{size}")(x) for size in (50, 40)]
    return keras.layers.Add()(tables)


CASES = {
    "plain": (picture(lambda keras, x: x), InputNeeds()),
    "rescaling": (picture(lambda keras, x: keras.layers.Rescaling(1 / 255)(x)), InputNeeds(True)),
    "normalization": (
        picture(lambda keras, x: keras.layers.Normalization(mean=1.0, variance=4.0)(x)),
        InputNeeds(True),
    ),
    "later rescaling": (
        picture(lambda keras, x: keras.layers.Rescaling(2.0)(keras.layers.ReLU()(x))),
        InputNeeds(),
    ),
    "padding, then rescaling": (
        picture(lambda keras, x: keras.layers.Rescaling(2.0)(keras.layers.ZeroPadding2D()(x))),
        InputNeeds(True),
    ),
    "augmentation, then nested rescaling": (picture(nested), InputNeeds(True)),
    "arithmetic": (picture(lambda keras, x: x / 127.5 - 1.0), InputNeeds(True)),
    "embedding": (
        text(lambda keras, x: keras.layers.Embedding(50, 4, name="table")(x)),
        InputNeeds(vocabulary=50),
    ),
    "two embeddings": (text(two_tables), InputNeeds(vocabulary=40)),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", CASES)
def test_what_the_first_layers_need(name: str, family: str) -> None:
    build, needs = CASES[name]
    profile = analysed(build(keras_of(family)), family).profile
    assert InputNeeds(profile.scales_itself, profile.vocabulary) == needs
    wanted = model_input(profile)
    assert (wanted.scales_itself, wanted.vocabulary) == (needs.scales_itself, needs.vocabulary)
    assert wanted.activation == profile.output_activation
    assert wanted.outputs == profile.outputs[0].shape
