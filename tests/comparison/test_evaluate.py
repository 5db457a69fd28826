from pathlib import Path

import numpy as np
import pytest

from pruning import storage
from pruning.comparison import evaluate as module
from pruning.comparison.evaluate import evaluate, output_activation, predict
from pruning.errors import Cancelled, DataFileError, MismatchError
from pruning.frameworks._base import framework
from pruning.intake.dataset import Dataset, Manifest
from tests.models import FAMILIES, build, keras_of, outputs, samples


def dataset(folder: Path, x: np.ndarray, y: np.ndarray, task: str = "classification") -> Dataset:
    """Prepared data with these test samples."""
    manifest = Manifest(
        ref="a-b", name="data", modality="arrays", task=task, classes=("a", "b", "c"),
        counts={"test": len(x)}, class_counts={}, x_shape=x.shape[1:], x_dtype=str(x.dtype),
        y_shape=y.shape[1:], preprocessing={}, pipeline=(),
    )  # fmt: skip
    storage.write_json(folder / "manifest.json", manifest.to_dict())
    storage.write_array(folder / "x_test.npy", x)
    storage.write_array(folder / "y_test.npy", y)
    return Dataset.open(folder)


@pytest.mark.parametrize("few", [0, 20], ids=["graph", "operations"])
@pytest.mark.parametrize("family", FAMILIES)
def test_predictions_are_the_models_in_order(
    family: str, few: int, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(module, "FEW", few)
    model = build("plain", family)
    x = samples(model, 20)[0]
    expected = outputs(model, [x])[0]
    labels = expected.argmax(axis=1)
    labels[:5] = (labels[:5] + 1) % 3
    told: list[dict] = []
    scores, predictions = evaluate(
        model, framework(family), dataset(tmp_path, x, labels), report=told.append
    )
    np.testing.assert_allclose(predictions, expected, atol=1e-6)
    assert predictions.dtype == np.float32
    assert scores.value.value == 0.75
    chosen = expected[np.arange(20), labels]
    assert scores.loss == pytest.approx(-np.log(chosen).mean(), rel=1e-5)
    assert told == [{"done": done, "total": 20} for done in (7, 14, 20)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_reads_a_fixed_number_of_samples_predicts_all(family: str) -> None:
    """A stateful one keeps a state for each of them, and refuses a last batch that is smaller."""
    keras = keras_of(family)
    i = keras.Input(batch_shape=(3, 5, 2))
    state = keras.layers.LSTM(4, stateful=True)(i)
    model = keras.Model(i, keras.layers.Dense(2)(state))
    x = np.random.default_rng(0).normal(size=(8, 5, 2)).astype("float32")
    free = keras.Input((5, 2))
    same = keras.Model(free, keras.layers.Dense(2)(keras.layers.LSTM(4)(free)))
    same.set_weights(model.get_weights()[: len(same.get_weights())])
    np.testing.assert_allclose(predict(model, [x]), predict(same, [x]), atol=1e-6)


def test_a_stop_is_heard_between_chunks(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 5)
    model = build("plain", "keras3")
    x = samples(model, 20)[0]
    told: list[dict] = []
    with pytest.raises(Cancelled):
        predict(model, [x], should_stop=lambda: len(told) == 2, report=told.append)
    assert told[-1]["done"] == 10


def test_large_samples_are_read_a_few_batches_at_a_time(monkeypatch) -> None:
    model = build("plain", "keras3")
    x = samples(model, 20)[0]
    monkeypatch.setattr(module, "BATCH", 4)
    told: list[dict] = []
    for room, size in ((11, 8), (3, 4), (1000, 20)):  # samples that may be in memory
        monkeypatch.setattr(module, "CHUNK_BYTES", room * x[0].nbytes)
        told.clear()
        predict(model, [x], report=told.append)
        assert [entry["done"] for entry in told] == [*range(size, 20, size), 20]


def test_what_cannot_be_judged(tmp_path: Path) -> None:
    model = build("plain", "keras3")
    with pytest.raises(MismatchError, match=r"samples have the shape \(9, 9, 3\)"):
        predict(model, [np.zeros((4, 9, 9, 3), np.float32)])
    with pytest.raises(DataFileError, match="no test samples"):
        predict(model, [np.zeros((0, 8, 8, 3), np.float32)])
    with pytest.raises(MismatchError, match="2 inputs"):
        predict(build("many_inputs_outputs", "keras3"), [np.zeros((4, 8), np.float32)])
    keras = keras_of("keras3")
    linear = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    broken = np.zeros((4, 2), np.float32)
    broken[1] = np.inf
    with pytest.raises(MismatchError, match="not finite for 1 of 4 samples"):
        predict(linear, [broken])


@pytest.mark.parametrize("family", FAMILIES)
def test_activation_of_the_last_layer(family: str) -> None:
    layers = keras_of(family).layers
    keras = keras_of(family)

    def activation(*tail) -> str | None:
        return output_activation(keras.Sequential([keras.Input((4, 2)), *tail]))

    assert activation(layers.Dense(2, activation="softmax")) == "softmax"
    assert activation(layers.Dense(2), layers.Softmax()) == "softmax"
    assert activation(layers.Dense(2), layers.Activation("sigmoid")) == "sigmoid"
    assert activation(layers.Dense(2)) == "linear"
    wrapped = layers.TimeDistributed(layers.Dense(2, activation="softmax"))
    assert activation(wrapped) == "softmax"
    assert activation(keras.Sequential([layers.Dense(1, activation="sigmoid")])) == "sigmoid"
    assert activation(layers.Flatten()) is None


def test_one_logit_output_is_not_taken_for_a_probability(tmp_path: Path) -> None:
    keras = keras_of("keras3")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.array([[1.0]], np.float32), np.zeros(1, np.float32)])
    x = np.array([[0.2], [0.7], [0.4], [0.9]], np.float32)
    scores, _ = evaluate(model, framework("keras3"), dataset(tmp_path, x, np.array([1, 1, 1, 1])))
    # All logits are above 0: class 1, although two are below one half.
    assert scores.value.value == 1.0
    assert scores.loss == pytest.approx(np.log1p(np.exp(-x)).mean())
