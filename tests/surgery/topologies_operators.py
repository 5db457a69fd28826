"""Operators: shapes and constants written into calls, channels split and shuffled. Both Kerases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _image(keras: Any) -> Any:
    return keras.Input((8, 8, 3), name="image")


def _pooled(keras: Any, x: Any) -> Any:
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.layers.Dense(3, activation="softmax", name="logits")(x)


def constant(keras: Any, values: Any) -> Any:
    """A constant as that Keras takes it."""
    if hasattr(keras, "ops"):
        return np.array(values, "float32")
    import tensorflow as tf

    return tf.constant(values, "float32")


def operation(keras: Any, name: str) -> Callable[..., Any]:
    """``keras.ops.<name>``, or TensorFlow's operator of that meaning."""
    if hasattr(keras, "ops"):
        return getattr(keras.ops, name)
    import tensorflow as tf

    return {
        "depth_to_space": tf.nn.depth_to_space,
        "space_to_depth": tf.nn.space_to_depth,
        "sum": tf.reduce_sum,
        "mean": tf.reduce_mean,
        "max": tf.reduce_max,
        "take": tf.gather,
        "flip": tf.reverse,
        "top_k": tf.math.top_k,
        "moments": tf.nn.moments,
    }.get(name) or getattr(tf, name)


def shuffle(keras: Any) -> Any:
    """A channel shuffle between two grouped convolutions, by layers and by operators."""
    layers, reshape = keras.layers, operation(keras, "reshape")
    i = _image(keras)
    x = layers.Conv2D(8, 1, groups=1, name="stem")(i)
    x = layers.Reshape((8, 8, 2, 4), name="parts")(x)
    x = layers.Permute((1, 2, 4, 3), name="swap")(x)
    x = layers.Reshape((8, 8, 8), name="joined")(x)
    x = layers.Conv2D(6, 3, groups=2, name="grouped")(x)
    x = reshape(x, (-1, 6, 6, 2, 3))
    x = operation(keras, "transpose")(x, (0, 1, 2, 4, 3))
    x = reshape(x, (-1, 6, 6, 6))
    return keras.Model(i, _pooled(keras, layers.Conv2D(4, 1, name="top")(x)))


def constants(keras: Any) -> Any:
    """Factors and offsets with one value per channel, written into the operators."""
    i = _image(keras)
    x = keras.layers.Conv2D(4, 3, name="conv")(i)
    x = x * constant(keras, [1.0, 2.0, 3.0, 4.0]) - 0.25
    x = operation(keras, "add")(constant(keras, [[[0.5]], [[1.5]]] * 3), x)
    x = keras.layers.Conv2D(5, 1, name="second")(x)
    x = operation(keras, "maximum")(x, constant(keras, [-0.1, 0.1, 0.2, 0.0, -0.2]))
    values = constant(keras, np.arange(1.0, 181.0).reshape(6, 6, 5) / 90)
    x = operation(keras, "multiply")(values, x)
    return keras.Model(i, _pooled(keras, x))


def parts(keras: Any) -> Any:
    """Equal and unequal parts of the channels, and parts stacked on a new axis."""
    layers, split = keras.layers, operation(keras, "split")
    i = _image(keras)
    x = layers.Conv2D(8, 3, name="conv")(i)
    a, b = split(x, 2, axis=-1)
    x = layers.Multiply(name="gate")([a, layers.Activation("sigmoid", name="sigmoid")(b)])
    y = layers.Conv2D(7, 3, name="uneven")(x)
    sizes = [2, 5] if hasattr(keras, "ops") else [2, 3, 2]
    first, middle, last = split(y, sizes, axis=3)
    last = layers.Conv2D(3, 1, name="last")(last)
    stacked = operation(keras, "stack")([middle, last], axis=1)
    x = layers.GlobalMaxPooling3D(name="max")(stacked)
    x = layers.Concatenate(name="join")([x, layers.GlobalMaxPooling2D(name="max2")(first)])
    return keras.Model(i, layers.Dense(3, activation="softmax", name="logits")(x))


def super_resolution(keras: Any) -> Any:
    """Depth to space and back, and repeated channels."""
    layers = keras.layers
    i = _image(keras)
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="wide")(i)
    x = operation(keras, "depth_to_space")(x, 2)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="high")(x)
    x = operation(keras, "space_to_depth")(x, 2)
    x = operation(keras, "repeat")(x, 2, axis=-1)
    x = operation(keras, "tile")(x, [1, 1, 1, 2])
    x = _pool(keras)(x)
    return keras.Model(i, _pooled(keras, layers.Conv2D(5, 1, name="top")(x)))


def _pool(keras: Any) -> Callable[[Any], Any]:
    if hasattr(keras, "ops"):
        return lambda x: keras.ops.average_pool(keras.ops.image.resize(x, (6, 6)), 2)
    import tensorflow as tf

    return lambda x: tf.nn.avg_pool2d(tf.image.resize(x, (6, 6)), 2, 2, "VALID")


def _any_batch(keras: Any, x: Any) -> list[Any]:
    if hasattr(keras, "ops"):
        return [-1]
    import tensorflow as tf

    return [tf.shape(x)[0]]


