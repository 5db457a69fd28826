"""A training step's graph made before the training: the same training, only sooner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning.frameworks._base import framework
from pruning.intake.dataset import Dataset
from pruning.training import graph_comes_first, made_ready, retrain
from tests.models import FAMILIES
from tests.training.toy import dense_model, plan_for, write_dataset

TRAININGS = {
    "adam, cosine": {"epochs": 2, "decay": "cosine"},
    "momentum, another seed": {"epochs": 1, "optimizer": "sgd", "seed": 7},
}


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(0)
    splits = {
        name: (rng.normal(0, 1, (count, 5, 4)).astype("float32"), np.arange(count) % 3)
        for name, count in (("train", 70), ("val", 20))
    }
    return write_dataset(tmp_path, "classification", splits)


def recurrent(family: str) -> Any:
    """A model with everything that a training changes or draws: statistics, and dropout.

    Not recurrent dropout: two trainings with it differ in tf_keras, whatever the seed.
    """
    keras = framework(family).keras
    keras.utils.set_random_seed(1)
    layers = keras.layers
    frames = layers.Input((5, 4))
    x = layers.Dropout(0.3)(frames)
    x = layers.BatchNormalization()(layers.GRU(5, dropout=0.2)(x))
    return keras.Model(frames, layers.Dense(3, activation="softmax")(x))


def trained(model: Any, family: str, data: Dataset, plan: Any, ready: Any = None) -> list[dict]:
    """Train. -> the metrics of every line that was told, without times."""
    lines: list[dict] = []
    result = retrain(
        model,
        framework(family),
        data,
        plan,
        report=lines.append,
        should_stop=lambda: False,
        ready=ready,
    )
    assert ready is None or result.seconds > ready.seconds
    return [{k: v for k, v in line.items() if k not in ("t", "step_ms")} for line in result.history]


@pytest.mark.parametrize("settings", TRAININGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_training_is_the_same_to_the_last_bit(family: str, settings: str, data) -> None:
    plan = plan_for(training={"batch_size": 16} | TRAININGS[settings])
    plain, prepared = recurrent(family), recurrent(family)
    expected = trained(plain, family, data, plan)
    before = prepared.get_weights()
    ready = made_ready(prepared, framework(family), data, plan.training)
    for is_now, was in zip(prepared.get_weights(), before, strict=True):
        np.testing.assert_array_equal(is_now, was)
    for value in ready.model.optimizer.variables:  # as fresh, but for the learning rate
        assert value.numpy().size == 1 or not value.numpy().any()

    keras = framework(family).keras
    keras.layers.Dropout(0.5)(np.ones((2, 3), "float32"), training=True)  # what else is drawn
    assert ready.holds
    assert trained(prepared, family, data, plan, ready) == expected
    for mine, its in zip(prepared.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_made_anew_when_another_training_was_seeded_since(family: str, data) -> None:
    plan = plan_for(training={"epochs": 1, "batch_size": 16})
    prepared, plain = recurrent(family), recurrent(family)
    ready = made_ready(prepared, framework(family), data, plan.training)
    expected = trained(plain, family, data, plan)
    assert not ready.holds
    result = trained(prepared, family, data, plan, replace(ready, seconds=0.0))
    assert result == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_the_graph_is_not_made_again(family: str, data, monkeypatch) -> None:
    model, modes = recurrent(family), []
    plan = plan_for(training={"epochs": 1, "batch_size": 16})
    ready = made_ready(model, framework(family), data, plan.training)
    dropout = type(model.layers[1])
    call = dropout.call

    def counted(self, inputs, training=None):
        modes.append(training)
        return call(self, inputs, training=training)

    monkeypatch.setattr(dropout, "call", counted)
    trained(model, family, data, plan, ready)
    assert True not in modes
    trained(recurrent(family), family, data, plan)
    assert True in modes


@pytest.mark.parametrize("family", FAMILIES)
def test_stateful_layers_begin_at_zero(family: str, data) -> None:
    layers = framework(family).keras.layers
    frames = layers.Input(batch_shape=(10, 5, 4))
    x = layers.LSTM(3, stateful=True, name="lstm")(frames)
    model = framework(family).keras.Model(frames, layers.Dense(3, activation="softmax")(x))
    plan = plan_for(training={"epochs": 1, "batch_size": 10})
    made_ready(model, framework(family), data, plan.training)
    for state in model.get_layer("lstm").states:
        assert not state.numpy().any()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"method": "weights", "criterion": "magnitude"}, False),
        ({"cuts": 2}, False),
        ({"training": {"distillation": 0.5}}, False),
        ({"training": {"feature_matching": 1.0}}, False),
    ],
)
def test_which_trainings_begin_with_their_graph(fields: dict, expected: bool) -> None:
    plan = plan_for(**({"method": "channels", "criterion": "l1"} | fields))
    for family in FAMILIES:
        assert graph_comes_first(recurrent(family), framework(family), plan) == expected
        assert not graph_comes_first(dense_model(family), framework(family), plan)


@pytest.mark.parametrize("family", FAMILIES)
def test_of_several_outputs_the_one_of_the_labels_is_trained(family: str, tmp_path: Path) -> None:
    keras = framework(family).keras
    splits = {"train": (np.ones((20, 5, 4), "float32"), np.arange(20) % 3)}
    data = write_dataset(tmp_path, "classification", splits)
    found = []
    for early in (True, False):
        keras.utils.set_random_seed(2)
        frames = keras.layers.Input((5, 4))
        x = keras.layers.LSTM(4)(frames)
        first = keras.layers.Dense(3, activation="softmax", name="first")(x)
        model = keras.Model(frames, [first, keras.layers.Dense(2, name="second")(x)])
        plan = plan_for(training={"epochs": 1, "batch_size": 8})
        ready = made_ready(model, framework(family), data, plan.training) if early else None
        trained(model, family, data, plan, ready)
        found.append(model.get_weights())
    for mine, its in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, its)
