"""Gradients of narrow strided 1×1 convolutions, beside those computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.frameworks._base import framework
from pruning.frameworks.strided import sound_gradients

FAMILIES = ["keras3", "tf_keras"]
# (shape of a sample, strides): those that made TensorFlow 2.21 die or answer wrongly, and others.
CASES = [((60, 60, 3), 2), ((28, 28, 5), 2), ((9, 64, 15), (3, 2)), ((4001, 8), 2)]


def model_of(keras, shape, strides, *, wrapped=False, **options):
    kind = keras.layers.Conv2D if len(shape) == 3 else keras.layers.Conv1D
    layer = kind(4, 1, strides=strides, name="narrow", bias_initializer="ones", **options)
    if wrapped:
        i = keras.Input((3, *shape))
        return keras.Model(i, keras.layers.TimeDistributed(layer)(i))
    i = keras.Input(shape)
    return keras.Model(i, layer(i))


def kernel_gradient(model, x, slopes, door, *, graph):
    """Of sum(slopes × output), by the first weight. -> its shape."""
    import tensorflow as tf

    def run(values):
        kernel = model.trainable_weights[0]
        kernel = kernel.value if door.family == "keras3" else kernel
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(model(values, training=True) * slopes)
        return tape.gradient(total, kernel)

    with sound_gradients(model, door):
        return np.asarray((tf.function(run) if graph else run)(tf.constant(x)))


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("padding", ["same", "valid", "causal"])
@pytest.mark.parametrize(("shape", "strides"), CASES)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_is_the_sum_over_the_pixels_that_are_left(
    family, shape, strides, padding, graph
):
    if padding == "causal" and len(shape) == 3:
        padding = "same"
    door = framework(family)
    model = model_of(door.keras, shape, strides, padding=padding)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, *shape)).astype("float32")
    slopes = rng.normal(size=np.shape(model(x))).astype("float32")
    found = kernel_gradient(model, x, slopes, door, graph=graph)
    steps = strides if isinstance(strides, tuple) else (strides,) * (len(shape) - 1)
    left = x[(slice(None), *(slice(None, None, step) for step in steps))]
    axes = list(range(len(shape)))
    expected = np.tensordot(left.astype(float), slopes.astype(float), (axes, axes))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_model_computes_stays_and_so_does_the_model(family):
    door = framework(family)
    model = model_of(door.keras, (9, 12, 3), 2, activation="relu", padding="same")
    layer = model.get_layer("narrow")
    x = np.random.default_rng(1).normal(size=(2, 9, 12, 3)).astype("float32")
    before = np.asarray(model(x))
    with sound_gradients(model, door), sound_gradients(model, door):
        np.testing.assert_allclose(np.asarray(model(x)), before, atol=1e-6)
        assert "call" in vars(layer)
    assert "call" not in vars(layer)
    assert tuple(layer.strides) == (2, 2)
    np.testing.assert_array_equal(np.asarray(model(x)), before)


@pytest.mark.parametrize("family", FAMILIES)
def test_wrapped_layers_are_met_and_others_left_alone(family):
    door = framework(family)
    keras = door.keras

    def touched(model, layer):
        with sound_gradients(model, door):
            return "call" in vars(layer)

    wrapped = model_of(keras, (8, 8, 3), 2, wrapped=True)
    assert touched(wrapped, wrapped.layers[-1].layer)
    for shape, strides, options in [
        ((8, 8, 16), 2, {}),
        ((8, 8, 3), 1, {}),
        ((8, 8, 4), 2, {"groups": 2}),
        ((3, 8, 8), 2, {"data_format": "channels_first"}),
    ]:
        model = model_of(keras, shape, strides, **options)
        assert not touched(model, model.get_layer("narrow"))
    i = keras.Input((8, 8, 3))
    wide = keras.Model(i, keras.layers.Conv2D(4, 3, strides=2, name="narrow")(i))
    assert not touched(wide, wide.get_layer("narrow"))
