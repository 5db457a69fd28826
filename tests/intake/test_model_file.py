"""Model files: what loads, and what is refused with three sentences."""

from __future__ import annotations

import importlib
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pruning.analysis.layer_rules import rules
from pruning.errors import ModelFileError
from pruning.frameworks import container, safety
from pruning.intake import store
from pruning.intake.model_file import LoadedModel, check_forward, load, sniff
from tests import models


def saved(folder: Path, name: str, family: str, suffix: str) -> tuple[Any, Path]:
    model = models.build(name, family)
    path = folder / f"{name}-{family}{suffix}"
    model.save(path)
    return model, path


def assert_same(model: Any, loaded: LoadedModel) -> None:
    inputs = models.samples(model)
    pairs = zip(models.outputs(model, inputs), models.outputs(loaded.model, inputs), strict=True)
    for expected, actual in pairs:
        np.testing.assert_array_equal(expected, actual)


def refused(path: Path, *words: str) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        load(path)
    error = caught.value
    for word in words:
        assert word in error.happened
    for sentence in (error.happened, error.expected, error.fix):
        assert sentence.endswith("."), sentence
    return error


def test_an_uploaded_file_is_called_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    picture = b"\x89PNG\r\n\x1a\n" + bytes(64)
    stored = store.model_path(store.store_model("my cat.keras", picture))
    assert refused(stored).happened.startswith("my cat.keras is a PNG picture")
    shutil.copy(stored, tmp_path / "model.keras")
    assert refused(tmp_path / "model.keras").happened.startswith("model.keras is a PNG picture")


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The ``.keras`` file with a change to its configuration."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    return zipped(path, {**members, "config.json": json.dumps(config)})


def edited_h5(path: Path, change: Callable[[dict[str, Any]], None], version: str = "") -> Path:
    """The ``.h5`` file with a change to its configuration and its writer."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
        if version:
            file.attrs["keras_version"] = version
    return path


def store_as_cudnn(group: h5py.Group, cell: str) -> None:
    """Rewrite all weights of recurrent layers: kernels of each gate (out, in), a row of biases."""
    for name, node in list(group.items()):
        if isinstance(node, h5py.Group):
            store_as_cudnn(node, cell)
            continue
        value = node[()]
        if "kernel" in name:
            gates = np.split(value, 4 if cell == "LSTM" else 3, axis=1)
            node[...] = np.concatenate([gate.T.reshape(gate.shape) for gate in gates], axis=1)
        elif cell == "LSTM":  # two biases, which are added
            del group[name]
            group[name] = np.concatenate([2 * value, -value])
        else:
            del group[name]
            group[name] = value.reshape(-1)


def zipped(path: Path, members: dict[str, str | bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def layer(config: dict[str, Any], name: str) -> dict[str, Any]:
    """The entry of a layer in a model's configuration."""
    return next(e for e in config["config"]["layers"] if e["config"]["name"] == name)


# What loads


@pytest.mark.parametrize(
    ("family", "suffix", "other"),
    [
        ("keras3", ".keras", ".h5"),
        ("keras3", ".h5", ".keras"),
        ("tf_keras", ".keras", ".h5"),
        ("tf_keras", ".h5", ".keras"),
    ],
)
def test_the_content_decides_and_not_the_name(
    tmp_path: Path, family: str, suffix: str, other: str
) -> None:
    model, path = saved(tmp_path, "residual_identity", family, suffix)
    for name in (path, tmp_path / f"renamed{other}", tmp_path / "no-suffix"):
        if name != path:
            shutil.copy(path, name)
        loaded = load(name)
        assert (loaded.file.family, loaded.file.file_format) == (family, suffix[1:])
        assert loaded.framework.family == family
        assert_same(model, loaded)
    version = {"keras3": "3.15.1", "tf_keras": "2.21.0"}[family]
    assert loaded.file.writer == f"Keras {version}"


def test_a_read_only_file_loads(tmp_path: Path) -> None:
    model, path = saved(tmp_path, "conv1d", "tf_keras", ".keras")
    path.chmod(0o400)
    assert_same(model, load(path))


