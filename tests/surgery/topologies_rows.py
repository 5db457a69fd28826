"""Branches stacked before the samples, rows picked by computed numbers, sizes read from tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.surgery.topologies_operators import operation

STEPS = 6


def _image(keras: Any) -> Any:
    return keras.Input((8, 8, 3), name="image")


def _steps(keras: Any) -> Any:
    return keras.Input((STEPS, 4), name="frames")


def _classes(keras: Any, x: Any) -> Any:
    return keras.layers.Dense(3, activation="softmax", name="logits")(x)


def _pooled(keras: Any, x: Any) -> Any:
    return _classes(keras, keras.layers.GlobalAveragePooling2D(name="pool")(x))


def selective_kernel(keras: Any) -> Any:
    """An SKNet: branches on a new first axis, compared along it and added up again."""
    layers, stack = keras.layers, operation(keras, "stack")
    i = _image(keras)
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="stem")(i)
    wide = [layers.Conv2D(5, 3, padding="same", dilation_rate=n, name=f"by{n}")(x) for n in (1, 2)]
    z = layers.GlobalAveragePooling2D(keepdims=True, name="average")(layers.Add(name="added")(wide))
    z = layers.Dense(4, activation="relu", name="narrow")(z)
    weights = stack([layers.Dense(5, name=f"weight{n}")(z) for n in (1, 2)], 0)
    weights = layers.Softmax(axis=0, name="compared")(weights)
    x = operation(keras, "sum")(weights * stack(wide, 0), axis=0)
    return keras.Model(i, _pooled(keras, layers.Conv2D(4, 1, name="top")(x)))


def sizes_read(keras: Any) -> Any:
    """A pyramid of open size: positions are counted with ``tf.shape``, channels written again."""
    import tensorflow as tf

    layers = keras.layers
    i = keras.Input((None, None, 3), name="image")
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="fine")(i)
    y = layers.Conv2D(5, 3, strides=2, padding="same", name="coarse")(x)
    y = layers.Conv2D(7, 1, name="lateral")(y)
    x = layers.Conv2D(7, 1, name="kept")(x)
    x = layers.Add(name="pyramid")([x, tf.image.resize(y, tf.shape(x)[1:3])])
    size = tf.shape(x)
    rows = tf.reshape(x, (size[0], size[1] * size[2], 7))
    rows = layers.Dense(5, name="rows")(rows)
    mean = tf.reduce_mean(rows, 1, keepdims=True)
    rows = rows + tf.tile(mean, (1, tf.shape(rows)[1], 1))
    batch, _, width = tf.unstack(tf.shape(rows))
    rows = layers.Dense(4, name="last")(tf.reshape(rows, (batch, -1, width)))
    return keras.Model(i, _classes(keras, layers.GlobalMaxPooling1D(name="max")(rows)))


def best_tokens(keras: Any) -> Any:
    """The tokens of the highest scores are picked, and those of each channel's own order."""
    layers = keras.layers
    i = _steps(keras)
    x = layers.Dense(7, activation="relu", name="tokens")(i)
    scores = layers.Reshape((STEPS,), name="row")(layers.Dense(1, name="scores")(x))
    places = operation(keras, "top_k")(scores, 3)[1]
    if hasattr(keras, "ops"):
        x = keras.ops.take_along_axis(x, keras.ops.expand_dims(places, -1), axis=1)
        x = layers.Dense(5, name="picked")(x)
        x = keras.ops.take_along_axis(x, keras.ops.argsort(x, axis=1), axis=1)
    else:
        x = operation(keras, "take")(x, places, axis=1, batch_dims=1)
        x = layers.Dense(5, name="picked")(x)
    return keras.Model(i, _classes(keras, layers.Flatten(name="flatten")(x)))


def each_by_itself(keras: Any) -> Any:
    """More operations that treat each channel by itself, along positions or value by value."""
    layers = keras.layers
    i = _image(keras)
    x = layers.Conv2D(6, 3, name="conv")(i)
    if hasattr(keras, "ops"):
        ops = keras.ops
        x = ops.image.crop_images(ops.image.pad_images(x, 1, 1, 1, 1), 0, 2, 0, 2)
        x = ops.diff(x, axis=1) + 0.5 * ops.nanmean(x, axis=1, keepdims=True)
        x = layers.Conv2D(5, 1, name="second")(x)
        x = ops.quantile(x, 0.3, axis=(1, 2)) + ops.nansum(x, axis=(1, 2))
        x = x * ops.cast(ops.isclose(x, x), "float32")
    else:
        import tensorflow as tf

        x = tf.image.crop_to_bounding_box(tf.image.flip_left_right(x), 0, 1, 5, 5)
        x = tf.nn.pool(tf.math.log_sigmoid(x), (2, 2), "MAX")
        x = tf.where(tf.math.is_finite(x), tf.math.xdivy(x, x * x + 1.0), 0.0)
        x = layers.Conv2D(5, 1, name="second")(tf.nn.dropout(x, 0.0))
        x = tf.cast(tf.math.count_nonzero(x, axis=(1, 2)), "float32") + tf.reduce_mean(x, (1, 2))
    return keras.Model(i, _classes(keras, x))


