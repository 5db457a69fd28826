"""Models with several blocks that can be left out. ``keras`` is either Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _bottleneck(keras: Any, x: Any, name: str) -> Any:
    y = keras.layers.Conv2D(3, 1, use_bias=False, name=f"{name}_conv1")(x)
    y = keras.layers.BatchNormalization(name=f"{name}_bn")(y)
    y = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name=f"{name}_conv2")(y)
    y = keras.layers.Conv2D(4, 3, padding="same", name=f"{name}_conv3")(y)
    return keras.layers.Add(name=f"{name}_add")([x, y])


def residual_deep(keras: Any) -> Any:
    """Two identity blocks, one with a projection, one with a pooled shortcut, a same-size layer."""
    i = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, padding="same", name="stem")(i)
    x = _bottleneck(keras, _bottleneck(keras, x, "a"), "b")
    y = keras.layers.Conv2D(6, 3, strides=2, padding="same", name="c_conv")(x)
    x = keras.layers.Add(name="c_add")([y, keras.layers.Conv2D(6, 1, 2, name="c_short")(x)])
    y = keras.layers.Conv2D(6, 3, strides=2, padding="same", name="d_conv")(x)
    x = keras.layers.Add(name="d_add")([y, keras.layers.MaxPooling2D(2, name="d_pool")(x)])
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(6, activation="relu", name="same")(x)
    x = keras.layers.Dropout(0.2, name="drop")(x)
    return keras.Model(
        i, keras.layers.Dense(3, activation="softmax", name="logits")(x), name="residual_deep"
    )


def _attend(keras: Any, x: Any, name: str) -> Any:
    layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3, name=f"{name}_attention")
    return layer(x, x)


def _feed(keras: Any, x: Any, name: str) -> Any:
    y = keras.layers.Dense(7, activation="relu", name=f"{name}_dense1")(x)
    return keras.layers.Dense(6, name=f"{name}_dense2")(y)


def _end(keras: Any, i: Any, x: Any, name: str) -> Any:
    x = keras.layers.GlobalAveragePooling1D(name="pool")(x)
    return keras.Model(i, keras.layers.Dense(3, activation="softmax", name="logits")(x), name=name)


def transformer_pre(keras: Any) -> Any:
    """Two transformer blocks that normalise before each branch, on frames."""
    i = keras.Input((5, 4), name="frames")
    x = keras.layers.Dense(6, name="project")(i)
    for name in ("first", "second"):
        y = keras.layers.LayerNormalization(name=f"{name}_norm1")(x)
        x = keras.layers.Add(name=f"{name}_add1")([x, _attend(keras, y, name)])
        y = keras.layers.LayerNormalization(name=f"{name}_norm2")(x)
        x = keras.layers.Add(name=f"{name}_add2")([x, _feed(keras, y, name)])
    return _end(keras, i, keras.layers.LayerNormalization(name="last_norm")(x), "transformer_pre")


def transformer_post(keras: Any) -> Any:
    """Two transformer blocks that normalise after each addition, on tokens with a mask."""
    i = keras.Input((5,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(20, 6, mask_zero=True, name="embedding")(i)
    for name in ("first", "second"):
        y = keras.layers.Add(name=f"{name}_add1")([x, _attend(keras, x, name)])
        x = keras.layers.LayerNormalization(name=f"{name}_norm1")(y)
        y = keras.layers.Add(name=f"{name}_add2")([x, _feed(keras, x, name)])
        x = keras.layers.LayerNormalization(name=f"{name}_norm2")(y)
    return _end(keras, i, x, "transformer_post")


def operator_blocks(keras: Any) -> Any:
    """A residual block written as ``x + y``, and a gate written as ``x * y``."""
    i = keras.Input((6,), name="facts")
    x = keras.layers.Dense(5, activation="relu", name="entry")(i)
    y = keras.layers.Dense(4, activation="tanh", name="inner")(x)
    x = x + keras.layers.Dense(5, name="outer")(y)
    y = keras.layers.Dense(2, activation="relu", name="squeeze")(x)
    x = x * keras.layers.Dense(5, activation="sigmoid", name="excite")(y)
    return keras.Model(i, keras.layers.Dense(3, name="logits")(x), name="operator_blocks")


def nested_twice(keras: Any) -> Any:
    """One nested model, a residual block inside, called twice; a nested Sequential as a branch."""
    j = keras.Input((5,), name="inside")
    y = keras.layers.Dense(4, activation="relu", name="inner")(j)
    y = keras.layers.Add(name="sum")([j, keras.layers.Dense(5, name="outer")(y)])
    y = keras.layers.Dense(5, activation="tanh", name="last")(y)
    shared = keras.Model(j, y, name="shared")
    branch = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(3, activation="relu", name="down"),
            keras.layers.Dense(3, activation="relu", name="same"),
            keras.layers.Dense(5, name="up"),
        ],
        name="branch",
    )
    i = keras.Input((6,), name="facts")
    x = keras.layers.Dense(5, name="entry")(i)
    x = shared(shared(x))
    x = keras.layers.Add(name="around")([x, branch(x)])
    return keras.Model(i, keras.layers.Dense(3, name="logits")(x), name="nested_twice")


def highway(keras: Any) -> Any:
    """A dense highway block, ``sum``, between two dense layers."""
    layers = keras.layers
    i = keras.Input((4,))
    entry = layers.Dense(5, name="entry")(i)
    gate = layers.Dense(5, activation="sigmoid", name="gate")(entry)
    branch = layers.Dense(5, name="branch")(entry)
    terms = [layers.Multiply()([gate, branch]), layers.Multiply()([1.0 - gate, entry])]
    return keras.Model(i, layers.Dense(2, name="out")(layers.Add(name="sum")(terms)))


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        residual_deep,
        transformer_pre,
        transformer_post,
        operator_blocks,
        nested_twice,
    )
}
