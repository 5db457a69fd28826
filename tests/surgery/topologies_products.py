"""Attention and graph convolutions written by hand: products of two tensors. Both Kerases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.surgery.topologies_operators import constant, operation

STEPS, NODES = 5, 6


def _classes(keras: Any, x: Any) -> Any:
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    return keras.layers.Dense(3, activation="softmax", name="logits")(x)


def attended_values(keras: Any) -> Any:
    """Attention without weights of its own hands on the channels of its values."""
    layers = keras.layers
    i = keras.Input((STEPS, 4), name="frames")
    q, k, v = (layers.Dense(n, name=name)(i) for n, name in ((5, "q"), (5, "k"), (7, "v")))
    x = layers.Attention(use_scale=True, name="scaled")([q, v, k])
    x = layers.LayerNormalization(name="norm")(layers.Dense(6, name="between")(x))
    m = layers.Dense(4, name="m")(x)
    x = layers.AdditiveAttention(use_scale=False, name="unscaled")([x, m, x])
    x = layers.Attention(score_mode="concat", name="concat")([q, x, k])
    return keras.Model(i, _classes(keras, layers.Dense(6, activation="relu", name="top")(x)))


def additive_attention(keras: Any) -> Any:
    """The scale of additive attention reads query and key together; the keys are values, too."""
    layers = keras.layers
    i = keras.Input((STEPS, 4), name="frames")
    q, k = layers.Dense(6, name="q")(i), layers.Dense(6, name="k")(i)
    x = layers.AdditiveAttention(name="keys_as_values")([q, k])
    width = 4 if hasattr(keras, "ops") else 5  # tf_keras cannot build it for other values
    r, s, v = (layers.Dense(n, name=name)(x) for n, name in ((5, "r"), (5, "s"), (width, "v")))
    x = layers.AdditiveAttention(name="apart")([r, v, s])
    return keras.Model(i, _classes(keras, x))


def _heads(keras: Any, x: Any, heads: int, width: int, name: str) -> Any:
    x = keras.layers.Dense(heads * width, name=name)(x)
    x = keras.layers.Reshape((STEPS, heads, width), name=f"{name}_heads")(x)
    return keras.layers.Permute((2, 1, 3), name=f"{name}_first")(x)


def _by_hand(keras: Any, x: Any, heads: int, width: int, name: str, compare: Any) -> Any:
    layers, matmul = keras.layers, operation(keras, "matmul")
    q, k, v = (_heads(keras, x, heads, width, f"{name}_{part}") for part in "qkv")
    weights = compare(q, k, width)
    x = layers.Permute((2, 1, 3), name=f"{name}_back")(matmul(weights, v))
    x = layers.Reshape((STEPS, heads * width), name=f"{name}_joined")(x)
    return layers.Dense(6, name=f"{name}_out")(x)


def heads_by_hand(keras: Any) -> Any:
    """Few wide heads: the values' width goes, in all heads alike. Many narrow ones: whole heads."""
    layers, matmul = keras.layers, operation(keras, "matmul")

    def by_operators(q: Any, k: Any, width: int) -> Any:
        turned = operation(keras, "transpose")(k, (0, 1, 3, 2))
        return layers.Softmax(name="wide_softmax")(matmul(q, turned) / width**0.5)

    def by_layers(q: Any, k: Any, width: int) -> Any:
        turned = layers.Permute((1, 3, 2), name="narrow_turned")(k)
        scores = layers.Rescaling(width**-0.5, name="narrow_scores")(q @ turned)
        return layers.Activation("softmax", name="narrow_softmax")(scores)

    i = keras.Input((STEPS, 4), name="frames")
    x = layers.Dense(6, name="stem")(i)
    y = _by_hand(keras, x, 2, 4, "wide", by_operators)
    x = layers.Add(name="first_sum")([x, y])
    x = layers.Add(name="second_sum")([x, _by_hand(keras, x, 6, 2, "narrow", by_layers)])
    return keras.Model(i, _classes(keras, x))


def graph_convolution(keras: Any) -> Any:
    """The features of a graph's nodes, mixed by an adjacency matrix that is an input."""
    layers = keras.layers
    nodes = keras.Input((NODES, 3), name="nodes")
    edges = keras.Input((NODES, NODES), name="edges")
    x = layers.Dense(5, name="first")(nodes)
    x = layers.ReLU(name="relu")(layers.Dot(axes=(2, 1), name="dot")([edges, x]))
    x = layers.Dense(6, name="second")(x)
    x = operation(keras, "matmul")(edges, x)
    x = layers.Dense(7, name="third")(x)
    x = operation(keras, "einsum")("bij,bjc->bic", edges, x)
    y = layers.Dense(4, name="fourth")(x)
    y = layers.Dot(axes=1, name="nodes_first")([edges, layers.BatchNormalization(name="bn")(y)])
    return keras.Model([nodes, edges], _classes(keras, y))


def context(keras: Any) -> Any:
    """The attention of an encoder-decoder: one weight per step times what was read at it."""
    layers = keras.layers
    i = keras.Input((STEPS, 4), name="frames")
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True), name="encoder")(i)
    energies = layers.Dense(1, name="energies")(layers.Dense(6, activation="tanh", name="hide")(x))
    weights = layers.Softmax(axis=1, name="weights")(energies)
    x = layers.Dot(axes=1, name="context")([weights, x])
    x = layers.Dense(5, activation="relu", name="top")(layers.Flatten(name="flatten")(x))
    return keras.Model(i, layers.Dense(3, activation="softmax", name="logits")(x))


