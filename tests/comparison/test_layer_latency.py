"""Each layer alone: which are timed, how often, and what is added up. No times are asserted."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.comparison import layer_latency
from pruning.frameworks._base import framework

pytestmark = pytest.mark.parametrize("family", ["keras3", "tf_keras"])


@pytest.fixture
def timed(monkeypatch):
    """Every piece takes one millisecond; -> how many there were."""
    pieces = []

    def interleaved(calls, **_):
        for call in calls:
            call()
        pieces.append(len(calls))
        return [[1.0, 3.0, 1.0] for _ in calls]

    monkeypatch.setattr(layer_latency, "interleaved", interleaved)
    return pieces


def build(family):
    layers = framework(family).keras.layers
    image = layers.Input((6, 6, 3), name="image")
    same = layers.Conv2D(3, 3, padding="same", name="shared")
    inner_in = layers.Input((6, 6, 3))
    inner = framework(family).keras.Model(
        inner_in, layers.Conv2D(3, 3, padding="same", name="conv")(inner_in), name="inner"
    )
    x = same(same(image))
    x = layers.ReLU(name="relu")(inner(x))
    x = layers.Add(name="sum")([x, image])
    x = layers.LSTM(4, name="lstm")(layers.Reshape((36, 3), name="rows")(x))
    return framework(family).keras.Model(image, layers.Dense(2, name="head")(x))


def test_every_call_is_timed_once_and_equal_ones_together(family, timed):
    sample = [np.random.default_rng(0).normal(size=(1, 6, 6, 3)).astype("float32")]
    told = []
    found = layer_latency.layer_latencies(
        build(family), framework(family), sample, progress=lambda share, words: told.append(words)
    )
    assert found == {
        "shared": 2.0, "inner/conv": 1.0, "relu": 1.0, "sum": 1.0, "rows": 1.0, "lstm": 1.0,
        "head": 1.0,
    }  # fmt: skip
    assert timed == [6]  # the three convolutions are alike
    assert told[-1] == "layer 8 of 8"


def test_what_does_not_convert_has_no_figure(family, timed, monkeypatch):
    real = layer_latency.convert

    def convert(model, shapes):
        if "lstm" in str([layer.name for layer in model.layers]):
            raise ValueError("no such operator")
        return real(model, shapes)

    monkeypatch.setattr(layer_latency, "convert", convert)
    found = layer_latency.layer_latencies(
        build(family), framework(family), [np.zeros((1, 6, 6, 3), np.float32)]
    )
    assert found["lstm"] is None
    assert found["head"] == 1.0


def test_stopping_leaves_out_the_rest(family, timed):
    found = layer_latency.layer_latencies(
        build(family),
        framework(family),
        [np.zeros((1, 6, 6, 3), np.float32)],
        should_stop=lambda: True,
    )
    assert found == {}
