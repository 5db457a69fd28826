"""One small model for each topology that channels must be cut in, for any Keras.

Nothing is imported: ``keras`` is Keras 3, tf_keras or the Keras of TensorFlow 2.15. Every builder
takes ``w``, which halves or keeps an inner width: ``builder(keras, lambda n: n // 2)`` is what a
person would write who wants the smaller model, and hence what a tool should arrive at.

:func:`silence` gives half of all inner channels the value zero, whatever the input. A tool that is
asked to remove exactly these must return a model with the same outputs, and as few parameters as
the smaller model has. That judges every tool alike, without a look at how it works.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Width = Callable[[int], int]
VOCABULARY, STEPS = 16, 6


def _image(keras: Any) -> Any:
    return keras.Input((8, 8, 3), name="image")


def _frames(keras: Any, width: int = 4) -> Any:
    return keras.Input((STEPS, width), name="frames")


def _bn_relu(keras: Any, x: Any) -> Any:
    return keras.layers.Activation("relu")(keras.layers.BatchNormalization()(x))


def _conv(keras: Any, x: Any, filters: int, size: int = 3, **options: Any) -> Any:
    return _bn_relu(keras, keras.layers.Conv2D(filters, size, padding="same", **options)(x))


def _out(keras: Any, x: Any) -> Any:
    return keras.layers.Dense(3, name="out")(x)


def _pooled(keras: Any, x: Any) -> Any:
    return _out(keras, keras.layers.GlobalAveragePooling2D()(x))


def plain(keras: Any, w: Width) -> Any:
    """Convolution, BatchNorm."""
    i = _image(keras)
    return keras.Model(i, _pooled(keras, _conv(keras, _conv(keras, i, w(8)), w(8))))


def flattened(keras: Any, w: Width) -> Any:
    """Flatten, dense."""
    i = _image(keras)
    x = keras.layers.Flatten()(_conv(keras, i, w(8)))
    return keras.Model(i, _out(keras, keras.layers.Dense(w(16), activation="relu")(x)))


def residual(keras: Any, w: Width) -> Any:
    """Residual add."""
    i = _image(keras)
    x = _conv(keras, i, w(8))
    y = keras.layers.Conv2D(w(8), 3, padding="same")(_conv(keras, x, w(8)))
    return keras.Model(
        i, _pooled(keras, keras.layers.Activation("relu")(keras.layers.Add()([x, y])))
    )


def projection(keras: Any, w: Width) -> Any:
    """Residual with a projection."""
    i = _image(keras)
    x = _conv(keras, i, w(8))
    y = keras.layers.Conv2D(w(16), 3, padding="same")(_conv(keras, x, w(8), strides=2))
    s = keras.layers.BatchNormalization()(keras.layers.Conv2D(w(16), 1, strides=2)(x))
    return keras.Model(
        i, _pooled(keras, keras.layers.Activation("relu")(keras.layers.Add()([s, y])))
    )


def dense_block(keras: Any, w: Width) -> Any:
    """Concatenation (dense block)."""
    i = _image(keras)
    x = _conv(keras, i, w(8))
    for _ in range(2):
        x = keras.layers.Concatenate()([x, _conv(keras, x, w(8))])
    return keras.Model(i, _pooled(keras, _conv(keras, x, w(8), 1)))


def depthwise(keras: Any, w: Width) -> Any:
    """Depthwise + pointwise."""
    i = _image(keras)
    x = _conv(keras, i, w(8))
    x = _bn_relu(keras, keras.layers.DepthwiseConv2D(3, padding="same")(x))
    return keras.Model(i, _pooled(keras, _conv(keras, x, w(16), 1)))


def separable(keras: Any, w: Width) -> Any:
    """SeparableConv."""
    i = _image(keras)
    x = keras.layers.SeparableConv2D(w(16), 3, activation="relu")(_conv(keras, i, w(8)))
    return keras.Model(i, _pooled(keras, x))


def grouped(keras: Any, w: Width) -> Any:
    """Grouped convolution."""
    i = _image(keras)
    x = _conv(keras, _conv(keras, i, w(8)), w(16), groups=2)
    return keras.Model(i, _pooled(keras, _conv(keras, x, w(8), 1)))


def unet(keras: Any, w: Width) -> Any:
    """Conv2DTranspose U-Net with skips."""
    i = _image(keras)
    down = _conv(keras, i, w(8))
    x = _conv(keras, keras.layers.MaxPooling2D()(down), w(16))
    x = keras.layers.Conv2DTranspose(w(8), 2, strides=2, activation="relu")(x)
    x = _conv(keras, keras.layers.Concatenate()([down, x]), w(8))
    return keras.Model(i, keras.layers.Conv2D(1, 1, name="out")(x))


def gate(keras: Any, w: Width) -> Any:
    """Squeeze-and-excite gate."""
    i = _image(keras)
    x = _conv(keras, i, w(8))
    s = keras.layers.Reshape((1, 1, w(8)))(keras.layers.GlobalAveragePooling2D()(x))
    s = keras.layers.Conv2D(w(4), 1, activation="relu")(s)
    s = keras.layers.Conv2D(w(8), 1, activation="sigmoid")(s)
    x = keras.layers.Multiply()([x, s])
    return keras.Model(i, _pooled(keras, _conv(keras, x, w(8))))


def shared(keras: Any, w: Width) -> Any:
    """A layer shared by two calls."""
    i, j = _image(keras), keras.Input((8, 8, 3), name="other")
    stem = keras.layers.Conv2D(w(8), 3, activation="relu")
    x = keras.layers.Subtract()([stem(i), stem(j)])
    return keras.Model([i, j], _pooled(keras, _conv(keras, x, w(8))))


def many(keras: Any, w: Width) -> Any:
    """Many inputs, many outputs."""
    i, j = _image(keras), keras.Input((5,), name="facts")
    x = keras.layers.GlobalAveragePooling2D()(_conv(keras, i, w(8)))
    y = keras.layers.Dense(w(8), activation="relu")(j)
    z = keras.layers.Dense(w(8), activation="relu")(keras.layers.Concatenate()([x, y]))
    return keras.Model([i, j], [_out(keras, z), keras.layers.Dense(1, name="out2")(z)])


def embedding(keras: Any, w: Width) -> Any:
    """Embedding, pooling, dense."""
    i = keras.Input((STEPS,), dtype="int32", name="tokens")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(VOCABULARY, w(8))(i))
    return keras.Model(i, _out(keras, keras.layers.Dense(w(8), activation="relu")(x)))


def lstm(keras: Any, w: Width) -> Any:
    """LSTM."""
    i = _frames(keras)
    x = keras.layers.LSTM(w(8), return_sequences=True)(i)
    return keras.Model(i, _out(keras, keras.layers.LSTM(w(8))(x)))


def gru(keras: Any, w: Width) -> Any:
    """GRU."""
    i = _frames(keras)
    x = keras.layers.GRU(w(8), return_sequences=True)(i)
    return keras.Model(i, _out(keras, keras.layers.GRU(w(8))(x)))


def bidirectional(keras: Any, w: Width) -> Any:
    """Bidirectional."""
    i = _frames(keras)
    x = keras.layers.Bidirectional(keras.layers.LSTM(w(8)))(i)
    return keras.Model(i, _out(keras, x))


def states(keras: Any, w: Width) -> Any:
    """Stacked RNNs with states passed."""
    i = _frames(keras)
    x, h, c = keras.layers.LSTM(w(8), return_sequences=True, return_state=True)(i)
    x = keras.layers.LSTM(w(8))(x, initial_state=[h, c])
    return keras.Model(i, _out(keras, x))


def distributed(keras: Any, w: Width) -> Any:
    """TimeDistributed."""
    i = keras.Input((3, 6, 6, 2), name="clip")
    x = keras.layers.TimeDistributed(keras.layers.Conv2D(w(8), 3, activation="relu"))(i)
    x = keras.layers.TimeDistributed(keras.layers.GlobalAveragePooling2D())(x)
    return keras.Model(i, _out(keras, keras.layers.LSTM(w(8))(x)))


def conv_lstm(keras: Any, w: Width) -> Any:
    """ConvLSTM."""
    i = keras.Input((3, 6, 6, 2), name="clip")
    x = keras.layers.ConvLSTM2D(w(8), 3, padding="same")(i)
    return keras.Model(i, _pooled(keras, x))


def _block(keras: Any, x: Any, w: Width, attention: Any, other: Any = None) -> Any:
    layers = keras.layers
    x = layers.LayerNormalization()(layers.Add()([x, attention(x, x if other is None else other)]))
    y = layers.Dense(8, name="stay")(layers.Dense(w(16), activation="relu")(x))
    return layers.LayerNormalization()(layers.Add()([x, y]))


def self_attention(keras: Any, w: Width) -> Any:
    """Self-attention (heads), feed-forward."""
    i = _frames(keras, 8)
    x = _block(keras, i, w, keras.layers.MultiHeadAttention(w(4), 4, name="attention"))
    return keras.Model(i, _out(keras, keras.layers.GlobalAveragePooling1D()(x)))


def cross_attention(keras: Any, w: Width) -> Any:
    """Cross-attention (heads), feed-forward."""
    i, j = _frames(keras, 8), keras.Input((5, 8), name="other")
    x = _block(keras, i, w, keras.layers.MultiHeadAttention(w(4), 4, name="attention"), j)
    return keras.Model([i, j], _out(keras, keras.layers.GlobalAveragePooling1D()(x)))


def grouped_queries(keras: Any, w: Width) -> Any:
    """GroupedQueryAttention (shared heads), feed-forward."""
    i = _frames(keras, 8)
    attention = keras.layers.GroupQueryAttention(4, w(8), w(4), name="attention")
    x = _block(keras, i, w, attention)
    return keras.Model(i, _out(keras, keras.layers.GlobalAveragePooling1D()(x)))


def speech(keras: Any, w: Width) -> Any:
    """Conv1D speech net."""
    i = keras.Input((16, 3), name="frames")
    x = keras.layers.Conv1D(w(8), 3, dilation_rate=2, activation="relu")(i)
    x = keras.layers.BatchNormalization()(keras.layers.MaxPooling1D()(x))
    x = keras.layers.Conv1D(w(8), 3, activation="relu")(x)
    return keras.Model(i, _out(keras, keras.layers.GlobalAveragePooling1D()(x)))


def video(keras: Any, w: Width) -> Any:
    """Conv3D video net."""
    i = keras.Input((4, 6, 6, 2), name="video")
    x = keras.layers.BatchNormalization()(keras.layers.Conv3D(w(8), 3, activation="relu")(i))
    x = keras.layers.Conv3D(w(8), 2, activation="relu")(x)
    return keras.Model(i, _out(keras, keras.layers.GlobalAveragePooling3D()(x)))


def nested(keras: Any, w: Width) -> Any:
    """Models inside models, two levels deep."""
    i, j, k = (keras.Input(shape) for shape in ((8, 8, 3), (8, 8, 3), (8, 8, w(8))))
    tail = keras.Sequential([k, keras.layers.Conv2D(w(8), 3, activation="relu")], name="tail")
    inner = keras.Model(j, tail(_conv(keras, j, w(8))), name="inner")
    return keras.Model(i, _pooled(keras, _conv(keras, inner(i), w(8))))


def moved(keras: Any, w: Width) -> Any:
    """Permute and Reshape in the middle."""
    i = _image(keras)
    x = keras.layers.Permute((3, 1, 2))(_conv(keras, i, w(8)))
    x = keras.layers.Permute((2, 1))(keras.layers.Reshape((w(8), 64))(x))
    x = keras.layers.Dense(w(8), activation="relu")(x)
    return keras.Model(i, _out(keras, keras.layers.Flatten()(x)))


def operators(keras: Any, w: Width) -> Any:
    """Operators: x + y, x * c."""
    i = _image(keras)
    x = _conv(keras, i, w(8)) * 0.5 + _conv(keras, i, w(8))
    return keras.Model(i, _pooled(keras, _conv(keras, x, w(8))))


def slopes(keras: Any, w: Width) -> Any:
    """PReLU."""
    i = _image(keras)
    x = keras.layers.PReLU(shared_axes=[1, 2])(keras.layers.Conv2D(w(8), 3)(i))
    return keras.Model(i, _pooled(keras, keras.layers.PReLU()(keras.layers.Conv2D(w(8), 3)(x))))


def group_norm(keras: Any, w: Width) -> Any:
    """GroupNorm, whole groups."""
    i = _image(keras)
    x = keras.layers.Conv2D(w(8), 3, name="pairs")(i)
    x = keras.layers.GroupNormalization(w(4), name="pairs_norm")(x)
    return keras.Model(i, _pooled(keras, _conv(keras, keras.layers.Activation("relu")(x), w(8))))


BUILDERS: dict[str, Callable[[Any, Width], Any]] = {
    builder.__name__: builder
    for builder in (
        *(plain, flattened, residual, projection, dense_block, depthwise, separable, grouped),
        *(unet, gate, shared, many, embedding, lstm, gru, bidirectional, states, distributed),
        *(conv_lstm, self_attention, cross_attention, grouped_queries, speech, video, nested),
        *(moved, operators, slopes, group_norm),
    )
}


def title(name: str) -> str:
    """What a table calls the topology."""
    return str(BUILDERS[name].__doc__).splitlines()[0].rstrip(".")


def silent(layer_name: str, count: int) -> list[int]:
    """Channels out of ``count`` that :func:`silence` gives the value zero: half of them."""
    if layer_name.startswith(("out", "stay")):
        return []  # the model's outputs, and the width that a LayerNorm normalises over
    # The groups of a GroupNorm go whole, here two channels each.
    return [c for c in range(count) if (c // 2 if layer_name.startswith("pairs") else c) % 2]


def randomize(model: Any, seed: int = 0) -> None:
    """Give every weight a value that is neither 0 nor 1; BatchNorm's variances are positive."""
    rng = np.random.default_rng(seed)
    for layer in layers_of(model):
        normalizes = type(layer).__name__ == "BatchNormalization"
        weights = [rng.normal(0, 0.4, weight.shape) for weight in layer.get_weights()]
        if normalizes:
            weights[3] = rng.uniform(0.5, 1.5, weights[3].shape)
        layer.set_weights(weights)


