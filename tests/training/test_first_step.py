"""The first step without a graph: seen at once, and the same training."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.frameworks._base import framework
from pruning.training import first_step, retrain, retraining
from tests.training.toy import dense_model, plan_for, separable

pytestmark = pytest.mark.parametrize("family", ["keras3", "tf_keras"])


def recurrent(keras):
    return keras.Sequential([keras.layers.Input((4, 2)), keras.layers.LSTM(3)])


def repeated(keras):
    inner = keras.layers.TimeDistributed(keras.layers.Dense(3))
    return keras.Sequential([keras.layers.Input((4, 2)), inner])


def channels_first(keras):
    conv = keras.layers.Conv2D(2, 1, data_format="channels_first")
    return keras.Sequential([keras.layers.Input((3, 4, 4)), conv])


def channels_first_steps(keras):
    conv = keras.layers.Conv2D(2, 1, data_format="channels_first")
    return keras.Sequential([keras.layers.Input((5, 3, 4, 4)), keras.layers.TimeDistributed(conv)])


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (recurrent, "graph before"),
        (repeated, "graph before"),
        (channels_first, "graph"),
        (channels_first_steps, "graph"),
    ],
)
def test_how_a_training_begins(family, build, expected):
    keras = framework(family).keras
    assert first_step.beginning(build(keras), framework(family)) == expected
    assert first_step.beginning(dense_model(family), framework(family)) == "at once"


@pytest.mark.parametrize("build", [recurrent, repeated, channels_first])
def test_some_models_are_left_to_the_graph(family, build):
    keras = framework(family).keras
    model = build(keras)
    model.compile(loss="mse")
    assert first_step.early_first_step(model, framework(family)) == []
    assert not model.run_eagerly


def test_the_model_is_left_as_it_came(family, tmp_path):
    model, eager = dense_model(family), []
    plan = plan_for(training={"epochs": 2, "batch_size": 100})
    retrain(
        model,
        framework(family),
        separable(tmp_path),
        plan,
        report=lambda line: None,
        should_stop=lambda: bool(eager.append(model.run_eagerly)),
    )
    assert eager[:4] == [False] * 4  # asked after the step, when the model has turned already
    assert not model.run_eagerly


def test_the_training_is_the_same(family, tmp_path, monkeypatch):
    seen, weights = [], []
    for early in (True, False):
        model = dense_model(family)
        call = model.layers[0].call

        def counted(*args, call=call, **kwargs):
            seen.append(type(args[0]).__name__)
            return call(*args, **kwargs)

        model.layers[0].call = counted
        if not early:
            monkeypatch.setattr(retraining, "early_first_step", lambda *_: [])
        retrain(
            model,
            framework(family),
            separable(tmp_path),
            plan_for(training={"epochs": 1}),
            report=lambda line: None,
            should_stop=lambda: False,
        )
        weights.append(model.get_weights())
    # Once with values, once for the training graph, once for the validation graph; then as graphs.
    assert seen.count("EagerTensor") == 1
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
