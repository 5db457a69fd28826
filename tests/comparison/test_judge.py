"""Both models on one data set: figures that can be counted by hand, in both Kerases."""

from pathlib import Path

import numpy as np
import pytest

from pruning.comparison import judge, latency
from pruning.comparison.result import Comparison
from pruning.errors import Cancelled, MismatchError
from pruning.frameworks._base import framework
from pruning.intake.model_file import LoadedModel, load
from tests.comparison.test_evaluate import dataset
from tests.models import FAMILIES, build, keras_of, outputs, samples


def loaded(model, family: str, folder: Path, name: str = "model") -> LoadedModel:
    path = folder / f"{name}.{'keras' if family == 'keras3' else 'h5'}"
    framework(family).save(model, path)
    return load(path)


@pytest.mark.parametrize("family", FAMILIES)
def test_compare(family: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(latency, "MOST_RUNS", 10)
    model = build("plain", family)
    before = loaded(model, family, tmp_path)
    x = samples(model, 40)[0]
    labels = outputs(model, [x])[0].argmax(axis=1)
    # After: the same model that never says class 0.
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel, bias - np.array([99, 0, 0], np.float32)])
    after = loaded(model, family, tmp_path, "after")
    zeros = int((labels == 0).sum())
    assert 0 < zeros < 40
    told: list[dict] = []
    found, was, now = judge.compare(
        before, after, dataset(tmp_path / "data", x, labels), flops=(96, 48), report=told.append
    )
    assert was.shape == now.shape == (40, 3)
    assert (found.both_right, found.only_before) == (40 - zeros, zeros)
    assert found.answers == found.samples == 40
    assert found.difference.value == pytest.approx(-zeros / 40)
    assert found.before.value.value == 1.0
    assert found.classes[0].after == 0.0
    assert found.sizes_before.params == model.count_params()
    assert (found.sizes_before.flops, found.sizes_after.flops) == (96, 48)
    assert found.latency_before.runs == found.latency_after.runs == 10
    assert [entry["step"] for entry in told] == ["before", "after", "latency", "sizes"]
    found.save(tmp_path / "comparison.json")
    assert Comparison.load(tmp_path / "comparison.json") == found


def test_latency_can_be_left_out_and_a_stop_is_heard(tmp_path: Path) -> None:
    model = build("plain", "keras3")
    same = loaded(model, "keras3", tmp_path)
    x = samples(model, 10)[0]
    data = dataset(tmp_path / "data", x, outputs(model, [x])[0].argmax(axis=1))
    found, _, _ = judge.compare(same, same, data, flops=(2, 1), latency=False)
    assert found.latency_before.median_ms is None
    assert found.latency_before.note == "Not measured: switched off."
    assert found.difference.value == 0
    assert found.difference.low < 0 < found.difference.high
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        judge.compare(same, same, data, flops=(2, 1), should_stop=lambda: next(asked))


@pytest.mark.parametrize("family", FAMILIES)
def test_regression_and_multilabel(family: str, tmp_path: Path) -> None:
    keras = keras_of(family)
    x = np.arange(24, dtype=np.float32).reshape(12, 2) / 10

    def linear(bias: float, activation: str) -> LoadedModel:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation=activation)])
        model.set_weights([np.eye(2, dtype=np.float32), np.full(2, bias, np.float32)])
        return loaded(model, family, tmp_path, f"{activation}{bias}")

    data = dataset(tmp_path / "numbers", x, x.copy(), "regression")
    found, _, _ = judge.compare(
        linear(0.0, "linear"), linear(0.5, "linear"), data, flops=(2, 1), latency=False
    )
    assert found.before.metric == "mae"
    assert found.difference.value == pytest.approx(0.5, abs=1e-6)
    assert found.after.loss == pytest.approx(0.25, abs=1e-6)
    assert found.both_right is None

    data = dataset(tmp_path / "labels", x, (x > 1).astype(np.int64), "multilabel")
    found, _, _ = judge.compare(
        linear(-1.05, "sigmoid"), linear(-9.0, "sigmoid"), data, flops=(2, 1), latency=False
    )
    assert found.before.value.value == 1.0
    assert found.after.value.value == 0.0
    assert found.before.details == {"subset_accuracy": 1.0}
    # Rows with a value above 1 are wrong afterwards: from 1.0 | 1.1 on, the last 7 of 12.
    assert (found.both_right, found.only_before) == (5, 7)


def test_models_of_other_answers_are_not_compared(tmp_path: Path) -> None:
    keras = keras_of("keras3")
    models = [
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(n, activation="softmax")])
        for n in (3, 4)
    ]
    one, two = (loaded(m, "keras3", tmp_path, f"m{i}") for i, m in enumerate(models))
    data = dataset(tmp_path / "data", np.ones((4, 2), np.float32), np.array([0, 1, 2, 0]))
    with pytest.raises(MismatchError, match=r"shape \(3,\), the other with \(4,\)"):
        judge.compare(one, two, data, flops=(2, 1), latency=False)