def summed_channels(keras: Any) -> Any:
    """What products sum over goes on request; of two widths that both come out one stays."""
    layers, matmul = keras.layers, operation(keras, "matmul")
    i = keras.Input((STEPS, 4), name="frames")
    x = layers.Dense(6, name="free")(i)
    a, b = layers.Dense(5, name="a")(x), layers.Dense(5, name="b")(x)
    similar = layers.Dot(axes=2, normalize=True, name="cosine")([a, b])
    c, d = layers.Dense(4, name="c")(x), layers.Dense(3, name="d")(x)
    outer = matmul(layers.Permute((2, 1), name="turned")(c), d)
    flat = layers.Concatenate(name="both")(
        [layers.Flatten(name="f")(similar), layers.Flatten(name="g")(outer)]
    )
    return keras.Model(i, layers.Dense(2, name="out")(flat))


def towers(keras: Any) -> Any:
    """Users and items by product, cosine, distance, factorisation: sums over channels."""
    layers = keras.layers
    user, item = keras.Input((4,), name="user"), keras.Input((3,), name="item")
    hidden = layers.Dense(7, activation="relu", name="hidden")(user)
    u, v = layers.Dense(6, name="u")(hidden), layers.Dense(6, name="v")(item)
    found = [layers.Dot(axes=1, name="product")([u, v])]
    both = [layers.Dense(5, activation="relu", name=n)(x) for n, x in (("a", u), ("b", v))]
    found.append(layers.Dot(axes=-1, normalize=True, name="cosine")(both))
    apart = layers.Subtract(name="apart")(
        [layers.Dense(4, name=n)(x) for n, x in (("c", user), ("d", item))]
    )
    found.append(operation(keras, "sum")(apart * apart, axis=-1, keepdims=True))
    fields = operation(keras, "stack")(
        [layers.Dense(3, name=n)(x) for n, x in (("e", user), ("f", item))], axis=1
    )
    crossed = operation(keras, "sum")(fields, axis=1)
    found.append(operation(keras, "sum")(crossed * crossed, axis=1, keepdims=True))
    return keras.Model([user, item], _classes_of(keras, layers.Concatenate(name="found")(found)))


def _classes_of(keras: Any, x: Any) -> Any:
    return keras.layers.Dense(3, activation="softmax", name="logits")(x)


def own_norms(keras: Any) -> Any:
    """Channels divided by their own length, mean or softmax: the others change without one."""
    layers = keras.layers
    i = keras.Input((STEPS, 4), name="frames")
    x = layers.Dense(6, activation="sigmoid", name="one")(i)
    x = x / operation(keras, "sum")(x, axis=-1, keepdims=True)
    x = layers.Dense(5, name="two")(x)
    x = x - operation(keras, "mean")(x, axis=-1, keepdims=True)
    x = layers.Dense(7, name="free")(x)
    x = layers.Flatten(name="flatten")(layers.Dense(4, name="top")(x))
    return keras.Model(i, _classes_of(keras, x))


def fixed_graph(keras: Any) -> Any:
    """The features of a skeleton's joints, mixed by adjacency matrices that are constants."""
    layers, matmul = keras.layers, operation(keras, "matmul")
    weights = np.random.default_rng(0).random((2, NODES, NODES))
    i = keras.Input((STEPS, NODES, 3), name="joints")
    x = layers.Conv2D(5, 1, name="first")(i)
    left = matmul(constant(keras, weights[0]), x)
    right = matmul(layers.Permute((1, 3, 2), name="turned")(x), constant(keras, weights[1]))
    right = layers.Permute((1, 3, 2), name="back")(right)
    x = layers.Concatenate(name="both")([left, layers.ReLU(name="relu")(right)])
    x = layers.Conv2D(4, 1, name="second")(x)
    return keras.Model(i, _classes_of(keras, layers.GlobalAveragePooling2D(name="mean")(x)))


def projected(keras: Any) -> Any:
    """Fixed projections of the channels, by a matrix product and by a tensor product."""
    layers = keras.layers
    rng = np.random.default_rng(4)
    one, two = (rng.normal(size=size).astype("float32") for size in ((7, 5), (6, 4)))
    i = keras.Input((STEPS, 3), name="frames")
    x = layers.Dense(7, activation="relu", name="first")(i)
    x = operation(keras, "matmul")(x, constant(keras, one))
    x = layers.Dense(6, activation="relu", name="second")(x)
    x = operation(keras, "tensordot")(x, constant(keras, two), axes=[[2], [0]])
    x = layers.Dense(5, name="third")(x)
    return keras.Model(i, _classes(keras, x))


def scores_of_heads(keras: Any) -> Any:
    """Attention whose scores are read, one channel for each head, and some that nobody reads."""
    layers = keras.layers
    i = keras.Input((STEPS, 4), name="frames")
    attention = layers.MultiHeadAttention(3, 2, name="attention")
    x, scores = attention(i, i, return_attention_scores=True)
    scores = layers.Permute((2, 3, 1), name="heads_last")(scores)
    y = layers.Flatten(name="pairs")(layers.Dense(2, name="of_heads")(scores))
    unread = layers.MultiHeadAttention(4, 2, name="unread")
    x, _ = unread(x, i, return_attention_scores=True)
    x = layers.Concatenate(name="both")([layers.Flatten(name="flat")(x), y])
    return keras.Model(i, _classes_of(keras, x))


BUILDERS: dict[str, Callable[[Any], Any]] = {
    builder.__name__: builder
    for builder in (
        attended_values,
        additive_attention,
        heads_by_hand,
        graph_convolution,
        context,
        summed_channels,
        towers,
        own_norms,
        fixed_graph,
        scores_of_heads,
        projected,
    )
}
