"""Functions that are called on tensors, of Keras 3's NumPy kind and of TensorFlow's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_EIGHT = np.arange(1.0, 9.0, dtype="float32") / 8


def normalised_by_hand(keras: Any) -> Any:
    """Batch normalization and the like with vectors that are written into the call."""
    layers, ops = keras.layers, keras.ops
    i = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="first")(i)
    x = ops.batch_normalization(x, _EIGHT, _EIGHT + 1, -1, offset=-_EIGHT, scale=2 * _EIGHT)
    x = ops.layer_normalization(ops.relu(x), axis=(1, 2))
    x = layers.Conv2D(8, 3, name="second")(x)
    x = ops.batch_normalization(x, _EIGHT - 1, _EIGHT, axis=3)
    x = ops.average(ops.ptp(x, axis=1), axis=1, weights=np.arange(1.0, 7.0))
    return keras.Model(i, layers.Dense(3, name="out")(x))


def split_and_turned(keras: Any) -> Any:
    """Parts of channels and of positions, side by side, turned round, chosen by a condition."""
    layers, ops = keras.layers, keras.ops
    i = keras.Input((6, 6, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="first")(i)
    left, right = ops.array_split(x, 2, axis=-1)
    x = ops.select([left > 0, right < 0], [left, 0.5 * right], 0.25)
    up, down = ops.hsplit(layers.Conv2D(6, 1, name="second")(x), 2)
    x = layers.Conv2D(5, 1, name="third")(ops.dstack([up, ops.flipud(down)]))
    x = ops.fft(tuple(ops.transpose(y, (0, 3, 1, 2)) for y in ops.array_split(x, 2, axis=2)))[1]
    x = ops.transpose(ops.tril(x), (0, 2, 3, 1))
    x = ops.fliplr(ops.mean(layers.Conv2D(7, 2, name="fourth")(x), axis=(1, 2)))
    x = ops.dsplit(ops.expand_dims(x, 1), [2, 5])
    x = layers.Concatenate(name="joined")([x[2], x[0]])
    return keras.Model(i, layers.Dense(3, name="out")(x))


def tensorflow_functions(keras: Any) -> Any:
    """What networks of TensorFlow 1 are written with."""
    import tensorflow as tf

    layers = keras.layers
    i = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="first")(i)
    x = tf.nn.crelu(tf.ensure_shape(tf.nn.bias_add(x, tf.constant(_EIGHT)), (None, 8, 8, 8)))
    x = tf.compat.v1.image.resize_bilinear(x, (4, 4), align_corners=True)
    x = layers.Conv2D(6, 1, name="second")(tf.image.adjust_contrast(x, 2.0))
    x = tf.linalg.band_part(tf.transpose(x, (0, 3, 1, 2)), 1, 1)
    x = tf.math.real(tf.signal.fft2d(tf.cast(x, "complex64")))
    x = layers.Conv2D(5, 2, name="third")(tf.transpose(x, (0, 2, 3, 1)))
    return keras.Model(i, layers.Dense(3, name="out")(layers.Flatten(name="flatten")(x)))


def put_in_and_measured(keras: Any) -> Any:
    """Values put into others, edges of images, steps that are added up, distances of rows."""
    layers, ops = keras.layers, keras.ops
    i = keras.Input((6, 6, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="first")(i)
    part = layers.Conv2D(3, 3, padding="same", name="part")(i)[:, 1:4, 2:6]
    x = ops.relu(ops.slice_update(x, [0, 1, 2, 4], part))
    edges = ops.image.sobel_edges(layers.Conv2D(5, 1, name="second")(x))
    x = ops.trapezoid(ops.view(edges[..., 0], dtype="float32"), axis=2)
    rows = layers.Dense(7, name="rows")(x)
    far = ops.cdist(rows, layers.Dense(7, name="others")(x[:, :4]))
    x = layers.Concatenate(name="join")([x, rows, far])
    return keras.Model(i, layers.Dense(3, name="out")(layers.Flatten(name="flatten")(x)))


def tensorflow_positions(keras: Any) -> Any:
    """Images and matrices turned over, positions picked, sequences turned round in part."""
    import tensorflow as tf

    layers = keras.layers
    i = keras.Input((6, 8, 3), name="image")
    x = tf.image.transpose(layers.Conv2D(8, 3, name="first")(i))
    mean, variance = tf.nn.moments(x, axes=[1, 2], keepdims=True)
    x = tf.image.resize_with_pad((x - mean) / tf.sqrt(variance + 0.01), 4, 6)
    x = layers.Conv2D(6, 1, name="second")(x)
    x = tf.gather_nd(x, [[[0, 1], [3, 5], [2, 2]]] * 4, batch_dims=1)
    x = tf.reverse_sequence(x, [1, 3, 2, 3], seq_axis=1)
    x = tf.bitcast(layers.Conv1D(5, 1, name="third")(tf.math.conj(x)), tf.float32)
    x = tf.linalg.matrix_transpose(tf.linalg.matrix_transpose(x) + 1.0)
    return keras.Model(i, layers.Dense(3, name="out")(layers.Flatten(name="flatten")(x)))


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        normalised_by_hand,
        split_and_turned,
        tensorflow_functions,
        put_in_and_measured,
        tensorflow_positions,
    )
}
ONLY = {
    "normalised_by_hand": "keras3",
    "split_and_turned": "keras3",
    "tensorflow_functions": "tf_keras",
    "put_in_and_measured": "keras3",
    "tensorflow_positions": "tf_keras",
}
