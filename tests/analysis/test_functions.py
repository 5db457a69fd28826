"""Functions on tensors through which channels pass, and those that mix them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pruning.surgery.channels import cut
from pruning.surgery.self_check import self_check
from tests.models import keras_of, randomize
from tests.surgery.cases import ONLY, analysed, build


@pytest.mark.parametrize(
    ("name", "kept", "params"),
    [
        (
            "normalised_by_hand",
            {"first": [0, 2, 5], "second": [1, 3, 4, 7]},
            (27 * 3 + 3) + (27 * 4 + 4) + (4 * 3 + 3),
        ),
        # Each channel of ``first`` is one in both halves; of ``fourth``, turned round, the last two
        # (here one), the three in the middle and the first two are parts.
        (
            "split_and_turned",
            {"first": [1, 2], "second": [0, 4, 5], "third": [3, 4], "fourth": [1], "fourth#2": [0]},
            (27 * 4 + 4) + (2 * 3 + 3) + (3 * 2 + 2) + (4 * 2 * 4 + 4) + (3 * 3 + 3),
        ),
        # What is positive and what is negative of three channels is read as six.
        (
            "tensorflow_functions",
            {"first": [0, 2, 5], "second": [1, 4], "third": [0, 3]},
            27 * 3 + (6 * 2 + 2) + (4 * 2 * 2 + 2) + (3 * 3 * 2 * 3 + 3),
        ),
        # ``part`` is three channels of ``first``, whose last one is alone. At six positions: the
        # sums of ``second``, ``rows``, and how far each lies from four others.
        (
            "put_in_and_measured",
            {"first#2": [1, 3], "part": [0, 2], "second": [0, 1, 4], "rows": [2, 5]},
            (27 * 5 + 5) + (27 * 2 + 2) + (5 * 3 + 3) + 2 * (3 * 2 + 2) + (6 * (3 + 2 + 4) * 3 + 3),
        ),
        (
            "tensorflow_positions",
            {"first": [1, 2, 6], "second": [0, 4], "third": [1, 3]},
            (27 * 3 + 3) + (3 * 2 + 2) + (2 * 2 + 2) + (3 * 2 * 3 + 3),
        ),
    ],
)
def test_channels_pass(name: str, kept: dict[str, list[int]], params: int) -> None:
    analysis = analysed(build(name, ONLY[name]), ONLY[name])
    made = cut(analysis, kept)
    assert made.model.count_params() == params
    checked = self_check(analysis, made)
    assert checked.max_abs_error <= checked.tolerance


_MIXED: dict[str, Any] = {
    "trapezoid": (lambda ops, x: ops.trapezoid(x), None, "over all channels together"),
    "smallest": (lambda ops, x: ops.norm(x, -np.inf, -1), "inexact", "over all its channels"),
    "length": (lambda ops, x: ops.norm(x, 3, -1), "summed", "sums over these channels"),
    "signal": (lambda ops, x: ops.stft(x, 4, 2, 4)[0], None, "a signal in time"),
    "bytes": (lambda ops, x: ops.view(x, "int16"), None, "reads the bytes of several numbers"),
}


@pytest.mark.parametrize(
    ("called", "group", "reason"),
    [
        (
            lambda ops, x: ops.layer_normalization(x, np.ones(8, "float32"), axis=-1),
            "inexact",
            "it normalises over all its channels",
        ),
        (lambda ops, x: ops.rms_normalization(x), "inexact", "it normalises over all its channels"),
        (lambda ops, x: ops.average(x, axis=-1), "inexact", "over all its channels together"),
        (lambda ops, x: ops.fft2((x, x))[0], None, "computes each value from all of them"),
        (lambda ops, x: ops.triu(x), None, "keeps other positions of each channel"),
        (
            lambda ops, x: ops.concatenate(ops.array_split(x, 3, axis=-1), axis=-1),
            None,
            "makes parts of unequal width",
        ),
        *_MIXED.values(),
    ],
    ids=["layer", "rms", "average", "fourier", "triangle", "unequal", *_MIXED],
)
def test_channels_are_mixed(called: Any, group: str | None, reason: str) -> None:
    keras = keras_of("keras3")
    i = keras.Input((5, 4))
    x = called(keras.ops, keras.layers.Dense(8, name="wide")(i))
    x = keras.layers.Dense(3, name="out")(keras.layers.Flatten()(x))
    wide = analysed(keras.Model(i, x), "keras3").groups[0]
    assert (wide.id, wide.channels, wide.prunable) == ("wide", 8, False)
    assert wide.on_request == group
    assert reason in wide.reason


@pytest.mark.parametrize(
    ("width", "called", "reason"),
    [
        (3, lambda ops, x: ops.cross(x, x + 1), "each of its three values from the other two"),
        (
            3,
            lambda ops, x: ops.image.rgb_to_hsv(ops.sigmoid(ops.expand_dims(x, 2))),
            "takes its channels for red, green and blue",
        ),
        (5, lambda ops, x: ops.inv(x), "takes its values for whole matrices"),
    ],
    ids=["cross", "colours", "inverse"],
)
def test_channels_belong_together(width: int, called: Any, reason: str) -> None:
    keras = keras_of("keras3")
    i = keras.Input((5, 4))
    x = called(keras.ops, keras.layers.Dense(width, name="wide")(i))
    x = keras.layers.Dense(3, name="out")(keras.layers.Flatten()(x))
    wide = analysed(keras.Model(i, x), "keras3").groups[0]
    assert (wide.id, wide.channels, wide.prunable) == ("wide", width, False)
    assert reason in wide.reason


def test_factors_of_a_normalization_are_cut_on_request() -> None:
    keras = keras_of("keras3")
    gamma = np.arange(1.0, 9.0, dtype="float32")
    i = keras.Input((5, 4))
    x = keras.ops.layer_normalization(keras.layers.Dense(8, name="wide")(i), gamma, -gamma)
    model = keras.Model(i, keras.layers.Dense(3, name="out")(x))
    made = cut(analysed(model, "keras3"), {"wide": [1, 2, 6]}).model
    samples = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    y = samples @ model.get_layer("wide").get_weights()[0][:, [1, 2, 6]]
    normal = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-7)
    expected = (normal * [2, 3, 7] - [2, 3, 7]) @ model.get_layer("out").get_weights()[0][[1, 2, 6]]
    np.testing.assert_allclose(np.asarray(made(samples)), expected, rtol=1e-4, atol=1e-5)


def test_an_activation_with_weights_keeps_its_channels() -> None:
    keras = keras_of("tf_keras")
    layers = keras.layers
    i = keras.Input((6,))
    x = layers.Dense(8, activation=layers.PReLU(), name="own")(layers.Dense(5, name="before")(i))
    model = keras.Model(i, layers.Dense(3, name="out")(x))
    randomize(model)
    analysis = analysed(model, "tf_keras")
    groups = {group.id: group for group in analysis.groups}
    assert groups["before"].prunable
    assert not groups["own"].prunable
    assert "prelu of 'own' has weights of its own" in groups["own"].reason
    made = cut(analysis, {"before": [0, 3]})
    assert made.model.count_params() == (6 * 2 + 2) + (2 * 8 + 8 + 8) + (8 * 3 + 3)
    assert self_check(analysis, made).max_abs_error <= 1e-5


def test_directions_of_unequal_width_are_cut_apart() -> None:
    keras = keras_of("tf_keras")
    layers = keras.layers
    i = keras.Input((7, 4))
    backward = layers.GRU(5, return_sequences=True, go_backwards=True)
    both = layers.Bidirectional(
        layers.SimpleRNN(3, return_sequences=True), backward_layer=backward, name="both"
    )
    model = keras.Model(i, layers.Dense(2, name="out")(both(i)))
    randomize(model)
    analysis = analysed(model, "tf_keras")
    widths = {group.id: group.channels for group in analysis.groups if group.prunable}
    assert widths == {"both": 3, "both#2": 5}
    made = cut(analysis, {"both": [0, 2], "both#2": [1, 2, 4]})
    recurrent = (4 * 2 + 2 * 2 + 2) + 3 * (4 * 3 + 3 * 3 + 2 * 3)
    assert made.model.count_params() == recurrent + (5 * 2 + 2)
    assert self_check(analysis, made).max_abs_error <= 1e-5
