"""One forward pass: inputs by key, and layers that remember."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.frameworks._base import framework
from pruning.frameworks.running import answer, answers, takes_samples_for_a_bias
from pruning.training.first_step import early_first_step
from tests.models import FAMILIES, build, keras_of


def test_inputs_of_a_model_that_is_called_with_a_dict() -> None:
    """Keras 3 sorts the keys in ``model.inputs``, but wants the model's own dict."""
    import keras

    b, a = keras.Input((3,), name="b"), keras.Input((2,), name="a")
    y = keras.layers.Concatenate(name="join")([b, a])
    model = keras.Model({"b": b, "a": a}, {"y": y})
    assert [tensor.name for tensor in model.inputs] == ["a", "b"]
    given = [np.full((1, 2), 7.0), np.full((1, 3), 5.0)]
    np.testing.assert_array_equal(answer(model, given)["y"], [[5, 5, 5, 7, 7]])


@pytest.mark.parametrize("family", FAMILIES)
def test_stateful_layers_forget_what_they_saw(family: str) -> None:
    keras = keras_of(family)
    i = keras.Input(batch_shape=(2, 3, 2), name="frames")
    x = keras.layers.Bidirectional(keras.layers.GRU(4, stateful=True, return_sequences=True))(i)
    inner = keras.Sequential([keras.layers.LSTM(3, stateful=True, name="lstm")], name="inner")
    model = keras.Model(i, inner(x))
    frames = [np.random.default_rng(0).normal(size=(2, 3, 2)).astype("float32")]
    first = np.asarray(answer(model, frames))
    assert np.abs(np.asarray(model(frames[0])) - first).max() > 1e-6
    np.testing.assert_array_equal(np.asarray(answer(model, frames)), first)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_one_value_a_sample_is_added_to_its_own_sample(family: str, nested: bool) -> None:
    """Four values for four samples of four rows: Keras 3 alone would add them row by row."""
    layers = keras_of(family).layers
    rows, value = layers.Input((4, 3)), layers.Input((1, 1))
    model = keras_of(family).Model([rows, value], layers.Add()([rows, value]))
    if nested:
        given = [layers.Input((4, 3)), layers.Input((1, 1))]
        model = keras_of(family).Model(given, model(given))
    assert takes_samples_for_a_bias(model) == (family == "keras3")
    x = np.random.default_rng(0).normal(size=(4, 4, 3)).astype("float32")
    y = np.arange(4, dtype="float32").reshape(4, 1, 1)
    np.testing.assert_array_equal(np.asarray(answer(model, [x, y])), x + y)
    model.compile(loss="mse")
    early = early_first_step(model, framework(family))
    assert bool(early) == (family == "tf_keras")


@pytest.mark.parametrize("family", FAMILIES)
def test_sums_of_equal_shapes_need_no_graph(family: str) -> None:
    for name in ("residual_identity", "operators", "many_inputs_outputs", "attention"):
        assert not takes_samples_for_a_bias(build(name, family))


@pytest.mark.parametrize("family", FAMILIES)
def test_nested_answers_are_in_the_order_of_the_outputs(family: str) -> None:
    keras = keras_of(family)
    i = keras.Input((3,))
    outputs = {"b": i * 2.0, "a": (i * 3.0, [i * 4.0, i * 5.0])}
    values = answers(keras.Model(i, outputs), [np.ones((2, 3), "float32")])
    assert [float(np.asarray(value)[0, 0]) for value in values] == [3, 4, 5, 2]


def test_inputs_that_are_nested_deeper_are_found() -> None:
    keras = keras_of("keras3")
    first, second, third = (keras.Input((1,), name=name) for name in "abc")
    for nest in ({"q": third, "p": [first, second]}, [[first, second], third], [first, (second,)]):
        model = keras.Model(nest, [tensor * 2.0 for tensor in keras.tree.flatten(nest)])
        given = [np.full((1, 1), float(n), "float32") for n in range(len(model.inputs))]
        values = answers(model, given)
        assert [float(value[0, 0]) for value in values] == [2.0 * n for n in range(len(given))]