def blurred(keras: Any) -> Any:
    """A fixed blur before the stride, then neighbourhoods that become channels."""
    layers = keras.layers
    i = _image(keras)
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv")(i)
    line = np.array([1.0, 2.0, 1.0]) / 4
    kernel = constant(keras, np.tile(np.outer(line, line)[..., None, None], (1, 1, 6, 1)))
    if hasattr(keras, "ops"):
        x = keras.ops.depthwise_conv(x, kernel, strides=2, padding="same")
        x = keras.ops.image.extract_patches(x, 2, padding="same")
    else:
        import tensorflow as tf

        x = tf.nn.depthwise_conv2d(x, kernel, [1, 2, 2, 1], "SAME")
        one = [1, 1, 1, 1]
        x = tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], one, "SAME")
    return keras.Model(i, _pooled(keras, layers.Dense(5, name="patches")(x)))


def written_widths(keras: Any) -> Any:
    """Widths written into reshapes inside a nested model that is called twice."""
    layers, reshape = keras.layers, operation(keras, "reshape")
    j = keras.Input((4, 4, 3), name="inner_image")
    x = layers.Conv2D(6, 1, name="conv")(j)
    x = reshape(x, [*_any_batch(keras, x), 16 * 6])
    inner = keras.Model(j, layers.Dense(5, activation="relu", name="hidden")(x), name="inner")
    left, right = keras.Input((4, 4, 3), name="left"), keras.Input((4, 4, 3), name="right")
    x = layers.Subtract(name="difference")([inner(left), inner(right)])
    return keras.Model([left, right], layers.Dense(2, name="out")(x))


def padded_shortcut(keras: Any) -> Any:
    """A shortcut without weights: fewer positions, and constant channels on both sides."""
    layers = keras.layers
    i = _image(keras)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")(i)
    y = layers.Conv2D(8, 3, strides=2, padding="same", name="branch")(x)
    s = layers.AveragePooling2D(2, name="fewer")(x)
    s = operation(keras, "pad")(s, [[0, 0], [0, 0], [0, 0], [1, 3]])
    x = layers.ReLU(name="relu")(layers.Add(name="add")([y, s]))
    return keras.Model(i, _pooled(keras, layers.Conv2D(5, 3, name="top")(x)))


def windows(keras: Any) -> Any:
    """An image cut into windows that become samples, as in Swin, and put together again."""
    layers = keras.layers
    reshape, transpose = operation(keras, "reshape"), operation(keras, "transpose")
    i = _image(keras)
    x = layers.Conv2D(6, 1, name="stem")(i)
    w = transpose(reshape(x, (-1, 2, 4, 2, 4, 6)), (0, 1, 3, 2, 4, 5))
    w = reshape(w, (-1, 16, 6))
    w = layers.Dense(5, activation="relu", name="inside")(w)
    w = layers.Dense(6, name="back")(layers.Concatenate(name="join")([w, w]))
    w = transpose(reshape(w, (-1, 2, 2, 4, 4, 6)), (0, 1, 3, 2, 4, 5))
    x = layers.Add(name="add")([x, reshape(w, (-1, 8, 8, 6))])
    return keras.Model(i, _pooled(keras, x))


def experts(keras: Any) -> Any:
    """Experts weighted by a gate along an axis of their own; a choice value by value."""
    layers = keras.layers
    i = keras.Input((9,), name="row")
    made = [layers.Dense(6, name=f"expert{n}")(i) for n in range(3)]
    gate = layers.Dense(3, activation="softmax", name="gate")(i)
    gate = layers.Reshape((3, 1), name="column")(gate)
    x = operation(keras, "stack")(made, axis=1) * gate
    x = layers.GlobalAveragePooling1D(name="mixed")(x)
    y = layers.Dense(6, name="other")(i)
    x = operation(keras, "where")(x > 0.1, x, 0.5 * y)
    return keras.Model(i, layers.Dense(2, name="out")(x))


def picked(keras: Any) -> Any:
    """Channels in a row, from the end, every second one, a single one, in reverse order."""
    layers = keras.layers
    i = _image(keras)
    film = layers.GlobalAveragePooling2D(name="condition")(i)
    film = layers.Dense(12, activation="relu", name="film")(film)
    x = layers.Conv2D(6, 3, name="conv")(i)
    x = x * film[:, None, None, :6] + film[:, None, None, 6:]
    y = layers.Conv2D(9, 1, name="wide")(x)
    first, last, middle = y[:, :, :, :2], y[:, :, :, -3:], y[:, :, :, 2:-3]
    x = layers.Concatenate(name="join")([layers.Conv2D(5, 1, name="more")(first), last])
    x = layers.Concatenate(name="all")([middle, x[:, :, :, ::-1]])
    z = layers.Conv2D(8, 1, name="pairs")(x)
    z = z[:, :, :, ::2] * layers.Activation("sigmoid", name="sigmoid")(z[:, :, :, 1::2])
    w = layers.Conv2D(5, 1, activation="sigmoid", name="weight")(x)
    zw = layers.Concatenate(name="one_more")([z, w[:, :, :, 1:2], w[:, :, :, 3][:, :, :, None]])
    return keras.Model(i, _pooled(keras, layers.Conv2D(4, 1, name="top")(zw)))