def test_sniffing_imports_no_keras(tmp_path: Path) -> None:
    import subprocess

    _, path = saved(tmp_path, "conv1d", "keras3", ".keras")
    program = (
        "import sys; from pathlib import Path; from pruning.intake.model_file import sniff;"
        f"print(sniff(Path({str(path)!r})).family);"
        "print([m for m in ('tensorflow', 'keras', 'tf_keras') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.split("\n")[:2] == ["keras3", "[]"]


@pytest.mark.parametrize("family", models.FAMILIES)
def test_a_compiled_model_loads_uncompiled_even_when_a_nested_one_was_compiled(
    tmp_path: Path, family: str
) -> None:
    def own_loss(true: Any, predicted: Any) -> Any:
        return abs(true - predicted)

    model = models.build("nested_sequential", family)
    model.layers[0].compile("adam", own_loss)
    model.compile("adam", own_loss)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = load(path)
    assert getattr(loaded.model, "optimizer", None) is None
    assert_same(model, loaded)


@pytest.mark.parametrize("version", ["2.1.6", "2.3.1"])
def test_an_old_gru_file_is_read_with_reset_after_off(tmp_path: Path, version: str) -> None:
    keras = models.keras_of("tf_keras")
    gru = keras.layers.GRU(3, reset_after=False)
    model = keras.Sequential([keras.Input((5, 2)), keras.layers.Bidirectional(gru)])
    models.randomize(model)
    path = tmp_path / "old.h5"
    model.save(path)

    def forget(config: dict[str, Any]) -> None:
        wrapper = config["config"]["layers"][1]["config"]
        del wrapper["layer"]["config"]["reset_after"]

    assert_same(model, load(edited_h5(path, forget, version)))


@pytest.mark.parametrize(
    ("cell", "version"), [("LSTM", "2.2.4"), ("GRU", "2.1.6"), ("GRU", "2.2.4-tf")]
)
def test_layers_for_cudnn_are_read_as_those_for_any_processor(
    tmp_path: Path, cell: str, version: str
) -> None:
    keras = models.keras_of("tf_keras")
    layer = getattr(keras.layers, cell)(3, return_sequences=True, name="cell")
    both = keras.layers.Bidirectional(getattr(keras.layers, cell)(4), name="both")
    model = keras.Sequential([keras.Input((5, 2)), layer, both])
    models.randomize(model)
    path = tmp_path / "old.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        store_as_cudnn(file["model_weights"], cell)

    def rename(config: dict[str, Any]) -> None:
        entries = config["config"]["layers"]
        for entry in (entries[1], entries[2]["config"]["layer"]):
            entry["class_name"] = f"CuDNN{cell}"
            for name in ("activation", "recurrent_activation", "reset_after", "implementation"):
                entry["config"].pop(name, None)

    assert_same(model, load(edited_h5(path, rename, version)))


@pytest.mark.parametrize("family", models.FAMILIES)
def test_open_and_fixed_dimensions_are_tried_until_the_model_runs(
    tmp_path: Path, family: str
) -> None:
    keras = models.keras_of(family)
    open_input = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(2, 50)(open_input)
    fully = keras.Model(open_input, keras.layers.GlobalMaxPooling2D()(x))
    fixed_input = keras.Input(batch_shape=(1, 4, 2))
    fixed = keras.Model(fixed_input, keras.layers.LSTM(3, stateful=True)(fixed_input))
    for number, model in enumerate((fully, fixed)):
        path = tmp_path / f"{number}.keras"
        model.save(path)
        assert load(path).model.count_params() == model.count_params()


# What is refused


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG picture"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "JPEG picture"),
        (b"RIFF....WAVEfmt " + bytes(40), "WAV"),
        ("Grüße an alle, die das lesen.".encode(), "text file"),
        (b'{"class_name": "Sequential", "config": {}}', "JSON description"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"\x80\x04\x95" + bytes(40), "pickle"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(40), "LiteRT"),
        (b"\x93NUMPY\x01\x00" + bytes(40), "NumPy array"),
        (b"PK\x03\x04" + bytes(40), "cut off"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "cut off"),
        (bytes(range(128, 256)) * 8, "pickle"),
        (bytes(range(200, 256)) * 8, "unknown kind"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    refused(path, "model.keras", words)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"cat/1.png": b"x"}, "without a Keras model"),
        ({"m/saved_model.pb": b"x", "m/variables/variables.index": b""}, "SavedModel"),
        ({"archive/data.pkl": b"x"}, "PyTorch"),
        ({"x_train.npy": b"x", "y_train.npy": b"y"}, ".npz"),
        ({"config.json": "{}", "metadata.json": "{}"}, "without its weights"),
        ({"my/model.keras": b"x"}, "around a model: my/model.keras"),
        ({"config.json": "{", "model.weights.h5": b""}, "not valid JSON"),
        ({"config.json": "[]", "model.weights.h5": b""}, "not a JSON object"),
        ({"config.json": "[" * 100_000, "model.weights.h5": b""}, "not valid JSON"),
        ({"config.json": "{}", "model.weights.h5": b""}, "damaged"),
    ],
)
def test_archives_without_a_model_are_named(
    tmp_path: Path, members: dict[str, str | bytes], words: str
) -> None:
    refused(zipped(tmp_path / "model.keras", members), words)


