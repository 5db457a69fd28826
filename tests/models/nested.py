"""Builders of models inside models and of shared layers. ``keras`` is either Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _features(keras: Any, name: str = "features") -> Any:
    """A functional image encoder with a residual add: (8, 8, 3) -> (8, 8, 5)."""
    i = keras.Input((8, 8, 3), name=f"{name}_input")
    x = keras.layers.Conv2D(5, 3, padding="same", activation="relu", name="conv1")(i)
    y = keras.layers.Conv2D(5, 3, padding="same", name="conv2")(x)
    y = keras.layers.BatchNormalization(name="bn")(y)
    return keras.Model(i, keras.layers.Add(name="add")([x, y]), name=name)


def nested_sequential(keras: Any) -> Any:
    """A Sequential of a Functional and of a Sequential that holds another Sequential."""
    deepest = keras.Sequential(
        [
            keras.Input((8, 8, 5)),
            keras.layers.Conv2D(4, 1, name="conv1"),
            keras.layers.ReLU(name="relu"),
        ],
        name="deepest",
    )
    head = keras.Sequential(
        [
            keras.Input((8, 8, 5)),
            deepest,
            keras.layers.GlobalAveragePooling2D(name="pool"),
            keras.layers.Dense(3, activation="softmax", name="logits"),
        ],
        name="head",
    )
    return keras.Sequential(
        [keras.Input((8, 8, 3)), _features(keras), head], name="nested_sequential"
    )


def nested_functional(keras: Any) -> Any:
    """A Functional that holds a Functional that holds a Sequential and a Functional."""
    i = keras.Input((8, 8, 3), name="inner_image")
    x = _features(keras, "deepest")(i)
    tail = keras.Sequential(
        [
            keras.Input((8, 8, 5)),
            keras.layers.Conv2D(6, 3, name="conv1"),
            keras.layers.ReLU(name="relu"),
        ],
        name="tail",
    )
    backbone = keras.Model(i, tail(x), name="backbone")
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Rescaling(0.5, name="rescaling")(image)
    x = backbone(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(3, activation="softmax", name="logits")(x)
    return keras.Model(image, x, name="nested_functional")


def shared_layer(keras: Any) -> Any:
    """One convolution called on two inputs' features; the difference is classified."""
    left, right = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    shared = keras.layers.Conv2D(5, 3, activation="relu", name="shared")
    stem = keras.layers.Conv2D(4, 1, name="stem")
    x = keras.layers.Subtract(name="difference")([shared(stem(left)), shared(stem(right))])
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(1, activation="sigmoid", name="same")(x)
    return keras.Model([left, right], x, name="shared_layer")


def shared_model(keras: Any) -> Any:
    """A Siamese network: one nested model called on two inputs."""
    left, right = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    encoder = _features(keras, "encoder")
    x = keras.layers.Concatenate(name="both")([encoder(left), encoder(right)])
    x = keras.layers.Conv2D(4, 3, activation="relu", name="mix")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(1, activation="sigmoid", name="same")(x)
    return keras.Model([left, right], x, name="shared_model")


def nested_many(keras: Any) -> Any:
    """A nested model with two inputs and two outputs between plain layers."""
    a, b = keras.Input((4,), name="inner_a"), keras.Input((4,), name="inner_b")
    total = keras.layers.Add(name="total")([a, b])
    x = keras.layers.Dense(5, activation="relu", name="dense_x")(total)
    y = keras.layers.Dense(3, activation="tanh", name="dense_y")(a)
    inner = keras.Model([a, b], [x, y], name="inner")
    left, right = keras.Input((6,), name="left"), keras.Input((7,), name="right")
    p = keras.layers.Dense(4, name="dense_x")(left)
    q = keras.layers.Dense(4, name="dense_y")(right)
    x, y = inner([p, q])
    out = keras.layers.Dense(2, activation="softmax", name="logits")
    return keras.Model([left, right], [out(keras.layers.Concatenate(name="join")([x, y])), y])


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        nested_sequential,
        nested_functional,
        shared_layer,
        shared_model,
        nested_many,
    )
}
