"""Topologies beyond the shared ones: each a trap that a cut can fall into. Both Kerases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.models import keras_of, randomize

STEPS, TOKENS = 6, 12


def _image(keras: Any) -> Any:
    return keras.Input((8, 8, 3), name="image")


def _classes(keras: Any, x: Any) -> Any:
    return keras.layers.Dense(3, activation="softmax", name="logits")(x)


def _pooled(keras: Any, x: Any) -> Any:
    return _classes(keras, keras.layers.GlobalAveragePooling2D(name="pool")(x))


def whole_groups(keras: Any) -> Any:
    """Four groups of two: whole groups go, with what feeds them."""
    i = _image(keras)
    x = keras.layers.Conv2D(8, 1, name="stem")(i)
    x = keras.layers.Conv2D(12, 3, groups=4, name="grouped")(x)
    x = keras.layers.BatchNormalization(name="bn")(x)
    return keras.Model(i, _pooled(keras, keras.layers.Conv2D(5, 1, name="top")(x)))


def depth_multiplier(keras: Any) -> Any:
    """A depthwise and a separable convolution that make two channels of each."""
    i = _image(keras)
    x = keras.layers.Conv2D(4, 1, name="stem")(i)
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.SeparableConv2D(6, 3, depth_multiplier=2, name="separable")(x)
    return keras.Model(i, _pooled(keras, x))


def slopes(keras: Any) -> Any:
    """PReLU with shared positions, with all of its own, and shared by all channels."""
    i = _image(keras)
    x = keras.layers.Conv2D(6, 3, name="conv1")(i)
    x = keras.layers.PReLU(shared_axes=[1, 2], name="per_channel")(x)
    x = keras.layers.Conv2D(5, 3, name="conv2")(x)
    x = keras.layers.PReLU(name="per_value")(x)
    x = keras.layers.Conv2D(4, 1, name="conv3")(x)
    x = keras.layers.PReLU(shared_axes=[3], name="shared_by_channels")(x)
    return keras.Model(i, _classes(keras, keras.layers.Flatten(name="flatten")(x)))


def moved_axes(keras: Any) -> Any:
    """Permute, Reshape and Flatten between a convolution and its reader."""
    i = _image(keras)
    x = keras.layers.Conv2D(4, 3, name="conv")(i)
    x = keras.layers.Permute((3, 1, 2), name="channels_first")(x)
    x = keras.layers.Reshape((4, 36), name="rows")(x)
    x = keras.layers.Permute((2, 1), name="channels_last")(x)
    x = keras.layers.Dense(5, activation="tanh", name="per_position")(x)
    x = keras.layers.Reshape((-1,), name="line")(x)
    return keras.Model(i, _classes(keras, x))


def video(keras: Any) -> Any:
    """Conv3D with its pooling and padding, and a transposed one."""
    i = keras.Input((4, 6, 6, 2), name="video")
    x = keras.layers.ZeroPadding3D(1, name="pad")(i)
    x = keras.layers.Conv3D(5, 3, activation="relu", name="conv")(x)
    x = keras.layers.MaxPooling3D(2, name="pool")(x)
    x = keras.layers.Conv3DTranspose(4, 2, strides=2, name="up")(x)
    return keras.Model(i, _classes(keras, keras.layers.GlobalMaxPooling3D(name="all")(x)))


def sound(keras: Any) -> Any:
    """Conv1D speech net: cropping, upsampling, a transposed convolution, causal padding."""
    i = keras.Input((16, 3), name="frames")
    x = keras.layers.Conv1D(6, 3, padding="causal", dilation_rate=2, name="causal")(i)
    x = keras.layers.Cropping1D(2, name="crop")(x)
    x = keras.layers.UpSampling1D(2, name="upsample")(x)
    x = keras.layers.Conv1DTranspose(5, 4, strides=2, name="transpose")(x)
    x = keras.layers.SpatialDropout1D(0.2, name="dropout")(x)
    x = keras.layers.SeparableConv1D(4, 3, name="separable")(x)
    return keras.Model(i, _classes(keras, keras.layers.GlobalAveragePooling1D(name="pool")(x)))


def merges(keras: Any) -> Any:
    """All elementwise merges, one with a gate of another rank, one with a broadcast channel."""
    layers = keras.layers
    i = _image(keras)
    branches = [layers.Conv2D(4, 1, name=f"branch{n}")(i) for n in range(6)]
    x = layers.Subtract(name="subtract")(branches[:2])
    x = layers.Average(name="average")([x, branches[2]])
    x = layers.Maximum(name="maximum")([x, branches[3]])
    x = layers.Minimum(name="minimum")([x, branches[4]])
    x = layers.Concatenate(axis=1, name="stack")([x, branches[5]])
    mask = layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x)
    x = layers.Multiply(name="masked")([x, mask])
    gate = layers.Dense(4, activation="sigmoid", name="gate")(
        layers.GlobalMaxPooling2D(name="squeeze")(x)
    )
    x = layers.Multiply(name="gated")([x, layers.Reshape((1, 1, 4), name="gate_shape")(gate)])
    return keras.Model(i, _pooled(keras, layers.Conv2D(5, 3, name="top")(x)))


def states(keras: Any) -> Any:
    """An encoder LSTM whose states start a decoder LSTM; both hold the same units."""
    i = keras.Input((STEPS, 4), name="source")
    j = keras.Input((STEPS, 3), name="target")
    _, h, c = keras.layers.LSTM(5, return_state=True, name="encoder")(i)
    x = keras.layers.LSTM(5, return_sequences=True, name="decoder")(j, initial_state=[h, c])
    x = keras.layers.LayerNormalization(name="norm")(keras.layers.Dense(6, name="wide")(x))
    x = keras.layers.Dense(7, activation="gelu", name="hidden")(x)
    return keras.Model([i, j], _classes(keras, x))


def directions(keras: Any) -> Any:
    """Bidirectional in its other merge modes, one with a backward layer of its own."""
    layers = keras.layers
    i = keras.Input((STEPS, 4), name="frames")
    x = layers.Bidirectional(
        layers.GRU(4, return_sequences=True, name="forward"),
        backward_layer=layers.GRU(4, return_sequences=True, go_backwards=True, name="backward"),
        merge_mode="sum",
        name="sum",
    )(i)
    x = layers.Bidirectional(
        layers.SimpleRNN(5, return_sequences=True), merge_mode="mul", name="mul"
    )(x)
    x = layers.Bidirectional(layers.LSTM(3), merge_mode="ave", name="ave")(x)
    x = layers.RepeatVector(3, name="repeat")(x)
    return keras.Model(i, _classes(keras, layers.Flatten(name="flatten")(x)))


def cross_attention(keras: Any) -> Any:
    """Attention with three sources of different width, a value width and an output width."""
    layers = keras.layers
    i = keras.Input((5, 4), name="left")
    j = keras.Input((6, 3), name="right")
    q = layers.Dense(6, name="q")(i)
    v = layers.Dense(5, name="v")(j)
    k = layers.Dense(7, name="k")(j)
    attention = layers.MultiHeadAttention(4, 3, value_dim=2, output_shape=9, name="attention")
    x = attention(q, v, key=k)
    x = layers.Dense(5, activation="relu", name="after")(x)
    return keras.Model([i, j], _classes(keras, layers.GlobalAveragePooling1D(name="pool")(x)))


def steps_of_pictures(keras: Any) -> Any:
    """TimeDistributed convolution, batch normalization and pooling, then a recurrent layer."""
    layers = keras.layers
    i = keras.Input((3, 6, 6, 2), name="clip")
    x = layers.TimeDistributed(layers.Conv2D(4, 3), name="conv")(i)
    x = layers.TimeDistributed(layers.BatchNormalization(), name="bn")(x)
    x = layers.TimeDistributed(layers.GlobalAveragePooling2D(), name="pool")(x)
    x = layers.GRU(5, name="gru")(x)
    return keras.Model(i, _classes(keras, x))


def prepared(keras: Any) -> Any:
    """Rescaling, Normalization with statistics and augmentation in front."""
    layers = keras.layers
    i = _image(keras)
    x = layers.Rescaling(0.5, offset=0.1, name="rescaling")(i)
    x = layers.RandomFlip("horizontal", name="flip")(x)
    x = layers.RandomZoom(0.1, name="zoom")(layers.RandomRotation(0.1, name="rotation")(x))
    x = layers.RandomContrast(0.1, name="contrast")(x)
    x = layers.RandomBrightness(0.1, value_range=[0, 1], name="brightness")(x)
    x = layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0], name="norm")(x)
    x = layers.Conv2D(6, 3, name="conv")(x)
    return keras.Model(i, _pooled(keras, layers.Conv2D(5, 3, name="top")(x)))


def not_understood(keras: Any) -> Any:
    """A softmax gate and an attention without weights freeze their groups only."""
    layers = keras.layers
    i = keras.Input((STEPS, 4), name="frames")
    x = layers.Dense(6, name="free")(i)
    x = layers.Dense(5, name="asked")(x)
    y = layers.Softmax(name="softmax")(layers.Dense(5, name="weights")(i))
    x = layers.Multiply(name="weighted")([x, y])
    x = layers.Attention(name="attention")([x, x])
    x = layers.Dense(4, name="after")(x) * _constant(keras, [1.0, 2.0, 3.0, 4.0])
    x = layers.Dense(7, activation="relu", name="hidden")(x)
    return keras.Model(i, _classes(keras, layers.Flatten(name="flatten")(x)))


def tokens(keras: Any) -> Any:
    """One table read twice, masked, concatenated along the time axis, open sequence length."""
    layers = keras.layers
    i = keras.Input((None,), dtype="int32", name="tokens_left")
    j = keras.Input((None,), dtype="int32", name="tokens_right")
    table = layers.Embedding(TOKENS, 6, mask_zero=True, name="table")
    x = layers.Concatenate(axis=1, name="one_after_other")([table(i), table(j)])
    x = layers.LSTM(5, return_sequences=True, name="lstm")(x)
    x = layers.Conv1D(4, 2, name="conv")(x)
    return keras.Model([i, j], _classes(keras, layers.GlobalMaxPooling1D(name="pool")(x)))


def functions(keras: Any) -> Any:
    """Operations of the Keras or TensorFlow the model was written with, and indexing."""
    i = _image(keras)
    x = keras.layers.Conv2D(6, 3, name="conv")(i)
    y = keras.layers.Conv2D(6, 3, name="other")(i)
    x = _function(keras, "relu")(x + 2.0 * y - 0.5)
    x = keras.layers.Conv2D(5, 1, name="conv2")(x)
    m = _function(keras, "mean")(x, axis=[1, 2], keepdims=True)
    x = _function(keras, "multiply")(x, _function(keras, "sigmoid")(m))
    x = _function(keras, "mean")(x, axis=(1, 2))
    x = keras.layers.Dense(4, activation="selu", name="hidden")(x)
    return keras.Model(i, _classes(keras, x[:, :]))


def _constant(keras: Any, values: list[float]) -> Any:
    if hasattr(keras, "ops"):
        return np.array(values, "float32")
    import tensorflow as tf

    return tf.constant(values)


def _function(keras: Any, name: str) -> Callable[..., Any]:
    if hasattr(keras, "ops"):
        return getattr(keras.ops, name)
    import tensorflow as tf

    return {
        "relu": tf.nn.relu,
        "mean": tf.reduce_mean,
        "multiply": tf.multiply,
        "sigmoid": tf.sigmoid,
    }[name]


def unread_maps(keras: Any) -> Any:
    """A backbone that answers with all its stages, of which the model around it reads one."""
    i = _image(keras)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="stem")(i)
    y = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="narrow")(x)
    y = keras.layers.Conv2D(8, 3, padding="same", name="wide")(y)
    y = keras.layers.Add(name="sum")([x, y])
    z = keras.layers.BatchNormalization(name="later_bn")(y)
    z = keras.layers.Conv2D(5, 3, name="later")(z)
    z = keras.layers.Dense(4, name="last")(keras.layers.GlobalAveragePooling2D(name="mean")(z))
    backbone = keras.Model(i, [x, y, z], name="backbone")
    picture = keras.Input((8, 8, 3), name="picture")
    x = keras.layers.Conv2D(7, 1, activation="relu", name="top")(backbone(picture)[1])
    return keras.Model(picture, _pooled(keras, x))


def unread_steps(keras: Any) -> Any:
    """The same within a model that is applied to every step, and states that nobody reads."""
    i = keras.Input((4, 4, 3), name="picture")
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(i)
    backbone = keras.Model(i, [x, keras.layers.Conv2D(5, 2, name="unread")(x)], name="backbone")
    i = keras.Input((4, 4, 3), name="frame")
    frame = keras.Model(i, keras.layers.Flatten(name="flat")(backbone(i)[0]), name="frame_model")
    i = keras.Input((STEPS, 24), name="features")
    steps, *states = keras.layers.LSTM(5, return_sequences=True, return_state=True, name="lstm")(i)
    summary = keras.layers.GRU(3, name="summary")(steps)
    reader = keras.Model(i, [steps, *states, summary], name="reader")
    clip = keras.Input((STEPS, 4, 4, 3), name="clip")
    x = keras.layers.TimeDistributed(frame, name="frames")(clip)
    return keras.Model(clip, _classes(keras, reader(x)[1]))


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        whole_groups,
        depth_multiplier,
        slopes,
        moved_axes,
        video,
        sound,
        merges,
        states,
        directions,
        cross_attention,
        steps_of_pictures,
        prepared,
        not_understood,
        tokens,
        functions,
        unread_maps,
        unread_steps,
    )
}


def build(name: str, family: str, seed: int = 0) -> Any:
    """Build the model of that name with seeded weights."""
    model = BUILDERS[name](keras_of(family))
    randomize(model, seed)
    return model
