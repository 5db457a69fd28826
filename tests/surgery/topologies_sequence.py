"""Recurrent layers and attention in their rarer forms. ``keras`` is either Keras."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from tests.surgery.topologies_operators import operation

STEPS = 5


def _frames(keras: Any, width: int = 4) -> Any:
    return keras.Input((STEPS, width), name="frames")


def _classes(keras: Any, x: Any) -> Any:
    return keras.layers.Dense(3, activation="softmax", name="logits")(x)


def conv_lstm(keras: Any) -> Any:
    """ConvLSTM2D on ConvLSTM2D, states passed on, then one in both directions."""
    layers = keras.layers
    i = keras.Input((3, 6, 6, 2), name="clip")
    x, h, c = layers.ConvLSTM2D(
        4, 3, padding="same", return_sequences=True, return_state=True, name="first"
    )(i)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.ConvLSTM2D(4, 3, padding="same", return_sequences=True, name="second")(
        x, initial_state=[h, c]
    )
    both = layers.Bidirectional(layers.ConvLSTM2D(3, 3, name="inner"), name="both")(x)
    return keras.Model(i, _classes(keras, layers.GlobalAveragePooling2D(name="pool")(both)))


def conv_lstm_1d_3d(keras: Any) -> Any:
    """ConvLSTM over lines and over volumes."""
    layers = keras.layers
    i, j = keras.Input((3, 6, 2), name="lines"), keras.Input((2, 4, 4, 4, 2), name="volumes")
    x = layers.ConvLSTM1D(5, 3, strides=2, name="line")(i)
    y = layers.ConvLSTM3D(4, 2, name="volume")(j)
    x = layers.Concatenate(name="both")(
        [layers.GlobalMaxPooling1D(name="p")(x), layers.GlobalMaxPooling3D(name="q")(y)]
    )
    return keras.Model([i, j], _classes(keras, x))


def repeated_models(keras: Any) -> Any:
    """A functional image model and a Sequential, each applied to every step of a clip."""
    layers = keras.layers
    j = keras.Input((6, 6, 5), name="picture")
    x = layers.Conv2D(6, 3, padding="same", name="conv")(j)
    x = layers.BatchNormalization(name="bn")(x)
    y = layers.Conv2D(6, 1, name="gate")(x)
    x = layers.Flatten(name="flatten")(layers.Add(name="add")([x, y]))
    pictures = keras.Model(j, layers.Dense(7, activation="relu", name="features")(x), name="inner")
    head = keras.Sequential(
        [keras.Input((7,)), layers.Dense(6, name="d1"), layers.Dropout(0.1), layers.Dense(5)]
    )
    i = keras.Input((3, 6, 6, 2), name="clip")
    x = layers.TimeDistributed(layers.Conv2D(5, 1, name="colours"), name="first")(i)
    x = layers.TimeDistributed(pictures, name="each")(x)
    x = layers.TimeDistributed(head, name="each_head")(x)
    return keras.Model(i, _classes(keras, layers.LSTM(4, name="lstm")(x)))


def cells(keras: Any) -> Any:
    """RNN around one cell, and around a stack of cells that returns its states."""
    layers = keras.layers
    i = _frames(keras)
    x = layers.RNN(layers.LSTMCell(5), return_sequences=True, name="one")(i)
    stack = [layers.GRUCell(4), layers.LSTMCell(6), layers.SimpleRNNCell(3)]
    x, _, h, _, _ = _flat(layers.RNN(stack, return_state=True, name="stack")(x))
    x = layers.Concatenate(name="join")([x, layers.Dense(6, name="state")(h)])
    return keras.Model(i, _classes(keras, x))


def _flat(values: Any) -> list[Any]:
    return [leaf for v in values for leaf in (v if isinstance(v, list | tuple) else [v])]


def states_of_both(keras: Any) -> Any:
    """A bidirectional encoder whose four states start a decoder twice as wide."""
    layers = keras.layers
    i, j = _frames(keras), keras.Input((4, 3), name="target")
    _, fh, fc, bh, bc = layers.Bidirectional(
        layers.LSTM(4, return_state=True, name="inner"), name="encoder"
    )(i)
    h = layers.Concatenate(name="h")([fh, bh])
    c = layers.Concatenate(name="c")([fc, bc])
    x = layers.LSTM(8, return_sequences=True, name="decoder")(j, initial_state=[h, c])
    g = layers.GRU(5, return_sequences=True, return_state=True, name="gru")(x)
    x = layers.GRU(5, reset_after=False, name="again")(g[0], initial_state=g[1])
    return keras.Model([i, j], _classes(keras, x))


def directions_apart(keras: Any) -> Any:
    """Bidirectional without a merge: two tensors that hold the same units."""
    layers = keras.layers
    i = _frames(keras)
    x, y = layers.Bidirectional(layers.GRU(5), merge_mode=None, name="both")(i)
    x = layers.Dense(4, activation="relu", name="a")(x)
    y = layers.Dense(6, activation="relu", name="b")(y)
    return keras.Model(i, _classes(keras, layers.Concatenate(name="join")([x, y])))


def grouped_queries(keras: Any) -> Any:
    """Shared heads that outnumber their readers, then readers that outnumber them, with a gate."""
    layers = keras.layers
    i, j = _frames(keras), keras.Input((6, 3), name="other")
    q = layers.Dense(6, name="q")(i)
    v = layers.Dense(6, name="v")(j)
    k = layers.Dense(7, name="k")(j)
    x = layers.GroupQueryAttention(3, 6, 3, name="shared")(q, v, key=k)
    x = layers.Add(name="add")([q, x])
    y = layers.GroupQueryAttention(2, 6, 2, use_gate=True, use_bias=False, name="readers")(x, x)
    x = layers.Dense(5, activation="relu", name="after")(layers.Add(name="add2")([x, y]))
    return keras.Model([i, j], _classes(keras, layers.GlobalAveragePooling1D(name="pool")(x)))


def einsum(keras: Any) -> Any:
    """EinsumDense that makes channels, follows them, and sums over positions."""
    layers = keras.layers
    i = _frames(keras)
    x = layers.EinsumDense("abc,cd->abd", (STEPS, 6), bias_axes="d", name="plain")(i)
    x = layers.EinsumDense("abd,be->aed", (4, 6), bias_axes="e", name="positions")(x)
    x = layers.EinsumDense("abd,bd->abd", (4, 6), bias_axes="bd", name="scaled")(x)
    x = layers.EinsumDense("...d,de->...e", (5,), activation="relu", name="spread")(x)
    x = layers.EinsumDense("abd,dhe->abhe", (4, 2, 7), bias_axes="he", name="heads")(x)
    return keras.Model(i, _classes(keras, layers.Flatten(name="flatten")(x)))


def normalized(keras: Any) -> Any:
    """GroupNorm by groups, by channels and as one; LayerNorm over positions and over channels."""
    layers = keras.layers
    i = keras.Input((6, 6, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="conv1")(i)
    x = layers.GroupNormalization(4, name="groups")(x)
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv2")(x)
    x = layers.GroupNormalization(-1, name="instances")(x)
    x = layers.LayerNormalization(axis=[1, 2], name="positions")(x)
    x = layers.Conv2D(5, 3, activation="relu", name="conv3")(x)
    x = layers.GroupNormalization(1, name="one")(x)
    x = layers.Conv2D(7, 1, name="conv4")(x)
    x = layers.LayerNormalization(axis=[1, 2, 3], name="all")(x)
    x = layers.Dense(9, activation="relu", name="hidden")(x)
    norm = getattr(layers, "RMSNormalization", layers.LayerNormalization)
    x = layers.Dense(6, name="wide")(norm(name="rms")(x))
    x = layers.UnitNormalization(name="unit")(x)
    return keras.Model(i, _classes(keras, layers.GlobalAveragePooling2D(name="pool")(x)))


def spectral(keras: Any) -> Any:
    """SpectralNormalization around a convolution and around a dense layer."""
    layers = keras.layers
    i = keras.Input((6, 6, 3), name="image")
    x = layers.SpectralNormalization(layers.Conv2D(5, 3, name="conv"), name="sn_conv")(i)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.SpectralNormalization(layers.Dense(6, activation="relu"), name="sn_dense")(x)
    return keras.Model(i, _classes(keras, x))


def layer_scale(keras: Any) -> Any:
    """A residual branch with a learned factor for each channel, as in ConvNeXt."""
    module = "keras.src" if keras.__name__ == "keras" else "tf_keras.src"
    scale = importlib.import_module(f"{module}.applications.convnext").LayerScale
    layers = keras.layers
    i = keras.Input((6, 6, 3), name="image")
    x = layers.Conv2D(5, 3, padding="same", name="stem")(i)
    y = layers.Dense(8, activation="gelu", name="wide")(x)
    y = scale(0.5, 5, name="scale")(layers.Dense(5, name="narrow")(y))
    x = layers.Add(name="add")([x, y])
    return keras.Model(i, _classes(keras, layers.GlobalAveragePooling2D(name="pool")(x)))


def reversed_table(keras: Any) -> Any:
    """Tables that turn tokens into channels and channels back into tokens, tied and not."""
    layers = keras.layers
    i = keras.Input((STEPS,), dtype="int32", name="tokens")
    tied = layers.ReversibleEmbedding(12, 6, name="tied")
    apart = layers.ReversibleEmbedding(12, 5, tie_weights=False, name="apart")
    x = layers.Dense(6, activation="relu", name="hidden")(tied(i))
    x = layers.Add(name="add")([x, tied(i)])
    y = layers.LSTM(5, return_sequences=True, name="lstm")(apart(i))
    return keras.Model(i, [tied(x, reverse=True), apart(y, reverse=True)])


def random_features(keras: Any) -> Any:
    """A random projection and its cosine between dense layers."""
    layers = keras.layers
    i = keras.Input((5,), name="facts")
    x = layers.Dense(6, activation="relu", name="before")(i)
    x = layers.experimental.RandomFourierFeatures(8, trainable=True, name="features")(x)
    return keras.Model(i, _classes(keras, x))


def scaled_sum(keras: Any) -> Any:
    """The residual sum of InceptionResNetV2, with a layer that only training notices."""
    module = "keras.src" if keras.__name__ == "keras" else "tf_keras.src"
    scale = importlib.import_module(f"{module}.applications.inception_resnet_v2").CustomScaleLayer
    drop = importlib.import_module(f"{module}.applications.convnext").StochasticDepth
    layers = keras.layers
    i = keras.Input((6, 6, 3), name="image")
    x = layers.Conv2D(5, 3, padding="same", name="stem")(i)
    y = drop(0.2, name="drop")(layers.Conv2D(5, 1, name="branch")(x))
    x = scale(0.3, name="sum")([x, y])
    x = layers.Conv2D(4, 1, activation="relu", name="top")(x)
    return keras.Model(i, _classes(keras, layers.GlobalAveragePooling2D(name="pool")(x)))


def local(keras: Any) -> Any:
    """Kernels of their own at every position, both implementations, one and two dimensions."""
    layers = keras.layers
    i = keras.Input((6, 6, 3), name="image")
    x = layers.LocallyConnected2D(4, 3, name="local1")(i)
    x = layers.LocallyConnected2D(5, 2, implementation=2, activation="relu", name="local2")(x)
    x = layers.Reshape((9, 5), name="line")(x)
    x = layers.LocallyConnected1D(4, 2, name="local3")(x)
    return keras.Model(i, _classes(keras, layers.Flatten(name="flatten")(x)))


def mixed_positions(keras: Any) -> Any:
    """The blocks of an MLP-Mixer: Dense along the positions, then along the channels."""
    layers = keras.layers
    i = keras.Input((8, 8, 2), name="image")
    x = layers.Conv2D(5, 2, strides=2, name="patches")(i)
    x = layers.Reshape((16, 5), name="tokens")(x)
    y = layers.Permute((2, 1), name="channels_first")(x)
    y = layers.Dense(6, activation="relu", name="positions")(y)
    y = layers.Permute((2, 1), name="back")(layers.Dense(16, name="positions_back")(y))
    x = layers.Add(name="first_sum")([x, y])
    y = layers.Dense(7, activation="relu", name="channels")(x)
    x = layers.Add(name="second_sum")([x, layers.Dense(5, name="channels_back")(y)])
    return keras.Model(i, _classes(keras, layers.GlobalAveragePooling1D(name="mean")(x)))


def gated_positions(keras: Any) -> Any:
    """A gMLP whose positions are mixed by a convolution between two transpositions."""
    layers = keras.layers
    i = _frames(keras)
    x = layers.Dense(7, name="stem")(i)
    wide = layers.Dense(8, activation="gelu", name="wide")(x)
    kept, gate = wide[:, :, :4], wide[:, :, 4:]
    gate = layers.Permute((2, 1), name="channels_first")(gate)
    gate = layers.Permute((2, 1), name="back")(layers.Conv1D(STEPS, 1, name="positions")(gate))
    x = x + layers.Dense(7, name="narrow")(kept * gate)
    return keras.Model(i, _classes(keras, layers.GlobalAveragePooling1D(name="mean")(x)))


def input_mixed_first(keras: Any) -> Any:
    """A TSMixer: first the steps of the input itself are mixed, then its features."""
    layers = keras.layers
    i = _frames(keras)
    x = layers.Permute((2, 1), name="steps_last")(i)
    x = layers.Dense(9, activation="relu", name="steps")(x)
    x = layers.Permute((2, 1), name="back")(layers.Dense(STEPS, name="steps_back")(x))
    x = layers.Add(name="add")([i, x])
    x = layers.Dense(6, activation="relu", name="features")(x)
    return keras.Model(i, _classes(keras, layers.Flatten(name="flatten")(x)))


def pooled_channels(keras: Any) -> Any:
    """Maxout: the largest of every set of channels, by pooling; and other axes beside channels."""
    layers = keras.layers
    i = keras.Input((4, 6, 3), name="image")
    x = layers.Conv2D(6, 3, padding="same", name="conv")(i)
    x = layers.Permute((1, 3, 2), name="channels_second")(x)
    x = layers.MaxPooling2D((1, 2), name="largest")(layers.MaxPooling2D((2, 1), name="rows")(x))
    x = layers.ZeroPadding2D(((1, 1), (0, 0)), name="pad")(
        layers.UpSampling2D((1, 2), name="up")(x)
    )
    x = layers.Conv2D(5, 1, name="top")(layers.Permute((1, 3, 2), name="channels_last")(x))
    x = layers.Reshape((8, 1), name="line")(layers.Dense(8, name="wide")(_mean(keras, x)))
    x = layers.Flatten(name="flatten")(layers.AveragePooling1D(2, name="sets")(x))
    return keras.Model(i, _classes(keras, x))


def _mean(keras: Any, x: Any) -> Any:
    return keras.layers.GlobalAveragePooling2D(name="mean")(x)


def decoders(keras: Any) -> Any:
    """Units that become an image or steps, which are longer than the channels that are read."""
    layers = keras.layers
    i = keras.Input((5,), name="code")
    x = layers.Dense(8 * 8 * 4, name="image_units")(i)
    x = layers.LeakyReLU(name="leaky")(layers.Reshape((8, 8, 4), name="image")(x))
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.Conv2DTranspose(3, 3, 2, padding="same", name="larger")(x)
    y = layers.Dense(9 * 4, activation="relu", name="step_units")(i)
    y = layers.Reshape((9, 4), name="steps")(y)
    again = layers.Dense(5, name="read")(layers.Dropout(0.1, name="dropout")(y))
    y = layers.Concatenate(name="join")(
        [layers.LSTM(4, return_sequences=True, name="lstm")(y), again]
    )
    z = layers.Dense(16 * 16 * 3, name="sum_units")(i)
    x = layers.Add(name="add")([layers.Reshape((16, 16, 3), name="other_image")(z), x])
    image = layers.Conv2D(1, 3, padding="same", name="picture")(x)
    return keras.Model(i, [image, _classes(keras, layers.Flatten(name="flatten")(y))])


def repeated_decoders(keras: Any) -> Any:
    """At every step units become an image of its own, inside a model and by layers in a row."""
    layers = keras.layers
    i = keras.Input((3, 5), name="codes")
    x = layers.LSTM(6, return_sequences=True, name="lstm")(i)
    decoder = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8 * 8 * 4, activation="relu", name="units"),
            layers.Reshape((8, 8, 4), name="image"),
            layers.Conv2DTranspose(3, 3, 2, padding="same", name="larger"),
            layers.Conv2D(1, 3, padding="same", name="picture"),
        ],
        name="decoder",
    )
    pictures = layers.TimeDistributed(decoder, name="pictures")(x)
    steps = (
        (layers.Dense(6 * 4), "step_units"),
        (layers.Reshape((6, 4)), "rows"),
        (layers.ReLU(), "relu"),
        (layers.Conv1D(3, 3), "lines"),
        (layers.GlobalMaxPooling1D(), "max"),
    )
    for layer, name in steps:
        x = layers.TimeDistributed(layer, name=name)(x)
    return keras.Model(i, [pictures, _classes(keras, layers.Flatten(name="flatten")(x))])


def compared_beside(keras: Any) -> Any:
    """Units that become few sets, each compared, normalised or averaged as a whole: sets go."""
    layers = keras.layers
    i = keras.Input((5,), name="code")
    sets = {
        name: layers.Reshape((3, 4), name=f"sets_{name}")(layers.Dense(12, name=name)(i))
        for name in ("codes", "choices", "norms", "means")
    }
    made = [
        layers.Softmax(name="softmax")(sets["codes"]),
        layers.Activation("softmax", name="activation")(sets["choices"]),
        layers.LayerNormalization(name="norm")(sets["norms"]),
        operation(keras, "mean")(sets["means"], axis=-1),
    ]
    flat = [layers.Flatten(name=f"flat_{n}")(x) for n, x in enumerate(made)]
    return keras.Model(i, _classes(keras, layers.Concatenate(name="all")(flat)))


def repeated_backbone(keras: Any) -> Any:
    """A Sequential of a backbone, a model of two inputs and a head, applied to every step."""
    layers = keras.layers
    i = keras.Input((8, 8, 3), name="picture")
    x = layers.BatchNormalization(name="bn")(layers.Conv2D(6, 3, name="conv")(i))
    backbone = keras.Model(i, layers.Conv2D(5, 3, name="features")(x), name="backbone")
    maps, factors = keras.Input((4, 4, 5), name="maps"), keras.Input((5,), name="factors")
    rows = layers.Reshape((1, 1, 5), name="rows")(factors)
    gate = keras.Model([maps, factors], layers.Multiply(name="times")([maps, rows]), name="gate")
    i = keras.Input((8, 8, 3), name="frame")
    x = backbone(i)
    x = gate([x, layers.GlobalAveragePooling2D(name="mean")(x)])
    frame = keras.Model(i, layers.Flatten(name="flat")(x), name="frame_model")
    head = keras.Sequential(
        [keras.Input((80,)), layers.Dense(7, activation="relu", name="conv"), layers.Dense(6)],
        name="head",
    )
    each = keras.Sequential([keras.Input((8, 8, 3)), frame, head], name="each")
    clip = keras.Input((3, 8, 8, 3), name="clip")
    x = layers.TimeDistributed(each, name="frames")(clip)
    return keras.Model(clip, _classes(keras, layers.GRU(4, name="gru")(x)))


def read_two_ways(keras: Any) -> Any:
    """Units that become steps and are read along both axes, by one call of a layer or by two."""
    layers = keras.layers
    i = keras.Input((5,), name="code")
    shared = layers.Reshape((9, 4), name="shared")
    x = shared(layers.Dense(36, name="rows")(i))
    y = layers.Permute((2, 1), name="turned")(shared(layers.Dense(36, name="columns")(i)))
    z = layers.Reshape((6, 3), name="both")(layers.Dense(18, name="both_units")(i))
    read = [layers.LSTM(4, name="first")(x), layers.LSTM(3, name="second")(y)]
    read.append(layers.Conv1D(4, 3, strides=4, name="third")(z)[:, 0])
    read.append(layers.LSTM(4, name="fourth")(layers.Permute((2, 1), name="turned_too")(z)))
    return keras.Model(i, _classes(keras, layers.Concatenate(name="join")(read)))


def neighbours(keras: Any) -> Any:
    """An ECA-Net: a gate for each channel, made of its neighbours by a convolution."""
    layers = keras.layers
    i = keras.Input((6, 6, 3), name="image")
    x = layers.Conv2D(7, 3, activation="relu", name="conv")(i)
    gate = layers.Reshape((7, 1), name="column")(_mean(keras, x))
    gate = layers.Conv1D(1, 3, padding="same", activation="sigmoid", name="gate")(gate)
    x = layers.Multiply(name="gated")([x, layers.Reshape((1, 1, 7), name="row")(gate)])
    x = layers.Conv2D(5, 1, name="top")(x)
    return keras.Model(i, _classes(keras, layers.Flatten(name="flatten")(x)))


def text_as_image(keras: Any) -> Any:
    """Tokens as rows of an image, read by kernels that are as wide as the embedding."""
    layers = keras.layers
    i = keras.Input((9,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 6, name="embedding")(i)
    x = layers.Reshape((9, 6, 1), name="image")(x)
    read = []
    for rows in (2, 3):
        y = layers.Conv2D(4, (rows, 6), activation="relu", name=f"conv{rows}")(x)
        y = layers.MaxPooling2D((10 - rows, 1), name=f"pool{rows}")(y)
        read.append(layers.Flatten(name=f"flatten{rows}")(y))
    return keras.Model(i, _classes(keras, layers.Concatenate(name="join")(read)))


def adapted(keras: Any) -> Any:
    """Kernels with low-rank adapters (LoRA), as a fine-tuned model is saved with them."""
    layers = keras.layers
    i, j = keras.Input((6,), dtype="int32", name="tokens"), keras.Input((8, 8, 3), name="image")
    x = layers.Embedding(9, 6, lora_rank=2, name="table")(i)
    x = layers.Dense(7, activation="relu", lora_rank=3, name="dense")(x)
    x = layers.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d", lora_rank=2, name="einsum")(x)
    y = layers.Conv2D(4, 3, lora_rank=2, name="first")(j)
    y = layers.Conv2D(5, 3, lora_rank=2, name="second")(y)
    x = layers.Concatenate(name="both")(
        [layers.GlobalMaxPooling1D(name="p")(x), layers.GlobalMaxPooling2D(name="q")(y)]
    )
    return keras.Model([i, j], _classes(keras, x))


def operations_of_keras_3(keras: Any) -> Any:
    """Attention and a gated linear unit as single operations."""
    layers = keras.layers
    i = _frames(keras)
    made = [layers.Dense(8, name=name)(i) for name in "qkv"]
    q, k, v = (layers.Reshape((STEPS, 4, 2))(part) for part in made)
    x = keras.ops.dot_product_attention(q, k, v, is_causal=True)
    x = layers.Dense(10, name="wide")(layers.Reshape((STEPS, 8), name="joined")(x))
    x = layers.Dense(4, name="top")(keras.ops.glu(x, axis=-1))
    made = [layers.Reshape((STEPS, 2, 4))(layers.Dense(8, name=f"{n}1")(x)) for n in "qkv"]
    x = layers.Reshape((STEPS, 8))(keras.ops.dot_product_attention(*made, scale=0.4))
    narrow = [layers.Reshape((STEPS, 2, 3))(layers.Dense(6, name=f"{n}2")(x)) for n in "qkv"]
    mask = keras.ops.expand_dims(keras.ops.matmul(i, layers.Permute((2, 1))(i)) > 0, 1)
    x = keras.ops.dot_product_attention(*narrow, mask=mask)
    x = layers.Reshape((STEPS, 6), name="again")(x)
    return keras.Model(i, _classes(keras, layers.GlobalAveragePooling1D(name="mean")(x)))


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        conv_lstm,
        conv_lstm_1d_3d,
        cells,
        repeated_models,
        states_of_both,
        directions_apart,
        grouped_queries,
        einsum,
        normalized,
        spectral,
        layer_scale,
        reversed_table,
        random_features,
        scaled_sum,
        local,
        mixed_positions,
        text_as_image,
        gated_positions,
        input_mixed_first,
        pooled_channels,
        decoders,
        repeated_decoders,
        repeated_backbone,
        compared_beside,
        read_two_ways,
        neighbours,
        operations_of_keras_3,
        adapted,
    )
}
# tf_keras 2.21 cannot build its own SpectralNormalization beside Keras 3.
ONLY = {
    "grouped_queries": "keras3",
    "spectral": "keras3",
    "local": "tf_keras",
    "reversed_table": "keras3",
    "random_features": "tf_keras",
    "operations_of_keras_3": "keras3",
    "adapted": "keras3",
}
