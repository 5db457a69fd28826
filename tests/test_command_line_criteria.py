"""Criteria on the command line: data-driven ones, those that do not apply, and their errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from pruning.command_line import main
from pruning.frameworks._base import framework
from tests.command_line_files import Files, answer, load_plainly, make_files
from tests.models import keras_of, outputs, randomize


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_STUDIO_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module", params=["keras3", "tf_keras"])
def files(request, tmp_path_factory) -> Files:
    return make_files(tmp_path_factory.mktemp(request.param), request.param)


def plan(capfd, files: Files, out: Path, *options: object, code: int = 0) -> dict:
    arguments = ("plan", files.model, "--no-latency", "--out", out, *options)
    return answer(capfd, "plan" if code == 0 else "error", *arguments, code=code)


def taylor_by_hand(files: Files, rows: np.ndarray) -> np.ndarray:
    """Scores of ``a_conv1``'s channels with plain Keras: a gate behind its ReLU. -> (channels,)."""
    import tensorflow as tf

    model = load_plainly(files.model, files.family)
    keras = keras_of(files.family)
    relu = next(
        layer for layer in model.layers[model.layers.index(model.get_layer("a_conv1")) + 1 :]
        if type(layer).__name__ in ("ReLU", "Activation")
    )  # fmt: skip
    probe = keras.Model(model.inputs, [relu.output, model.outputs[0]])
    x, y = files.arrays["x_train"][rows], files.arrays["y_train"][rows]
    with tf.GradientTape() as tape:
        x = tf.convert_to_tensor(x)
        tape.watch(x)
        inside, probabilities = probe(x, training=False)
        loss = -tf.reduce_sum(tf.math.log(tf.gather(probabilities, y, batch_dims=1)))
    change = np.sum(np.asarray(inside) * np.asarray(tape.gradient(loss, inside)), axis=(1, 2))
    return np.square(change).mean(axis=0)


def test_taylor_from_file_to_file(files: Files, capfd, tmp_path: Path) -> None:
    made = plan(
        capfd, files, tmp_path / "plan.json",
        *("--target", "flops=0.6", "--criterion", "taylor", "--data", files.data),
        *("--calibration-samples", 20, "--seed", 5),
    )  # fmt: skip
    assert made["calibration"] == {"criterion": "taylor", "samples": 20}
    assert made["calibration_samples"] == 20
    pruned = answer(
        capfd, "prune",
        *("prune", files.model, "--plan", tmp_path / "plan.json", "--data", files.data),
        *("--epochs", 0, "--out", tmp_path / "out"),
    )  # fmt: skip
    assert pruned["calibration"] == {"criterion": "taylor", "samples": 20}
    assert {"score", "cut"} <= pruned["seconds"].keys()

    # The same samples of the training split, the same scores, hence the same channels.
    rows = np.sort(np.random.default_rng(5).permutation(60)[:20])
    scores = taylor_by_hand(files, rows)
    channels = json.loads(Path(pruned["channels"]).read_text())["layers"]["a_conv1"]
    kept = next(entry["kept"] for entry in channels if (entry["weight"], entry["axis"]) == (0, 3))
    assert 0 < len(kept) < len(scores)
    assert kept == sorted(np.argsort(-scores, kind="stable")[: len(kept)].tolist())


def test_without_data_a_data_driven_criterion_is_refused(files: Files, capfd, tmp_path) -> None:
    found = plan(
        capfd, files, tmp_path / "plan.json",
        *("--target", "flops=0.6", "--criterion", "hessian"), code=2,
    )  # fmt: skip
    assert "hessian needs calibration samples" in found["error"]["message"]
    assert not (tmp_path / "plan.json").exists()
    plan(
        capfd, files, tmp_path / "plan.json",
        *("--target", "flops=0.6", "--criterion", "apoz", "--data", files.data),
    )  # fmt: skip
    found = answer(
        capfd, "error",
        *("prune", files.model, "--plan", tmp_path / "plan.json", "--epochs", 0),
        *("--out", tmp_path / "out"), code=2,
    )  # fmt: skip
    assert "apoz needs calibration samples, and there is no data" in found["error"]["message"]
    assert not list(tmp_path.glob("out/model.*"))


@pytest.mark.parametrize("count", [0, 100_001])
def test_a_count_out_of_range_is_refused(files: Files, capfd, tmp_path: Path, count: int) -> None:
    found = plan(
        capfd, files, tmp_path / "plan.json",
        *("--target", "flops=0.6", "--calibration-samples", count), code=2,
    )  # fmt: skip
    assert f"calibration_samples is {count}" in found["error"]["message"]


def test_data_of_another_shape_is_refused(files: Files, capfd, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, x=np.zeros((40, 5, 5, 3), np.float32), y=np.arange(40) % 3)
    found = plan(
        capfd, files, tmp_path / "plan.json",
        *("--target", "flops=0.6", "--criterion", "taylor", "--data", wrong), code=2,
    )  # fmt: skip
    assert "5" in found["error"]["message"]
    assert not (tmp_path / "plan.json").exists()


def test_lots_are_the_same_for_the_same_seed(files: Files, capfd, tmp_path: Path) -> None:
    def kept(seed: int, name: str) -> dict:
        plan(
            capfd, files, tmp_path / f"{name}.json",
            *("--target", "flops=0.5", "--criterion", "random", "--seed", seed),
        )  # fmt: skip
        answer(
            capfd, "prune",
            *("prune", files.model, "--plan", tmp_path / f"{name}.json", "--epochs", 0),
            *("--out", tmp_path / name),
        )  # fmt: skip
        return json.loads((tmp_path / name / "channels.json").read_text())

    assert kept(1, "one") == kept(1, "again")
    assert kept(1, "one") != kept(2, "other")


def test_a_group_that_the_criterion_does_not_apply_to_stays_whole(capfd, tmp_path: Path) -> None:
    keras = keras_of("keras3")
    i = keras.Input((6,))
    x = keras.layers.BatchNormalization(name="bn")(keras.layers.Dense(8, name="first")(i))
    x = keras.layers.Dense(8, activation="tanh", name="second")(x)
    model = keras.Model(i, keras.layers.Dense(3, activation="softmax", name="scores")(x))
    randomize(model)
    path, data = tmp_path / "model.keras", tmp_path / "data.npz"
    framework("keras3").save(model, path)
    x = np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32)
    np.savez(data, x=x, y=outputs(model, [x])[0].argmax(axis=1))
    options = ("--target", "flops=0.8", "--no-latency", "--data", data)
    made = answer(capfd, "plan", "plan", path, *options, "--criterion", "bn_scale")
    assert list(made["ratios"]) == ["first"]
    assert "does not apply to them: second. No BatchNormalization" in made["notes"][0]
    gamma = np.abs(model.get_layer("bn").gamma)
    plan_file, out = tmp_path / "plan.json", tmp_path / "out"
    answer(capfd, "plan", "plan", path, *options, "--criterion", "bn_scale", "--out", plan_file)
    answer(capfd, "prune", "prune", path, "--plan", plan_file, "--epochs", 0, "--out", out)
    cuts = json.loads((out / "channels.json").read_text())["layers"]
    (kept,) = [entry["kept"] for entry in cuts["first"] if entry["weight"] == 0]
    assert kept == sorted(np.argsort(-gamma)[: len(kept)].tolist())
    # No channel of this model is ever exactly zero.
    assert main(["plan", str(path), *map(str, options), "--criterion", "apoz", "--json"]) == 2
    error = json.loads(capfd.readouterr().out)["error"]
    assert "apoz (Zero activations) does not apply to this model" in error["message"]