def test_folders_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, "is a folder")
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    error = refused(tmp_path, "SavedModel")
    assert "save('model.keras')" in error.fix
    refused(tmp_path / "nothing.h5", f"no file {str(tmp_path / 'nothing.h5')!r}")


@pytest.mark.parametrize("family", models.FAMILIES)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_truncated_files_are_refused_at_every_length(
    tmp_path: Path, family: str, suffix: str
) -> None:
    _, path = saved(tmp_path, "plain", family, suffix)
    content = path.read_bytes()
    for part in (0.02, 0.5, 0.9, 0.99):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(content[: int(part * len(content))])
        refused(cut, "cut off or damaged")


def test_a_flipped_byte_in_the_weights_is_noticed(tmp_path: Path) -> None:
    _, path = saved(tmp_path, "plain", "keras3", ".keras")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    refused(path, "cut off or damaged")


def test_a_locked_archive_is_refused(tmp_path: Path) -> None:
    _, path = saved(tmp_path, "plain", "keras3", ".keras")
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(signature, place + 4)
    path.write_bytes(content)
    refused(path, "password")


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "MAX_UNPACKED_BYTES", 2**20)
    bomb = {"config.json": "{}", "model.weights.h5": bytes(2**21)}
    path = zipped(tmp_path / "bomb.keras", bomb, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**14
    refused(path, "unpacks to")
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        weights = file.create_group("model_weights")
        weights.create_dataset("w", (2**19,), "float32", chunks=True, compression="gzip")
    refused(tmp_path / "bomb.h5", "unpacks to")


@pytest.mark.parametrize("family", models.FAMILIES)
def test_weights_alone_are_refused_and_the_way_out_is_told(tmp_path: Path, family: str) -> None:
    model = models.build("plain", family)
    for name in ("some.weights.h5", "some.h5"):
        path = tmp_path / name
        if family == "keras3" and name == "some.h5":
            continue
        model.save_weights(path)
        error = refused(path, "weights only")
        assert "load_weights" in error.fix
        assert "model.save('model.keras')" in error.fix


def test_an_hdf5_file_without_a_model_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["images"] = np.zeros(3)
    refused(tmp_path / "data.h5", "HDF5 file without a Keras model")


@pytest.mark.parametrize("family", models.FAMILIES)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_lambda_is_refused_by_its_name_and_never_run(
    tmp_path: Path, family: str, suffix: str
) -> None:
    keras = models.keras_of(family)
    trap = str(tmp_path / "trap")
    inner = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Lambda(lambda x: (Path(trap).touch(), x)[1], name="evil"),
        ]
    )
    path = tmp_path / f"model{suffix}"
    keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(2)]).save(path)
    Path(trap).unlink()
    refused(path, "Lambda", "'evil'")
    assert not Path(trap).exists()


