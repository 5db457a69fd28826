"""Exports that fail leave no file; what they accept and refuse."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pruning.delivery import export as module
from pruning.delivery.export import compare, export, export_loaded, format_of
from pruning.delivery.exports import exports
from pruning.errors import ExportError
from pruning.frameworks._base import framework
from pruning.intake.model_file import load
from tests.models import build, keras_of


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "plain.keras"
    framework("keras3").save(build("plain", "keras3"), path)
    return path


def test_h5_of_keras_3_loads_in_plain_keras_3(plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain.h5"
    assert export(plain, "h5", out)["check"]["max_abs_error"] == 0.0
    keras = keras_of("keras3")
    before, after = (keras.models.load_model(path, compile=False) for path in (plain, out))
    for wanted, found in zip(before.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_array_equal(wanted, found)


def test_keras_file_of_tf_keras_loads_in_plain_tf_keras(tmp_path: Path) -> None:
    source, out = tmp_path / "model.h5", tmp_path / "model.keras"
    framework("tf_keras").save(build("lstm", "tf_keras"), source)
    assert export(source, "keras", out)["check"]["max_abs_error"] == 0.0
    model = keras_of("tf_keras").models.load_model(out, compile=False)
    assert model.count_params() == load(source).model.count_params()


def test_an_older_file_is_replaced_only_by_a_good_one(plain: Path, tmp_path: Path, monkeypatch):
    out = tmp_path / "model.tflite"
    out.write_bytes(b"older")
    wrong = replace(
        exports()["litert"], read=lambda *_: [np.full((module.SAMPLES, 3), 0.5, np.float32)]
    )
    with pytest.raises(ExportError, match="differs from the model by"):
        export_loaded(load(plain), wrong, out)
    assert out.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [out]
    export(plain, "litert", out)
    assert out.read_bytes()[4:8] == b"TFL3"


def test_a_writer_that_breaks_is_an_export_error(plain: Path, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise TypeError("no such operator\nmore")

    with pytest.raises(ExportError) as caught:
        export_loaded(load(plain), replace(exports()["h5"], write=broken), tmp_path / "x.h5")
    assert caught.value.happened.endswith("written and read again: no such operator")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([np.array([[1.0, 2.1]])], "differs from the model by 0.1"),
        ([np.array([[1.0, np.nan]])], "differs from the model by nan"),
        ([np.array([[1.0, 2.0, 0.0]])], "has outputs of"),
        ([], "has outputs of"),
    ],
)
def test_unequal_outputs(found, words) -> None:
    with pytest.raises(ExportError, match=words):
        compare([np.array([[1.0, 2.0]])], found, exports()["litert"])


def test_tolerance_grows_with_the_outputs() -> None:
    form = exports()["litert"]
    assert compare([np.array([1000.0])], [np.array([1000.05])], form) == pytest.approx(0.05)
    with pytest.raises(ExportError):
        compare([np.array([0.1])], [np.array([0.15])], form)


@pytest.mark.parametrize(("name", "words"), [("onnx", "not built yet"), ("zip", "does not exist")])
def test_formats_that_are_not_there(name: str, words: str) -> None:
    with pytest.raises(ExportError, match=words) as caught:
        format_of(name)
    assert caught.value.expected == "One of h5, keras, litert."


def test_names_that_mislead_are_refused(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is named like a h5 file"):
        export(plain, "keras", tmp_path / "model.h5")
    with pytest.raises(ExportError, match="is a folder"):
        export(plain, "keras", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_open_lengths_need_a_number_for_litert_only(tmp_path: Path) -> None:
    keras = keras_of("keras3")
    layers = [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(20, 4),
        keras.layers.GRU(3),
        keras.layers.Dense(2),
    ]
    source = tmp_path / "open.keras"
    keras.Sequential(layers).save(source)
    with pytest.raises(ExportError, match="open dimension"):
        export(source, "litert", tmp_path / "open.tflite")
    assert export(source, "h5", tmp_path / "open.h5")["check"]["max_abs_error"] == 0.0
    export(source, "litert", tmp_path / "open.tflite", length=11)
    from pruning.comparison.litert import Interpreter

    interpreter = Interpreter((tmp_path / "open.tflite").read_bytes())
    interpreter.feed([np.zeros((1, 11), np.int32)])
    interpreter.invoke()
    assert interpreter.outputs()[0].shape == (1, 2)


@pytest.mark.parametrize("family", ["keras3", "tf_keras"])
def test_a_model_of_the_logarithm_of_what_it_reads_is_exported(family, tmp_path: Path) -> None:
    keras = keras_of(family)
    log = keras.ops.log if family == "keras3" else tf.math.log
    i = keras.Input((6,))
    model = keras.Model(i, keras.layers.Dense(3)(log(i + 0.5)))
    model.save(tmp_path / "model.keras")
    check = export(tmp_path / "model.keras", "keras", tmp_path / "out.keras")["check"]
    assert check == {"max_abs_error": 0.0, "samples": 8}


@pytest.mark.parametrize("family", ["keras3", "tf_keras"])
def test_a_model_that_reads_two_samples_at_once_is_asked_with_two(family, tmp_path: Path) -> None:
    keras = keras_of(family)
    i = keras.Input(batch_shape=(2, 6, 4))
    x = keras.layers.GRU(5, stateful=True)(i)
    keras.Model(i, keras.layers.Dense(3)(x)).save(tmp_path / "model.keras")
    for form in ("keras", "h5"):
        check = export(tmp_path / "model.keras", form, tmp_path / f"out.{form}")["check"]
        assert check == {"max_abs_error": 0.0, "samples": 2}
    with pytest.raises(ExportError, match="it reads 2 samples at once, and the file one") as caught:
        export(tmp_path / "model.keras", "litert", tmp_path / "out.tflite")
    assert "keras or h5" in caught.value.fix


def test_litert_says_which_operator_it_lacks(tmp_path: Path) -> None:
    keras = keras_of("keras3")
    i = keras.Input((4,), dtype="float64")
    model = keras.Model(i, keras.layers.Dense(3, dtype="float64")(i))
    model.save(tmp_path / "model.keras")
    with pytest.raises(ExportError, match=r"convert this model: 'tf\.MatMul' op is neither"):
        export(tmp_path / "model.keras", "litert", tmp_path / "out.tflite")
