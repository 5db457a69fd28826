"""Names are refused exactly when Keras 3 cannot predict with them."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from pruning.errors import ModelFileError
from pruning.frameworks.names import require_graph_names
from tests.models import keras_of

NAMES = ("conv_1", "a-b.c>d", "9x", "conv 1", "<img>", "ünï", "_x", "conv:1", "(x)", "-x", "a\\b")


@pytest.mark.parametrize("name", NAMES)
def test_refused_exactly_when_keras_3_cannot_predict(name: str) -> None:
    keras = keras_of("keras3")
    start = keras.Input((2,))
    model = keras.Model(start, keras.layers.Dense(1, name=name)(start))
    try:
        model.predict(np.zeros((1, 2)), verbose=0)
        runs = True
    except (ValueError, tf.errors.InvalidArgumentError):
        runs = False
    if runs:
        require_graph_names(model.layers)
    else:
        with pytest.raises(ModelFileError) as refused:
            require_graph_names(model.layers)
        assert repr(name) in refused.value.happened


@pytest.mark.parametrize("name", ["conv 1", "<img>", "_x"])
def test_tf_keras_does_not_build_such_a_model(name: str) -> None:
    keras = keras_of("tf_keras")
    with pytest.raises(ValueError, match="not a valid"):
        keras.layers.Dense(1, name=name)(keras.Input((2,)))


def test_many_names_are_counted() -> None:
    layers = [SimpleNamespace(name=f"bad {number}") for number in range(5)]
    with pytest.raises(ModelFileError, match=r"'bad 0', 'bad 1', 'bad 2' and 2 more"):
        require_graph_names(layers)