@pytest.mark.parametrize("family", models.FAMILIES)
def test_layers_that_read_strings_are_refused_with_a_way_out(tmp_path: Path, family: str) -> None:
    keras = models.keras_of(family)
    word = keras.Input((1,), dtype="string", name="word")
    x = keras.layers.StringLookup(vocabulary=["a", "b"], name="number")(word)
    x = keras.layers.Flatten()(keras.layers.Embedding(3, 4)(x))
    path = tmp_path / "model.keras"
    keras.Model(word, keras.layers.Dense(2)(x)).save(path)
    assert "behind that layer" in refused(path, "StringLookup", "strings").fix


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_quantized_weights_are_refused_by_what_they_are(tmp_path: Path, mode: str) -> None:
    import keras

    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    model.quantize(mode)
    model.save(tmp_path / "model.keras")
    error = refused(tmp_path / "model.keras", f"quantized ({mode}")
    assert "before model.quantize" in error.fix


@pytest.mark.parametrize("family", models.FAMILIES)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_custom_layers_and_functions_are_all_named(
    tmp_path: Path, family: str, suffix: str
) -> None:
    keras = models.keras_of(family)

    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    @keras.saving.register_keras_serializable(package="Shop")
    class Registered(keras.layers.Dense):
        pass

    def bent(x: Any) -> Any:
        return x * 0.5

    i = keras.Input((3,))
    x = Registered(4)(Own()(i))
    model = keras.Model(i, keras.layers.Dense(2, activation=bent)(x))
    path = tmp_path / f"model{suffix}"
    model.save(path)
    refused(path, "Own", "Registered", *(["bent"] if suffix == ".keras" else []))


@pytest.mark.parametrize("family", models.FAMILIES)
def test_a_subclassed_model_is_refused(tmp_path: Path, family: str) -> None:
    keras = models.keras_of(family)

    class Net(keras.Model):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.dense = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Net()
    model(np.zeros((1, 3), "float32"))
    path = tmp_path / "model.keras"
    model.save(path)
    error = refused(path, "Python class 'Net'")
    assert "functional" in error.fix


@pytest.mark.parametrize("family", models.FAMILIES)
def test_a_sequential_model_without_an_input_is_refused(tmp_path: Path, family: str) -> None:
    keras = models.keras_of(family)
    path = tmp_path / "model.keras"
    keras.Sequential([keras.layers.Dense(2)]).save(path)
    refused(path, "Sequential", "no input shape")


