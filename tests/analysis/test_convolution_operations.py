"""Convolutions with a kernel that is written down: their work, and what to do about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.models import FAMILIES, keras_of
from tests.surgery.cases import analysed

ADVICE = "Put a convolution layer with this kernel in its place to remove channels."


def _ones(*shape: int) -> np.ndarray:
    return np.ones(shape, "float32")


def _called(keras: Any, kind: str, x: Any) -> Any:
    """(8, 8, 6) -> (8, 8, 5), or (16, 16, 5) transposed."""
    if hasattr(keras, "ops"):
        return {
            "plain": lambda: keras.ops.conv(x, _ones(3, 3, 6, 5), padding="same"),
            "transposed": lambda: keras.ops.conv_transpose(
                x, _ones(3, 3, 5, 6), strides=2, padding="same"
            ),
            "separable": lambda: keras.ops.separable_conv(
                x, _ones(3, 3, 6, 1), _ones(1, 1, 6, 5), padding="same"
            ),
        }[kind]()
    import tensorflow as tf

    return {
        "plain": lambda: tf.nn.conv2d(x, _ones(3, 3, 6, 5), 1, "SAME"),
        "transposed": lambda: tf.nn.conv2d_transpose(
            x, _ones(3, 3, 5, 6), [1, 16, 16, 5], strides=2
        ),
        "separable": lambda: tf.nn.separable_conv2d(
            x, _ones(3, 3, 6, 1), _ones(1, 1, 6, 5), [1, 1, 1, 1], "SAME"
        ),
    }[kind]()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("kind", "multiply_adds"),
    [
        ("plain", 8 * 8 * 3 * 3 * 6 * 5),
        ("transposed", 8 * 8 * 3 * 3 * 6 * 5),
        ("separable", 8 * 8 * (3 * 3 * 6 + 6 * 5)),
    ],
)
def test_what_they_read_stays_and_their_work_counts(
    family: str, kind: str, multiply_adds: int
) -> None:
    keras = keras_of(family)
    i = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, padding="same", name="before")(i)
    x = keras.layers.GlobalAveragePooling2D()(_called(keras, kind, x))
    profile = analysed(keras.Model(i, keras.layers.Dense(2, name="out")(x)), family).profile
    (group,) = (group for group in profile.groups if group.id == "before")
    assert (group.prunable, group.channels) == (False, 6)
    assert str(group.reason).endswith(ADVICE)
    (operation,) = (layer for layer in profile.layers if layer.flops and not layer.params)
    assert operation.flops == 2 * multiply_adds
    assert str(operation.reason).endswith(ADVICE)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_kernel_that_is_computed_is_told_so(family: str) -> None:
    keras = keras_of(family)
    i, j = keras.Input(batch_shape=(1, 8, 8, 3)), keras.Input(batch_shape=(1, 4))
    x = keras.layers.Conv2D(2, 3, padding="same", name="before")(i)
    made = keras.layers.Dense(3 * 3 * 2 * 5, name="made")(j)
    if family == "keras3":
        x = keras.ops.conv(x, keras.ops.reshape(made, (3, 3, 2, 5)))
    else:
        import tensorflow as tf

        x = tf.nn.conv2d(x, tf.reshape(made, (3, 3, 2, 5)), 1, "VALID")
    x = keras.layers.Dense(2, name="out")(keras.layers.GlobalAveragePooling2D()(x))
    groups = {g.id: g for g in analysed(keras.Model([i, j], x), family).groups}
    assert str(groups["before"].reason).endswith("its kernel is computed by other layers.")
