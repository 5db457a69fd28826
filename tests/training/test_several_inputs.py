"""Training and recalibration of models that read several inputs, from a list or a dict."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning import storage
from pruning.errors import MismatchError
from pruning.frameworks._base import framework
from pruning.frameworks.running import nested
from pruning.intake.dataset import Dataset, InputArray, Manifest
from pruning.training import retrain
from pruning.training.pipeline import batches
from pruning.training.recalibration import normalizations, recalibrate
from pruning.training.trainee import compiled
from tests.models import FAMILIES, keras_of
from tests.several_inputs import FORMS
from tests.training.toy import plan_for

# The model's order: a dict is read by the order of its keys, a list by its own.
NAMES = {"list": ("wide", "tall"), "dict": ("tall", "wide")}
A = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [1.0, 3.0]], np.float32)
B = np.array([[2.0], [1.0], [0.0], [5.0]], np.float32)
Y = np.array([1.0, 2.0, 3.0, 4.0], np.float32)


def linear(family: str, form: str) -> Any:
    """wide (2,) and tall (1,), joined, times a kernel of zeros: the answer is 0."""
    keras = keras_of(family)
    wide, tall = keras.Input((2,), name="wide"), keras.Input((1,), name="tall")
    joined = keras.layers.Concatenate(name="joined")([wide, tall])
    answer = keras.layers.Dense(1, kernel_initializer="zeros", name="answer")(joined)
    given = {"list": [wide, tall], "dict": {"wide": wide, "tall": tall}}[form]
    return keras.Model(given, answer)


def dataset(folder: Path, names: tuple[str, ...]) -> Dataset:
    """The four samples above as prepared data, to train and to validate on."""
    by_name = {"wide": A, "tall": B}
    for split in ("train", "val"):
        storage.write_array(folder / f"y_{split}.npy", Y)
        for place, name in enumerate(names):
            storage.write_array(folder / f"x_{split}_{place}.npy", by_name[name])
    manifest = Manifest(
        ref="data-prep", name="toy", modality="arrays", task="regression", classes=(),
        counts={"train": 4, "val": 4}, class_counts={}, x_shape=by_name[names[0]].shape[1:],
        x_dtype="float32", y_shape=(), preprocessing={}, pipeline=(),
        inputs=tuple(InputArray(n, by_name[n].shape[1:], "float32") for n in names),
    )  # fmt: skip
    storage.write_json(folder / "manifest.json", manifest.to_dict())
    return Dataset.open(folder)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_one_step_by_hand(tmp_path: Path, family: str, form: str) -> None:
    model = linear(family, form)
    assert [str(tensor.name).split(":")[0] for tensor in model.inputs] == list(NAMES[form])
    data = dataset(tmp_path, NAMES[form])
    plan = plan_for(training={"epochs": 1, "batch_size": 4, "learning_rate": 0.1,
                              "optimizer": "sgd"})  # fmt: skip
    lines: list[dict[str, Any]] = []
    result = retrain(
        model, framework(family), data, plan, report=lines.append, should_stop=lambda: False
    )
    # Mean squared error from answers of 0: the slope of w is -2 mean(y x), of the bias -2 mean(y).
    joined = np.concatenate([A, B], axis=1)
    kernel, bias = model.get_layer("answer").get_weights()
    np.testing.assert_allclose(kernel[:, 0], 0.2 * (Y[:, None] * joined).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(bias, [0.5], rtol=1e-5)
    assert result.history[0]["loss"] == pytest.approx(np.square(Y).mean())
    after = joined @ kernel[:, 0] + bias
    assert result.history[0]["val_loss"] == pytest.approx(np.square(after - Y).mean(), rel=1e-5)


def test_batches_keep_the_rows_of_all_inputs_together() -> None:
    model = linear("keras3", "dict")
    pipeline = batches([B, A], Y, 3, nested=lambda one: nested(model, one), seed=5)
    seen = []
    for given, y in pipeline:
        assert set(given) == {"wide", "tall"}
        for wide, tall, label in zip(given["wide"], given["tall"], y, strict=True):
            row = int(label) - 1
            assert np.array_equal(wide, A[row])
            assert np.array_equal(tall, B[row])
            seen.append(row)
    assert sorted(seen) == [0, 1, 2, 3]


def test_data_that_does_not_feed_all_inputs(tmp_path: Path) -> None:
    data = dataset(tmp_path, ("wide",))
    with pytest.raises(MismatchError, match="has 2 inputs, the data has arrays for 1"):
        compiled(linear("keras3", "list"), framework("keras3"), data, plan_for().training)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_statistics_of_every_tower_by_hand(family: str, form: str) -> None:
    keras = keras_of(family)
    layers = keras.layers
    wide, tall = keras.Input((2,), name="wide"), keras.Input((1,), name="tall")
    own = layers.BatchNormalization(name="own")(tall)
    joined = layers.Concatenate(name="joined")([wide, own])
    answer = layers.BatchNormalization(name="both")(joined)
    given = {"list": [wide, tall], "dict": {"wide": wide, "tall": tall}}[form]
    model = keras.Model(given, answer)
    by_name = {"wide": A, "tall": B}
    done = recalibrate(model, framework(family), [by_name[name] for name in NAMES[form]])
    assert (done.layers, done.samples) == (2, 4)
    found = {norm.name: norm for norm in normalizations(model, framework(family))}
    np.testing.assert_allclose(found["own"].moving_mean, [2], rtol=1e-6)
    np.testing.assert_allclose(found["own"].moving_variance, [3.5], rtol=1e-6)
    # 1, 0, 2, 1 and 0, 1, 1, 3 by hand; the last was normalised before.
    np.testing.assert_allclose(found["both"].moving_mean, [1, 1.25, 0], atol=1e-6)
    np.testing.assert_allclose(
        found["both"].moving_variance, [0.5, 11 / 4 - 1.25**2, 3.5 / 3.501], rtol=1e-5
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_only_the_labelled_output_is_trained(tmp_path: Path, family: str) -> None:
    keras = keras_of(family)
    wide, tall = keras.Input((2,), name="wide"), keras.Input((1,), name="tall")
    joined = keras.layers.Concatenate(name="joined")([wide, tall])
    heads = {
        name: keras.layers.Dense(1, kernel_initializer="zeros", name=name)(joined)
        for name in ("first", "second")
    }
    model = keras.Model({"wide": wide, "tall": tall}, heads)
    data = dataset(tmp_path, NAMES["dict"])
    data = replace(data, manifest=replace(data.manifest, output=1))
    plan = plan_for(training={"epochs": 1, "batch_size": 4, "learning_rate": 0.1,
                              "optimizer": "sgd"})  # fmt: skip
    retrain(model, framework(family), data, plan, report=lambda line: None,
            should_stop=lambda: False)  # fmt: skip
    joined_values = np.concatenate([A, B], axis=1)
    kernel, bias = model.get_layer("second").get_weights()
    np.testing.assert_allclose(
        kernel[:, 0], 0.2 * (Y[:, None] * joined_values).mean(axis=0), rtol=1e-5
    )
    assert bias == pytest.approx(0.5)
    assert not np.any(model.get_layer("first").get_weights()[0])