def repeated_weights(keras: Any) -> Any:
    """One weight a step, repeated for every channel, by a layer and by operators."""
    layers, repeat = keras.layers, operation(keras, "repeat")
    i = keras.Input((5, 4), name="frames")
    x = layers.Dense(6, activation="relu", name="read")(i)
    weights = layers.Flatten(name="flatten")(layers.Dense(1, name="energy")(x))
    weights = layers.Activation("softmax", name="softmax")(weights)
    weights = layers.RepeatVector(6, name="repeated")(weights)
    x = layers.Multiply(name="weighted")([x, layers.Permute((2, 1), name="turned")(weights)])
    x = layers.Dense(7, name="next")(x)
    gate = layers.Dense(1, activation="sigmoid", name="gate")(x)
    x = x * repeat(gate, 7, axis=2) + operation(keras, "tile")(gate, [1, 1, 7])
    x = layers.Dense(5, name="top")(x)
    encoded = layers.RepeatVector(3, name="steps")(layers.Flatten(name="all")(x))
    x = layers.Dense(4, name="decoded")(encoded)
    return keras.Model(i, layers.Dense(2, name="out")(x))


def along_positions(keras: Any) -> Any:
    """Positions cumulated, shifted, turned round and picked; channels turned round."""
    layers = keras.layers
    i = keras.Input((5, 4), name="frames")
    x = layers.Dense(6, name="dense")(i)
    x = operation(keras, "roll")(operation(keras, "cumsum")(x, axis=1), 1, axis=1)
    x = operation(keras, "flip")(x, axis=[2])
    x = layers.Add(name="add")([x, layers.Dense(6, name="other")(i)])
    x = operation(keras, "take")(x, [0, 3, 4], axis=1)
    x = x * operation(keras, "ones_like")(x)
    return keras.Model(i, layers.Dense(2, name="out")(layers.Flatten(name="flatten")(x)))


def picked_by_number(keras: Any) -> Any:
    """Channels put in another order, some of them picked, one twice, a single one by its number."""
    layers, take = keras.layers, operation(keras, "take")
    i = keras.Input((5, 4), name="frames")
    x = layers.Dense(8, activation="relu", name="wide")(i)
    turned = take(x, [3, 1, 0, 2, 7, 6, 5, 4], axis=-1)
    some = layers.Dense(5, name="read")(take(x, [0, 2, 2, 5], axis=2))
    x = layers.Concatenate(name="join")([layers.Dense(6, name="next")(turned), some])
    y = take(layers.Dense(4, name="more")(x), 2, axis=2)
    x = layers.Concatenate(name="all")([layers.Flatten(name="flatten")(x), y])
    return keras.Model(i, layers.Dense(2, name="out")(x))


def ranked(keras: Any) -> Any:
    """The largest values of each channel, their order, their places, mean and variance at once."""
    layers, transpose = keras.layers, operation(keras, "transpose")
    i = keras.Input((5, 4), name="frames")
    x = layers.Dense(6, name="dense")(i)
    largest = operation(keras, "top_k")(transpose(x, (0, 2, 1)), 3)[0]
    x = layers.Dense(7, name="read")(transpose(largest, (0, 2, 1)))
    order = operation(keras, "cast")(operation(keras, "argsort")(x, axis=1), "float32")
    mean, variance = operation(keras, "moments")(x, axes=[1], keepdims=True)
    place = operation(keras, "cast")(operation(keras, "argmax")(x, axis=1), "float32")
    x = layers.Flatten(name="flatten")((x - mean) * variance + order)
    x = layers.Concatenate(name="join")([x, place])
    return keras.Model(i, layers.Dense(2, name="out")(x))


def made_kernels(keras: Any) -> Any:
    """An involution: a kernel for each position, made by a convolution, shared by many channels."""
    layers = keras.layers
    i = _image(keras)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv")(i)
    kernels = layers.Conv2D(18, 1, name="kernels")(layers.Conv2D(4, 1, name="narrow")(x))
    kernels = layers.Reshape((*x.shape[1:3], 9, 2, 1), name="by_place")(kernels)
    padded = layers.ZeroPadding2D(1, name="pad")(x)
    rows, columns = x.shape[1:3]
    parts = [padded[:, a : a + rows, b : b + columns] for a in range(3) for b in range(3)]
    x = operation(keras, "stack")(parts, axis=3)
    x = layers.Reshape((rows, columns, 9, 2, 4), name="by_group")(x) * kernels
    x = layers.Reshape((rows, columns, 8), name="joined")(operation(keras, "sum")(x, axis=3))
    return keras.Model(i, _pooled(keras, layers.Conv2D(5, 1, name="top")(x)))


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        shuffle,
        constants,
        parts,
        super_resolution,
        written_widths,
        padded_shortcut,
        windows,
        experts,
        picked,
        repeated_weights,
        along_positions,
        picked_by_number,
        ranked,
        made_kernels,
        blurred,
    )
}
