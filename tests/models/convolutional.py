"""Builders of convolutional models. ``keras`` is either Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _bn_relu(keras: Any, x: Any, name: str) -> Any:
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)


def _conv(keras: Any, x: Any, filters: int, name: str, size: int = 3, **options: Any) -> Any:
    x = keras.layers.Conv2D(filters, size, padding="same", name=name, **options)(x)
    return _bn_relu(keras, x, name)


def _head(keras: Any, x: Any, classes: int = 3) -> Any:
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.layers.Dense(classes, activation="softmax", name="logits")(x)


def plain(keras: Any) -> Any:
    """Conv, BatchNorm, pooling, flatten, two dense layers."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 6, "conv")
    x = keras.layers.MaxPooling2D(name="maxpool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(10, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(
        i, keras.layers.Dense(3, activation="softmax", name="logits")(x), name="plain"
    )


def vgg(keras: Any) -> Any:
    """A Sequential of convolutions with activations inside, as VGG has them."""
    layers = [keras.Input((8, 8, 3), name="image")]
    for block, filters in enumerate((4, 6), 1):
        for number in (1, 2):
            name = f"block{block}_conv{number}"
            layers.append(
                keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)
            )
        layers.append(keras.layers.MaxPooling2D(name=f"block{block}_pool"))
    layers += [
        keras.layers.Flatten(name="flatten"),
        keras.layers.Dense(8, activation="relu", name="fc1"),
        keras.layers.Dense(3, activation="softmax", name="predictions"),
    ]
    return keras.Sequential(layers, name="vgg")


def residual_identity(keras: Any) -> Any:
    """Two residual blocks whose shortcuts are the identity."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 6, "stem")
    for block in ("a", "b"):
        y = _conv(keras, x, 5, f"{block}_conv1")
        y = keras.layers.Conv2D(6, 3, padding="same", name=f"{block}_conv2")(y)
        y = keras.layers.BatchNormalization(name=f"{block}_conv2_bn")(y)
        x = keras.layers.Add(name=f"{block}_add")([x, y])
        x = keras.layers.ReLU(name=f"{block}_out")(x)
    return keras.Model(i, _head(keras, x), name="residual_identity")


def residual_projection(keras: Any) -> Any:
    """A residual block whose shortcut is a strided 1x1 convolution."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 4, "stem")
    y = _conv(keras, x, 6, "conv1", strides=2)
    y = keras.layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv2")(y)
    y = keras.layers.BatchNormalization(name="conv2_bn")(y)
    s = keras.layers.Conv2D(8, 1, strides=2, name="shortcut")(x)
    s = keras.layers.BatchNormalization(name="shortcut_bn")(s)
    x = keras.layers.ReLU(name="out")(keras.layers.Add(name="add")([y, s]))
    return keras.Model(i, _head(keras, x), name="residual_projection")


def concat_dense(keras: Any) -> Any:
    """A DenseNet block: every layer reads the concatenation of all before it."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 4, "stem")
    for number in (1, 2):
        y = _conv(keras, x, 3, f"dense{number}")
        x = keras.layers.Concatenate(name=f"concat{number}")([x, y])
    x = _conv(keras, x, 5, "transition", size=1)
    x = keras.layers.AveragePooling2D(2, name="avgpool")(x)
    return keras.Model(i, _head(keras, x), name="concat_dense")


def mobile(keras: Any) -> Any:
    """Expansion, depthwise, projection, with a residual add (MobileNetV2's block)."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 4, "stem")
    y = _conv(keras, x, 12, "expand", size=1, use_bias=False)
    y = keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise")(y)
    y = _bn_relu(keras, y, "depthwise")
    y = keras.layers.Conv2D(4, 1, name="project")(y)
    y = keras.layers.BatchNormalization(name="project_bn")(y)
    x = keras.layers.Add(name="add")([x, y])
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="multiplied")(x)
    return keras.Model(i, _head(keras, _conv(keras, x, 5, "top", size=1)), name="mobile")


def separable(keras: Any) -> Any:
    """SeparableConv2D with depth multipliers 1 and 2."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 4, "stem")
    x = keras.layers.SeparableConv2D(6, 3, padding="same", name="separable1")(x)
    x = _bn_relu(keras, x, "separable1")
    x = keras.layers.SeparableConv2D(
        5, 3, depth_multiplier=2, activation="relu", name="separable2"
    )(x)
    return keras.Model(i, _head(keras, x), name="separable")


def squeeze_excite(keras: Any) -> Any:
    """Channel gates computed from the pooled channels, through ``Reshape((1, 1, C))``."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 6, "stem")
    s = keras.layers.GlobalAveragePooling2D(name="squeeze")(x)
    s = keras.layers.Reshape((1, 1, 6), name="reshape")(s)
    s = keras.layers.Conv2D(3, 1, activation="relu", name="reduce")(s)
    s = keras.layers.Conv2D(6, 1, activation="sigmoid", name="excite")(s)
    x = keras.layers.Multiply(name="scale")([x, s])
    return keras.Model(i, _head(keras, _conv(keras, x, 4, "top")), name="squeeze_excite")


def unet(keras: Any) -> Any:
    """Encoder and decoder with Conv2DTranspose and a skip concatenation; one mask per pixel."""
    i = keras.Input((8, 8, 3), name="image")
    down = _conv(keras, i, 4, "down")
    x = keras.layers.MaxPooling2D(name="maxpool")(down)
    x = _conv(keras, x, 6, "bottom")
    x = keras.layers.Conv2DTranspose(5, 2, strides=2, activation="relu", name="up")(x)
    x = keras.layers.Concatenate(name="skip")([down, x])
    x = _conv(keras, x, 4, "decode")
    return keras.Model(
        i, keras.layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x), name="unet"
    )


def grouped(keras: Any) -> Any:
    """A convolution in two groups between two plain ones."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 4, "stem")
    x = _conv(keras, x, 6, "grouped", groups=2)
    return keras.Model(i, _head(keras, _conv(keras, x, 5, "top")), name="grouped")


def operators(keras: Any) -> Any:
    """Tensors combined with Python operators and slices instead of layers."""
    i = keras.Input((8, 8, 3), name="image")
    x = _conv(keras, i, 4, "left") * 0.5
    y = _conv(keras, i, 4, "right")
    x = x + y
    x = x[:, 1:7, ::2, :]
    return keras.Model(i, _head(keras, _conv(keras, x, 5, "top")), name="operators")


def many_inputs_outputs(keras: Any) -> Any:
    """Two inputs of different kinds, two outputs of different kinds."""
    image = keras.Input((8, 8, 3), name="image")
    facts = keras.Input((5,), name="facts")
    x = keras.layers.GlobalMaxPooling2D(name="pool")(_conv(keras, image, 4, "conv"))
    y = keras.layers.Dense(6, activation="relu", name="facts_dense")(facts)
    z = keras.layers.Concatenate(name="join")([x, y])
    z = keras.layers.Dense(7, activation="tanh", name="joint")(z)
    outputs = [
        keras.layers.Dense(3, activation="softmax", name="kind")(z),
        keras.layers.Dense(1, name="amount")(z),
    ]
    return keras.Model([image, facts], outputs, name="many_inputs_outputs")


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        plain,
        vgg,
        residual_identity,
        residual_projection,
        concat_dense,
        mobile,
        separable,
        squeeze_excite,
        unet,
        grouped,
        operators,
        many_inputs_outputs,
    )
}