def gates_across(keras: Any) -> Any:
    """Triplet attention: a gate made of neighbouring channels' maxima and means; a mean of all."""
    layers = keras.layers
    i = _image(keras)
    x = layers.Conv2D(7, 3, padding="same", activation="relu", name="conv")(i)
    turned = layers.Permute((3, 2, 1), name="turned")(x)
    maps = [operation(keras, n)(turned, axis=-1, keepdims=True) for n in ("max", "mean")]
    gate = layers.Concatenate(name="maps")(maps)
    gate = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="gate")(gate)
    x = layers.Permute((3, 2, 1), name="back")(layers.Multiply(name="gated")([turned, gate]))
    y = layers.Conv2D(5, 1, name="other")(x)
    y = layers.Reshape((64, 5), name="rows")(y)
    y = layers.GlobalAveragePooling1D(data_format="channels_first", name="across")(y)
    read = [layers.Dense(4, name="of_mean")(y), layers.GlobalMaxPooling2D(name="highest")(x)]
    return keras.Model(i, _classes(keras, layers.Concatenate(name="join")(read)))


def written_slices(keras: Any) -> Any:
    """Channels in a row by ``slice`` and ``strided_slice``; images turned by 90 degrees."""
    layers, cut = keras.layers, operation(keras, "slice")
    i = _image(keras)
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="conv")(i)
    front = layers.Conv2D(5, 1, name="front")(cut(x, [0, 1, 1, 0], [-1, 6, 6, 5]))
    back = layers.Conv2D(5, 1, name="back")(cut(x, [0, 1, 1, 5], [-1, 6, 6, -1]))
    if hasattr(keras, "ops"):
        turned = [keras.ops.rot90(front, k, axes=(1, 2)) for k in (1, 2)]
        rows = keras.ops.unfold(keras.ops.transpose(back, (0, 3, 1, 2)), 2, stride=2, padding=1)
        rows = layers.Dense(4, name="of_places")(keras.ops.transpose(rows, (0, 2, 1)))
        rows = layers.GlobalMaxPooling1D(name="rows")(rows)
        rows = keras.ops.hstack([rows, layers.GlobalAveragePooling2D(name="mean")(back)])
    else:
        import tensorflow as tf

        turned = [tf.image.rot90(front, k) for k in (1, 2)]
        ends = tf.strided_slice(x, [0, 2, 0, -7], [0, 3, 0, -1], [1, 1, 1, 1], 5, 5, 0, 0, 2)
        every = tf.strided_slice(x, [0, 0, 0, 0], [0, 7, 0, 5], [1, 2, 1, 1], 13, 5)
        rows = layers.GlobalMaxPooling1D(name="rows")(layers.Conv1D(4, 1, name="ends")(ends))
        every = layers.GlobalMaxPooling2D(name="places")(layers.Conv2D(4, 1, name="every")(every))
        mean = layers.GlobalAveragePooling2D(name="mean")(back)
        rows = layers.Concatenate(name="heads")([rows, every, mean])
    x = layers.Concatenate(name="join")([front, *turned])
    x = layers.GlobalAveragePooling2D(name="pool")(layers.Conv2D(6, 3, name="top")(x))
    return keras.Model(i, _classes(keras, layers.Concatenate(name="all")([x, rows])))


def broadcast_shapes(keras: Any) -> Any:
    """Gates and means that are repeated to an image's shape, which is read or written down."""
    import tensorflow as tf

    layers = keras.layers
    i = _image(keras)
    x = layers.Conv2D(7, 3, padding="same", activation="relu", name="conv")(i)
    gate = layers.Conv2D(1, 1, activation="sigmoid", name="gate")(x)
    gated = layers.Multiply(name="gated")([x, tf.broadcast_to(gate, tf.shape(x))])
    doubled = layers.Multiply(name="doubled")([x, tf.broadcast_to(gate, [tf.shape(x)[0], 8, 8, 7])])
    mean = layers.Dense(5, name="mean")(layers.GlobalAveragePooling2D(name="average")(x))
    mean = tf.broadcast_to(mean[:, None, None, :], [tf.shape(x)[0], 8, 8, 5])
    x = layers.Concatenate(name="join")([gated, doubled, mean])
    return keras.Model(i, _pooled(keras, layers.Conv2D(4, 1, name="top")(x)))


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        selective_kernel,
        sizes_read,
        best_tokens,
        each_by_itself,
        gates_across,
        written_slices,
        broadcast_shapes,
    )
}
# Keras 3 knows sizes as numbers, and repeats to shapes of fixed size only.
ONLY = {"sizes_read": "tf_keras", "broadcast_shapes": "tf_keras"}
