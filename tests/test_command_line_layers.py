"""The method *layers* from file to file, in both Kerases, against plain Keras and NumPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pruning
from pruning.command_line import main
from pruning.comparison import latency
from tests.command_line_files import Files, answer, load_plainly, make_files
from tests.models import keras_of, outputs


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_STUDIO_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def short_latency(monkeypatch) -> None:
    monkeypatch.setattr(latency, "MEASURE_SECONDS", 0.1)


@pytest.fixture(scope="module")
def keras3(tmp_path_factory) -> Files:
    return make_files(tmp_path_factory.mktemp("single"), "keras3")


@pytest.fixture(scope="module", params=["keras3", "tf_keras"])
def files(request, tmp_path_factory) -> Files:
    return make_files(tmp_path_factory.mktemp(request.param), request.param)


def influence(model, files: Files, source: str, target: str) -> float:
    """1 - mean cosine over positions and training samples, by plain Keras and NumPy."""
    ends = [model.get_layer(name).output for name in (source, target)]
    probe = keras_of(files.family).Model(model.input, ends)
    one, other = (np.asarray(a, np.float64) for a in probe(files.arrays["x_train"]))
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    products = (one * other).sum(-1)
    nothing = (~one.any(-1) & ~other.any(-1)).astype(float)  # zero stays zero: nothing changed
    cosine = np.divide(products, lengths, out=nothing, where=lengths > 0)
    return float(1 - cosine.mean())


def test_plan_and_prune_without_retraining(files: Files, capfd, tmp_path: Path) -> None:
    original = load_plainly(files.model, files.family)
    listed = answer(capfd, "inspect", "inspect", files.model)["blocks"]
    assert [(b["id"], b["kind"], b["removable"]) for b in listed] == [
        ("a_add", "residual", True),
        ("b_add", "residual", True),
    ]
    file = tmp_path / "plan.json"
    planned = answer(
        capfd, "plan", "plan", files.model, "--method", "layers", "--target", "flops=0.7",
        "--data", files.data, "--out", file, "--no-latency",
    )  # fmt: skip
    sources = {"a_add": "stem_relu", "b_add": "a_out"}
    wanted = {name: influence(original, files, sources[name], name) for name in sources}
    assert planned["influences"]["values"] == pytest.approx(wanted, abs=1e-5)
    assert planned["influences"]["samples"] == 60
    gone = min(wanted, key=wanted.__getitem__)
    assert planned["removed"] == json.loads(file.read_text())["removed"] == [gone]
    assert (planned["method"], planned["criterion"]) == ("layers", "block_influence")

    out = tmp_path / "out"
    pruned = answer(
        capfd, "prune", "prune", files.model, "--plan", file, "--epochs", 0, "--out", out
    )
    assert (pruned["channels"], pruned["masks"]) == (None, None)
    assert pruned["self_check"]["max_abs_error"] <= 1e-5
    assert pruned["params"]["after"] == planned["expected"]["params"]["value"]
    assert pruned["flops"]["after"] == planned["expected"]["flops"]["value"]
    assert pruned["bytes"]["after"] == Path(pruned["model"]).stat().st_size
    after = load_plainly(pruned["model"], files.family)
    record = json.loads((out / "layers.json").read_text())
    names = {layer.name for layer in original.layers}
    assert {layer.name for layer in after.layers} == names - set(record["removed"])
    for layer in after.layers:
        whole = original.get_layer(layer.name).get_weights()
        assert all(map(np.array_equal, layer.get_weights(), whole))
    # The oracle: the branch ends in a BatchNormalization, whose scale and shift become zero.
    norm = original.get_layer(f"{gone[0]}_conv2_bn")
    norm.set_weights([np.zeros_like(w) for w in norm.get_weights()[:2]] + norm.get_weights()[2:])
    x = files.arrays["x_test"]
    np.testing.assert_allclose(outputs(after, [x])[0], outputs(original, [x])[0], atol=1e-5)


def test_locks_choices_and_the_other_criterion(keras3: Files, capfd) -> None:
    files = keras3
    common = ("plan", files.model, "--method", "layers", "--data", files.data, "--no-latency")
    for name in ("a_add", "b_add"):
        other = {"a_add": "b_add", "b_add": "a_add"}[name]
        locked = answer(capfd, "plan", *common, "--target", "flops=0.7", "--lock", name)
        assert locked["removed"] == [other]
        forced = answer(capfd, "plan", *common, "--target", "flops=0.7", "--remove", name)
        assert forced["removed"] == [name]
    found = answer(capfd, "plan", *common, "--target", "params=0.3", "--criterion", "sensitivity")
    assert set(found["removed"]) == {"a_add", "b_add"}
    assert found["influences"]["split"] == "val"
    assert found["influences"]["loss"] > 0


def test_a_chosen_block_needs_no_target_and_no_data(keras3: Files, capfd, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    common = ["plan", keras3.model, "--no-latency", "--out", file, "--remove", "b_add"]
    planned = answer(capfd, "plan", *common, "--method", "layers")
    assert (planned["removed"], planned["target"]) == (["b_add"], None)
    out = tmp_path / "out"
    command = ["prune", keras3.model, "--plan", file, "--epochs", 0, "--out", out]
    pruned = answer(capfd, "prune", *command)
    assert pruned["params"]["after"] == planned["expected"]["params"]["value"]
    error = answer(capfd, "error", *common, code=2)["error"]  # it is of the method layers
    assert "b_add" in error["message"] or "removed" in error["message"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "flops=0.01"], "At least flops="),
        (["--target", "sparsity=0.5"], "sparsity is not a target"),
        (["--target", "flops=1"], "out of range"),
        (["--target", "flops=0.7", "--lock", "a_add", "--lock", "b_add"], "2 locked"),
        (["--target", "flops=0.7", "--lock", "nothing"], "no block 'nothing'"),
        (["--target", "flops=0.7", "--criterion", "l1"], "no criterion 'l1'"),
        (["--target", "flops=0.7", "--ratio", "a_add=0.5"], "takes no ratios"),
    ],
)
def test_what_cannot_be_planned_says_why(keras3: Files, capfd, arguments, words) -> None:
    files = keras3
    command = ["plan", str(files.model), "--method", "layers", "--data", str(files.data)]
    record = answer(capfd, "error", *command, *arguments, "--no-latency", code=2)
    assert words in record["error"]["message"]


def test_a_retrained_model_with_its_words(keras3: Files, capfd, tmp_path: Path) -> None:
    files = keras3
    planned = pruning.plan(files.model, None, method="layers", removed=["b_add"], latency=False)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(planned.plan.to_dict()))
    command = ["prune", files.model, "--plan", file, "--data", files.data, "--epochs", 1]
    capfd.readouterr()
    assert main([*map(str, command), "--out", str(tmp_path / "out")]) == 0
    words = capfd.readouterr().out
    assert "The statistics of 3 BatchNorm layers were measured again on 60 training" in words
    assert "layers.json" in words
    comparison = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert comparison["recalibration"]["layers"] == 3
    after = load_plainly(tmp_path / "out" / f"model{files.model.suffix}", files.family)
    assert after.count_params() == comparison["sizes_after"]["params"]
