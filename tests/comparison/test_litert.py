"""LiteRT says what Keras says, for layers of every kind that the studio meets."""

import numpy as np
import pytest
import tensorflow as tf

from pruning.comparison.litert import Interpreter, convert
from tests.models import FAMILIES, build, keras_of, outputs, samples

# One of each kind that takes another path through the converter; an LSTM is in test_latency.
NAMES = ["mobile", "grouped", "many_inputs_outputs", "gru", "attention", "nested_functional"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", NAMES)
def test_litert_equals_keras(name: str, family: str) -> None:
    model = build(name, family)
    inputs = samples(model, 2)
    expected = outputs(model, inputs)
    interpreter = Interpreter(convert(model, [value.shape[1:] for value in inputs]))
    for row in range(2):
        interpreter.feed([value[row : row + 1] for value in inputs])
        interpreter.invoke()
        for found, wanted in zip(interpreter.outputs(), expected, strict=True):
            np.testing.assert_allclose(found[0], wanted[row], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_inputs_keep_their_names(family: str) -> None:
    """Also one that TensorFlow does not allow: who reads the file tells the inputs apart."""
    layers = keras_of(family).layers
    given = [layers.Input((3,), name=name) for name in ("tokens", "a fact", "a_fact", "_2")]
    model = keras_of(family).Model(given, layers.Concatenate()(given))
    reader = tf.lite.Interpreter(model_content=convert(model, [(3,)] * 4))
    found = [each["name"] for each in reader.get_input_details()]
    assert found == ["tokens", "a_fact", "a_fact_2", "2"]


def test_weights_do_not_vanish() -> None:
    """Another seed gives other outputs: constants were frozen, not left at zero."""
    found = []
    for seed in (0, 1):
        model = build("lstm", "tf_keras", seed)
        inputs = samples(model, 1)
        interpreter = Interpreter(convert(model, [value.shape[1:] for value in inputs]))
        interpreter.feed(inputs)
        interpreter.invoke()
        found.append(interpreter.outputs()[0])
    assert np.abs(found[0] - found[1]).max() > 1e-3