def silence(model: Any) -> None:
    """Give half of all inner channels the value zero for every input, biases and BatchNorm too."""
    for layer in layers_of(model):
        layer.set_weights(_silenced(layer, layer.get_weights()))


def layers_of(model: Any) -> list[Any]:
    """All layers, models inside the model opened."""
    found = []
    for layer in model.layers:
        found += layers_of(layer) if hasattr(layer, "layers") else [layer]
    return found


def samples(model: Any) -> list[np.ndarray]:
    """Four random samples for each input."""
    rng = np.random.default_rng(1)
    shapes = [(4, *(int(size) for size in tensor.shape[1:])) for tensor in model.inputs]
    return [
        rng.integers(0, VOCABULARY, shape)
        if "int" in str(tensor.dtype)
        else rng.normal(size=shape).astype("float32")
        for tensor, shape in zip(model.inputs, shapes, strict=True)
    ]


def outputs(model: Any) -> list[np.ndarray]:
    """What the model answers to :func:`samples`."""
    given = samples(model)
    answer = model(given if len(given) > 1 else given[0], training=False)
    return [np.asarray(out) for out in (answer if isinstance(answer, list | tuple) else [answer])]


def _silenced(layer: Any, weights: list[np.ndarray]) -> list[np.ndarray]:
    kind, name = type(getattr(layer, "layer", layer)).__name__, layer.name
    if kind in ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention"):
        # Heads and width of the value projection: kernel (in, heads, width), bias (heads, width).
        for weight in [w for w in weights if w.ndim > 1][4:6]:
            weight[..., silent(name, weight.shape[-2]), :] = 0
            weight[..., silent(name, weight.shape[-1])] = 0
        return weights
    if kind in ("LayerNormalization", "PReLU"):
        return weights
    if kind == "BatchNormalization":
        weights[1][silent(name, len(weights[1]))] = weights[2][silent(name, len(weights[2]))] = 0
        return weights
    for weight in weights:
        axis = weight.ndim - 1
        if kind == "Conv2DTranspose" and weight.ndim == 4:
            axis = 2
        if kind == "DepthwiseConv2D" and weight.ndim == 4:
            continue
        if kind == "SeparableConv2D" and weight is weights[0]:
            continue
        gates = {"LSTM": 4, "ConvLSTM2D": 4, "GRU": 3}.get(kind, 1)
        units = weight.shape[axis] // gates
        gone = [gate * units + unit for gate in range(gates) for unit in silent(name, units)]
        np.moveaxis(weight, axis, 0)[gone] = 0
    return weights