@pytest.mark.parametrize("family", models.FAMILIES)
@pytest.mark.parametrize(
    ("module", "class_name"),
    [
        ("os", "system"),
        ("keras.utils", "get_file"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.models", "load_model"),
        ("keras.saving", "load_model"),
        ("keras.src.saving.saving_lib", "DiskIOStore"),
        ("keras.layersx", "Dense"),
        ("keras.layers", "NoSuchLayer"),
        ("builtins", "exec"),
        (None, "Unknown"),
    ],
)
def test_objects_outside_of_keras_are_never_resolved(
    tmp_path: Path, family: str, module: str | None, class_name: str
) -> None:
    _, path = saved(tmp_path, "plain", family, ".keras")

    def change(config: dict[str, Any]) -> None:
        layer(config, "hidden")["config"]["activation"] = {
            "module": module,
            "class_name": class_name,
            "config": {},
            "registered_name": class_name,
        }

    refused(edited(path, change), class_name)


@pytest.mark.parametrize("family", models.FAMILIES)
def test_functions_outside_of_keras_are_never_resolved(tmp_path: Path, family: str) -> None:
    _, path = saved(tmp_path, "plain", family, ".keras")
    for module, function in (("os", "system"), ("builtins", "eval"), ("keras.utils", "get_file")):
        activation = {
            "module": module,
            "class_name": "function",
            "config": function,
            "registered_name": "function",
        }

        def change(config: dict[str, Any], activation: Any = activation) -> None:
            layer(config, "hidden")["config"]["activation"] = activation

        refused(edited(path, change), function)


@pytest.mark.parametrize(
    "function",
    ["io.write_file", "raw_ops.ReadFile", "py_function", "load_library", "keras.backend.rnn"],
)
def test_tensorflow_functions_that_do_more_than_arithmetic_are_refused(
    tmp_path: Path, function: str
) -> None:
    _, path = saved(tmp_path, "operators", "tf_keras", ".h5")

    def change(config: dict[str, Any]) -> None:
        entries = config["config"]["layers"]
        call = next(entry for entry in entries if entry["class_name"] == "TFOpLambda")
        call["config"]["function"] = function

    refused(edited_h5(path, change), repr(function))


def test_functions_that_a_rule_knows_are_not_refused() -> None:
    known = [name.removeprefix("tf.") for name in rules() if name.startswith("tf.")]
    assert "sort" in known
    assert [name for name in known if not safety._is_arithmetic(name)] == []


def test_a_model_that_sorts_and_shifts_images_is_read(tmp_path: Path) -> None:
    import tensorflow as tf

    keras = models.keras_of("tf_keras")
    i = keras.Input((6, 6, 3))
    x = tf.image.pad_to_bounding_box(keras.layers.Conv2D(4, 3)(i), 1, 1, 6, 6)
    x = tf.sort(tf.image.central_crop(x, 0.5), axis=1) + tf.saturate_cast(x[:, :4, :4], tf.float32)
    model = keras.Model(i, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    model.save(tmp_path / "model.keras")
    assert_same(model, load(tmp_path / "model.keras"))


def test_a_vocabulary_in_another_file_is_refused(tmp_path: Path) -> None:
    _, path = saved(tmp_path, "embedding_pool", "tf_keras", ".keras")

    def change(config: dict[str, Any]) -> None:
        layer(config, "embedding")["config"]["vocabulary"] = "/etc/hostname"

    refused(edited(path, change), "'/etc/hostname'")


@pytest.mark.parametrize("kind", ["link", "external", "virtual"])
def test_weights_outside_of_the_file_are_refused(tmp_path: Path, kind: str) -> None:
    _, path = saved(tmp_path, "plain", "tf_keras", ".h5")
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.zeros(4, "float32")
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        if kind == "link":
            group["more"] = h5py.ExternalLink(str(secret), "/x")
        elif kind == "external":
            group.create_dataset("more", (4,), "float32", external=[(str(secret), 0, 16)])
        else:
            layout = h5py.VirtualLayout((4,), "float32")
            layout[:] = h5py.VirtualSource(str(secret), "x", (4,))
            group.create_virtual_dataset("more", layout)
    refused(path, "points to data outside", "/model_weights/more")
    clean = zipped(tmp_path / "model.keras", {"config.json": "{}", "model.weights.h5": b""})
    with pytest.raises(ModelFileError, match="points to data outside"):
        container.check_weights(io.BytesIO(path.read_bytes()), clean)


def test_a_file_with_a_layer_missing_is_refused(tmp_path: Path) -> None:
    _, path = saved(tmp_path, "plain", "keras3", ".keras")

    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"].remove(layer(config, "flatten"))

    refused(edited(path, change), "could not rebuild the model")


def test_a_file_with_other_weights_is_refused(tmp_path: Path) -> None:
    for family in models.FAMILIES:
        _, path = saved(tmp_path, "plain", family, ".keras")

        def change(config: dict[str, Any]) -> None:
            entry = layer(config, "hidden")
            entry["config"]["units"] = 11

        refused(edited(path, change), "could not rebuild the model")


def test_operations_in_an_h5_file_of_keras_3_are_named(tmp_path: Path) -> None:
    _, path = saved(tmp_path, "bidirectional", "keras3", ".h5")
    error = refused(path, "NotEqual", "cannot read back")
    assert "model.save('model.keras')" in error.fix


def test_a_file_of_keras_1_is_refused(tmp_path: Path) -> None:
    _, path = saved(tmp_path, "plain", "tf_keras", ".h5")
    refused(edited_h5(path, lambda config: None, "1.2.2"), "Keras 1.2.2")


def test_a_file_of_keras_1_without_a_version_is_refused_as_one(tmp_path: Path) -> None:
    _, path = saved(tmp_path, "conv1d", "tf_keras", ".h5")

    def age(config: dict[str, Any]) -> None:
        settings = config["config"]["layers"][1]["config"]
        settings["nb_filter"] = settings.pop("filters")

    edited_h5(path, age)
    with h5py.File(path, "r+") as file:
        del file.attrs["keras_version"]
    refused(path, "written by Keras 1, by its layers' settings")


@pytest.mark.parametrize("family", models.FAMILIES)
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, family: str) -> None:
    model = models.build("plain", family)
    hidden = model.get_layer("hidden")
    kernel, bias = hidden.get_weights()
    bias[2] = np.nan
    hidden.set_weights([kernel, bias])
    path = tmp_path / "model.keras"
    model.save(path)
    refused(path, "Weight 1 of the layer 'hidden'", "NaN")


@pytest.mark.parametrize("family", models.FAMILIES)
def test_a_model_that_reads_text_is_refused(family: str) -> None:
    from pruning.frameworks._base import framework

    keras = models.keras_of(family)
    i = keras.Input((1,), dtype="string", name="words")
    model = keras.Model(i, i)
    with pytest.raises(ModelFileError, match="'words' takes text"):
        check_forward(model, framework(family))


def test_the_declared_shape_is_compared_with_the_answer() -> None:
    from pruning.frameworks._base import framework

    model = models.build("plain", "keras3")

    class Wrong(type(framework("keras3"))):  # type: ignore[misc]
        def shape(self, tensor: Any) -> tuple[int | None, ...]:
            shape = super().shape(tensor)
            return (None, 4) if shape == (None, 3) else shape

    with pytest.raises(ModelFileError, match=r"declares outputs of shape \[\(None, 4\)\]"):
        check_forward(model, Wrong())


@pytest.mark.parametrize("family", models.FAMILIES)
def test_the_length_that_a_model_answers_to(tmp_path: Path, family: str) -> None:
    keras = models.keras_of(family)
    layers = keras.layers

    def length(shape: tuple[int | None, ...], *inside: Any) -> int:
        path = tmp_path / "model.keras"
        keras.Sequential([keras.Input(shape), *inside]).save(path)
        return load(path).length

    assert length((None, 2), layers.Conv1D(2, 3)) == 128
    assert length((None, 2), layers.Conv1D(2, 200)) == 224
    assert length((None, 2), layers.Cropping1D(3000)) == 8192
    assert length((None,), layers.Embedding(5, 2), layers.Reshape((32, 2))) == 32
    assert length((None, None, 1), layers.Cropping2D(200)) == 512
    with pytest.raises(ModelFileError, match="cannot run on an example input") as caught:
        length((None, None, 1), layers.Cropping2D(300))
    assert "Exception encountered" not in caught.value.happened


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("family", models.FAMILIES)
def test_the_own_layer_of_inception_resnet_is_known(
    tmp_path: Path, family: str, suffix: str
) -> None:
    keras = models.keras_of(family)
    module = f"{keras.__name__}.src.applications.inception_resnet_v2"
    own = importlib.import_module(module).CustomScaleLayer
    i = keras.Input((4,))
    model = keras.Model(i, own(0.5)([i, keras.layers.Dense(4)(i)]))
    path = tmp_path / f"model{suffix}"
    model.save(path)
    assert_same(model, load(path))


@pytest.mark.parametrize("family", models.FAMILIES)
def test_an_activation_of_the_authors_own_is_named(tmp_path: Path, family: str) -> None:
    _, path = saved(tmp_path, "plain", family, ".h5")
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layer(config, "hidden")["config"]["activation"] = "<lambda>"
        file.attrs["model_config"] = json.dumps(config)
    refused(path, "not part of Keras", "the activation <lambda>")


def test_sniff_tells_the_writer_of_a_file_without_a_version(tmp_path: Path) -> None:
    for family in models.FAMILIES:
        _, path = saved(tmp_path, "plain", family, ".h5")
        with h5py.File(path, "r+") as file:
            del file.attrs["keras_version"]
        assert (sniff(path).family, sniff(path).writer) == (family, "Keras")


def test_weights_that_are_made_while_it_runs_are_refused(tmp_path: Path) -> None:
    layers = models.keras_of("keras3").layers
    i = layers.Input((6,))
    x = layers.Dense(8, activation=layers.PReLU(), name="own")(i)
    path = tmp_path / "model.keras"
    models.keras_of("keras3").Model(i, layers.Dense(3)(x)).save(path)
    error = refused(path, "'own' makes weights only while it runs")
    assert "PReLU" in error.fix
