"""Builders of models over time steps and tokens. ``keras`` is either Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STEPS = 6
FEATURES = 4
VOCABULARY = 20


def _frames(keras: Any) -> Any:
    return keras.Input((STEPS, FEATURES), name="frames")


def _tokens(keras: Any) -> Any:
    return keras.Input((STEPS,), dtype="int32", name="tokens")


def conv1d(keras: Any) -> Any:
    """Causal and strided Conv1D, pooling over time."""
    i = _frames(keras)
    x = keras.layers.Conv1D(6, 3, padding="causal", name="conv1")(i)
    x = keras.layers.BatchNormalization(name="conv1_bn")(x)
    x = keras.layers.LeakyReLU(name="leaky")(x)
    x = keras.layers.Conv1D(5, 2, strides=2, activation="relu", name="conv2")(x)
    x = keras.layers.GlobalMaxPooling1D(name="pool")(x)
    return keras.Model(
        i, keras.layers.Dense(3, activation="softmax", name="logits")(x), name="conv1d"
    )


def lstm(keras: Any) -> Any:
    """Two stacked LSTMs."""
    i = _frames(keras)
    x = keras.layers.LSTM(6, return_sequences=True, name="lstm1")(i)
    x = keras.layers.LSTM(5, name="lstm2")(x)
    return keras.Model(
        i, keras.layers.Dense(3, activation="softmax", name="logits")(x), name="lstm"
    )


def gru(keras: Any) -> Any:
    """A GRU with ``reset_after=True`` (bias of rank 2) before one with ``reset_after=False``."""
    i = _frames(keras)
    x = keras.layers.GRU(6, return_sequences=True, reset_after=True, name="gru_after")(i)
    x = keras.layers.GRU(5, reset_after=False, name="gru_before")(x)
    return keras.Model(i, keras.layers.Dense(3, activation="softmax", name="logits")(x), name="gru")


def simple_rnn(keras: Any) -> Any:
    """A SimpleRNN between dense layers."""
    i = _frames(keras)
    x = keras.layers.Dense(5, activation="relu", name="frame_dense")(i)
    x = keras.layers.SimpleRNN(6, name="rnn")(x)
    return keras.Model(
        i, keras.layers.Dense(3, activation="softmax", name="logits")(x), name="simple_rnn"
    )


def bidirectional(keras: Any) -> Any:
    """Embedding with a mask, bidirectional LSTM and GRU, both concatenated."""
    i = _tokens(keras)
    x = keras.layers.Embedding(VOCABULARY, 5, mask_zero=True, name="embedding")(i)
    inner = keras.layers.LSTM(4, return_sequences=True, name="inner_lstm")
    x = keras.layers.Bidirectional(inner, name="both_lstm")(x)
    x = keras.layers.Bidirectional(keras.layers.GRU(3, name="inner_gru"), name="both_gru")(x)
    return keras.Model(
        i, keras.layers.Dense(1, activation="sigmoid", name="score")(x), name="bidirectional"
    )


def embedding_pool(keras: Any) -> Any:
    """Embedding, mean over the tokens, dense layers: a bag of words."""
    i = _tokens(keras)
    x = keras.layers.Embedding(VOCABULARY, 6, name="embedding")(i)
    x = keras.layers.GlobalAveragePooling1D(name="pool")(x)
    x = keras.layers.Dense(5, activation="relu", name="hidden")(x)
    x = keras.layers.Dense(3, activation="softmax", name="logits")(x)
    return keras.Model(i, x, name="embedding_pool")


def attention(keras: Any) -> Any:
    """A transformer block: multi-head self-attention, LayerNorm, a feed-forward pair, residuals."""
    i = _tokens(keras)
    x = keras.layers.Embedding(VOCABULARY, 8, name="embedding")(i)
    y = keras.layers.MultiHeadAttention(num_heads=3, key_dim=4, name="attention")(x, x)
    x = keras.layers.Add(name="add1")([x, y])
    x = keras.layers.LayerNormalization(name="norm1")(x)
    y = keras.layers.Dense(10, activation="relu", name="ffn1")(x)
    y = keras.layers.Dense(8, name="ffn2")(y)
    x = keras.layers.LayerNormalization(name="norm2")(keras.layers.Add(name="add2")([x, y]))
    x = keras.layers.GlobalAveragePooling1D(name="pool")(x)
    return keras.Model(
        i, keras.layers.Dense(3, activation="softmax", name="logits")(x), name="attention"
    )


def time_distributed(keras: Any) -> Any:
    """Dense layers applied to every frame; one label per frame."""
    i = _frames(keras)
    x = keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True), name="both")(i)
    x = keras.layers.TimeDistributed(keras.layers.Dense(6, activation="relu"), name="frame_hidden")(
        x
    )
    last = keras.layers.Dense(4, activation="softmax")
    x = keras.layers.TimeDistributed(last, name="frame_logits")(x)
    return keras.Model(i, x, name="time_distributed")


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        conv1d,
        lstm,
        gru,
        simple_rnn,
        bidirectional,
        embedding_pool,
        attention,
        time_distributed,
    )
}
