"""The command line end to end, in both Kerases, against its schemas and against plain Keras."""

import errno
import io
import json
import os
import runpy
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pruning
from pruning import storage
from pruning.command_line import main
from pruning.runs.folder import RunFolder, runs_folder
from pruning.strategy.criteria import criteria
from pruning.strategy.plan import METHODS, PruningPlan
from tests.command_line_files import Files, answer, load_plainly, make_files

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_STUDIO_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module", params=["keras3", "tf_keras"])
def files(request, tmp_path_factory) -> Files:
    return make_files(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def keras3(tmp_path_factory) -> Files:
    return make_files(tmp_path_factory.mktemp("single"), "keras3")


def accuracy(model, files: Files) -> float:
    arrays = files.arrays
    answers = model.predict(arrays["x_test"], verbose=0).argmax(axis=1)
    return float((answers == arrays["y_test"]).mean())


def test_inspect(files: Files, capfd) -> None:
    found = answer(capfd, "inspect", "inspect", files.model, "--data", files.data)
    plain = load_plainly(files.model, files.family)
    assert found["family"] == files.family
    assert found["params"] == plain.count_params()
    assert found["bytes"] == files.model.stat().st_size
    # By hand: 2 x 8 x 8 x 9 = 1152 per pair of channels; the stem has 3 x 6, four others 5 x 6.
    assert found["flops"] == 1152 * (3 * 6 + 4 * 5 * 6) + 2 * 6 * 3
    assert found["inputs"][0] == {"name": "image", "shape": [8, 8, 3], "dtype": "float32"}
    layers = {layer["name"]: layer for layer in found["layers"]}
    assert layers["stem"]["prunable"]
    assert layers["stem"]["flops"] == 1152 * 18
    assert not layers["logits"]["prunable"]
    assert layers["logits"]["params"] == 6 * 3 + 3
    groups = {group["id"]: group for group in found["groups"]}
    assert {"stem", "a_conv2", "b_conv2", "logits"} <= set(groups["stem"]["layers"])
    # One channel a group: stem 3, four convolutions of one pair, and the head.
    assert found["floor"]["flops"] == 1152 * (3 + 4) + 2 * 3
    assert found["data"]["samples"] == {"train": 60, "val": 12, "test": 30}
    assert found["data"]["baseline"]["value"]["value"] == accuracy(plain, files) == 1.0
    assert found["data"]["notes"] == []


def test_inspect_says_what_became_of_the_data(keras3: Files, capfd, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures.zip"
    with zipfile.ZipFile(pictures, "w") as archive:
        for number in range(36):
            archive.writestr(f"{'abc'[number % 3]}/{number}.png", _picture(number))
        archive.writestr("a/bad.png", b"no picture")
    found = answer(capfd, "inspect", "inspect", keras3.model, "--data", pictures)["data"]
    assert sum(found["samples"].values()) == 36
    assert "divide by 255" in found["preprocessing"]
    assert found["baseline"]["chance"] == pytest.approx(1 / 3)
    chance, left_out = found["notes"]
    assert chance.startswith("The model does no better than chance on this data.")
    assert "order of the classes" in chance
    assert left_out.startswith("1 sample could not be read and was left out: a/bad.png")
    assert main(["inspect", str(keras3.model), "--data", str(pictures)]) == 0
    said = capfd.readouterr().out
    samples = "pictures.zip: 24 training, 6 validation, 6 test samples"
    assert f"{samples}; resize 8×8, RGB, divide by 255" in said
    assert left_out in said


def test_plan_prune_and_compare(files: Files, capfd, tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.json"
    planned = answer(
        capfd, "plan",
        *("plan", files.model, "--target", "flops=0.6", "--out", plan_file, "--data", files.data),
    )  # fmt: skip
    assert PruningPlan.from_dict(json.loads(plan_file.read_text())).ratios == planned["ratios"]
    expected = planned["expected"]
    assert expected["params"]["basis"] == expected["flops"]["basis"] == "exact"
    assert expected["latency_ms"]["value"] > 0

    out = tmp_path / "pruned"
    pruned = answer(
        capfd, "prune",
        *("prune", files.model, "--plan", plan_file, "--data", files.data),
        *("--epochs", 1, "--out", out),
    )  # fmt: skip
    plain = load_plainly(pruned["model"], files.family)
    assert pruned["params"]["after"] == plain.count_params() == expected["params"]["value"]
    assert pruned["flops"]["after"] == expected["flops"]["value"]
    assert pruned["flops"]["after"] <= 0.62 * pruned["flops"]["before"]
    assert pruned["self_check"]["max_abs_error"] <= pruned["self_check"]["tolerance"] == 1e-5
    assert pruned["accuracy"] == {"before": 1.0, "after": accuracy(plain, files)}

    found = answer(
        capfd, "compare", "compare", files.model, pruned["model"], "--data", files.data
    )  # fmt: skip
    right = round(30 * accuracy(plain, files))
    assert found["samples"] == found["answers"] == 30
    assert (found["both_right"], found["only_before"]) == (right, 30 - right)
    assert (found["only_after"], found["both_wrong"]) == (0, 0)
    assert found["difference"]["value"] == pytest.approx(right / 30 - 1)
    assert found["sizes_after"]["params"] == plain.count_params()
    assert found["latency_before"]["runs"] == found["latency_after"]["runs"] >= 10
    assert np.sum(found["confusion_after"]) == 30
    assert "fewer FLOPs" in found["verdict"]


def test_several_cuts_from_plan_to_answer(files: Files, capfd, tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.json"
    target = ["--target", "flops=0.6", "--epochs", 2, "--cuts", 3, "--out", plan_file]
    planned = answer(capfd, "plan", "plan", files.model, *target, "--no-latency")
    assert planned["cuts"] == 3
    command = ["prune", files.model, "--plan", plan_file, "--data", files.data]
    pruned = answer(capfd, "prune", *command, "--out", tmp_path / "out")
    assert pruned["self_check"]["cuts"] == 3
    assert pruned["params"]["after"] == planned["expected"]["params"]["value"]
    plain = load_plainly(pruned["model"], files.family)
    assert plain.count_params() == pruned["params"]["after"]
    assert pruned["accuracy"]["after"] == accuracy(plain, files)
    assert pruned["seconds"]["narrow"] > 0
    error = answer(capfd, "error", *command, "--epochs", 1, "--out", tmp_path / "no", code=2)
    assert "3 cuts with retraining between them, in a single epoch" in error["error"]["message"]
    assert not (tmp_path / "no").exists()


def test_prune_without_training_only_slices(files: Files, capfd, tmp_path: Path) -> None:
    plan_file, out = tmp_path / "plan.json", tmp_path / "pruned"
    answer(
        capfd, "plan",
        *("plan", files.model, "--target", "params=0.5", "--out", plan_file, "--no-latency"),
    )  # fmt: skip
    pruned = answer(
        capfd, "prune",
        *("prune", files.model, "--plan", plan_file, "--epochs", 0, "--out", out),
    )  # fmt: skip
    assert pruned["accuracy"] is None
    assert pruned["masks"] is None
    original = load_plainly(files.model, files.family)
    cut = load_plainly(pruned["model"], files.family)
    listed = json.loads(Path(pruned["channels"]).read_text())["layers"]
    for layer in original.layers:
        weights = layer.get_weights()
        for entry in listed.get(layer.name, []):
            index, axis = entry["weight"], entry["axis"]
            weights[index] = np.take(weights[index], entry["kept"], axis=axis)
        for sliced, found in zip(weights, cut.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(sliced, found)
    assert cut.count_params() < original.count_params()


def test_weights_become_zero(files: Files, capfd, tmp_path: Path) -> None:
    plan_file, out = tmp_path / "plan.json", tmp_path / "pruned"
    answer(
        capfd, "plan",
        *("plan", files.model, "--method", "weights", "--target", "sparsity=0.5"),
        *("--out", plan_file, "--no-latency"),
    )  # fmt: skip
    pruned = answer(
        capfd, "prune",
        *("prune", files.model, "--plan", plan_file, "--epochs", 0, "--out", out),
        *("--data", files.data),
    )  # fmt: skip
    assert pruned["sparsity"] == pytest.approx(0.5, abs=0.01)
    assert pruned["channels"] is None
    assert pruned["params"]["before"] == pruned["params"]["after"]
    assert pruned["gzip_bytes"]["after"] < pruned["gzip_bytes"]["before"]
    with np.load(pruned["masks"], allow_pickle=False) as masks:
        kept = sum(int(masks[name].sum()) for name in masks.files)
        total = sum(masks[name].size for name in masks.files)
    assert kept / total == pytest.approx(0.5, abs=0.01)
    plain = load_plainly(pruned["model"], files.family)
    kernel = plain.get_layer("stem").get_weights()[0]
    assert float((kernel == 0).mean()) == pytest.approx(0.5, abs=0.01)
    assert pruned["accuracy"]["after"] == accuracy(plain, files)


@pytest.mark.parametrize(("to", "suffix"), [("keras", ".keras"), ("h5", ".h5")])
def test_export_loads_in_plain_keras(files: Files, to: str, suffix: str, capfd, tmp_path) -> None:
    out = tmp_path / f"exported{suffix}"
    found = answer(capfd, "export", "export", files.model, "--to", to, "--out", out)
    assert found["bytes"] == out.stat().st_size
    assert found["check"] == {"max_abs_error": 0.0, "samples": 8}
    assert accuracy(load_plainly(out, files.family), files) == 1.0


def test_demo_opens_with_its_own_data(capfd, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    found = answer(capfd, "demo", "demo", "text", "--out", out)
    assert Path(found["model"]).parent == Path(found["data"]).parent == out
    assert len(found["classes"]) >= 2
    inspected = pruning.inspect(found["model"], data=found["data"])
    assert inspected.baseline is not None
    assert inspected.baseline.value.value == pytest.approx(found["baseline_accuracy"], abs=0.002)
    assert inspected.to_dict()["family"] == "tf_keras"


def test_runs(keras3: Files, capfd) -> None:
    assert answer(capfd, "runs_list", "runs", "list") == {"runs": []}
    folder = RunFolder(runs_folder() / "20260101-000000-abcdef")
    created = time.time()
    request = {"kind": "prune", "model": "0" * 20, "data": "d-p", "created": created}
    storage.write_json(folder.request, request)
    storage.write_json(folder.plan, PruningPlan(model="0" * 20).to_dict())
    (listed,) = answer(capfd, "runs_list", "runs", "list")["runs"]
    assert (listed["id"], listed["state"], listed["created"]) == (folder.id, "queued", created)
    shown = answer(capfd, "runs_show", "runs", "show", folder.id)
    assert shown["plan"]["model"] == "0" * 20
    assert answer(capfd, "runs_show", "runs", "cancel", folder.id)["state"] == "cancelled"
    assert storage.read_json(folder.control)["request"] == "cancel"


BAD = {
    "no command": ([], "usage"),
    "unknown command": (["prone"], "usage"),
    "missing option": (["plan", "MODEL"], "usage"),
    "not a number": (["prune", "MODEL", "--plan", "x", "--out", "OUT", "--epochs", "x"], "usage"),
    "empty path": (["inspect", ""], "usage"),
    "empty path of data": (["inspect", "MODEL", "--data", ""], "usage"),
    "empty path to write": (["demo", "text", "--out", ""], "usage"),
    "no model": (["inspect", "missing.keras"], "model_file"),
    "model is a folder": (["inspect", "FOLDER"], "model_file"),
    "model is text": (["inspect", "TEXT"], "model_file"),
    "no data": (["inspect", "MODEL", "--data", "missing.npz"], "not_found"),
    "data is text": (["inspect", "MODEL", "--data", "TEXT"], "data_file"),
    "data of another shape": (["inspect", "MODEL", "--data", "OTHER_DATA"], "mismatch"),
    "data of fewer classes": (["inspect", "MODEL", "--data", "TWO_CLASSES"], "mismatch"),
    "judged by fewer classes": (
        ["compare", "MODEL", "MODEL", "--data", "TWO_CLASSES"],
        "mismatch",
    ),
    "target of no kind": (["plan", "MODEL", "--target", "size=0.5"], "plan"),
    "target without value": (["plan", "MODEL", "--target", "flops"], "plan"),
    "target out of range": (["plan", "MODEL", "--target", "flops=1.5"], "plan"),
    "target is not a number": (["plan", "MODEL", "--target", "flops=nan"], "plan"),
    "target below the floor": (["plan", "MODEL", "--target", "flops=0.001"], "plan"),
    "target of later": (["plan", "MODEL", "--target", "latency=0.5"], "plan"),
    "blocks without data": (
        ["plan", "MODEL", "--target", "flops=0.7", "--method", "layers"],
        "plan",
    ),
    "unknown method": (["plan", "MODEL", "--target", "flops=0.5", "--method", "x"], "plan"),
    "no steps": (["inspect", "MODEL", "--length", "0"], "usage"),
    "fewer than no steps": (["inspect", "MODEL", "--length=-3"], "usage"),
    "unknown criterion": (["plan", "MODEL", "--target", "flops=.5", "--criterion", "x"], "plan"),
    "locked name unknown": (["plan", "MODEL", "--target", "flops=.5", "--lock", "x"], "plan"),
    "ratio without name": (["plan", "MODEL", "--target", "flops=.5", "--ratio", "1"], "plan"),
    "plan into a folder": (
        ["plan", "MODEL", "--target", "flops=.5", "--out", "FOLDER"],
        "storage",
    ),
    "no plan": (["prune", "MODEL", "--plan", "missing.json", "--out", "OUT"], "plan"),
    "plan is text": (["prune", "MODEL", "--plan", "TEXT", "--out", "OUT"], "plan"),
    "plan for another model": (
        ["prune", "MODEL", "--plan", "OTHER_PLAN", "--epochs", "0", "--out", "OUT"],
        "mismatch",
    ),
    "epochs without data": (
        ["prune", "MODEL", "--plan", "OTHER_PLAN", "--epochs", "2", "--out", "OUT"],
        "plan",
    ),
    "out is a file": (
        ["prune", "MODEL", "--plan", "OTHER_PLAN", "--epochs", "0", "--out", "TEXT"],
        "storage",
    ),
    "prune over the model": (
        ["prune", "MODEL", "--plan", "OTHER_PLAN", "--epochs", "0", "--out", "MODEL_FOLDER"],
        "storage",
    ),
    "export over the model": (["export", "MODEL", "--to", "keras", "--out", "MODEL"], "storage"),
    "plan over the model": (["plan", "MODEL", "--target", "flops=.5", "--out", "MODEL"], "storage"),
    "compare without a model": (["compare", "MODEL", "missing.h5", "--data", "DATA"], "model_file"),
    "format of later": (["export", "MODEL", "--to", "onnx", "--out", "NEW"], "export"),
    "unknown format": (["export", "MODEL", "--to", "exe", "--out", "NEW"], "export"),
    "export into a folder": (["export", "MODEL", "--to", "keras", "--out", "FOLDER"], "storage"),
    "export named otherwise": (["export", "MODEL", "--to", "keras", "--out", "m.h5"], "export"),
    "sensitivity": (["sensitivity", "MODEL", "--data", "DATA"], "plan"),
    "model of an overlong name": (["inspect", "LONG"], "storage"),
    "data of an overlong name": (["inspect", "MODEL", "--data", "LONG"], "storage"),
    "demo into an overlong name": (["demo", "text", "--out", "LONG"], "storage"),
    "plan into an overlong name": (
        ["plan", "MODEL", "--target", "flops=.5", "--out", "LONG"],
        "storage",
    ),
    "export into an overlong name": (
        ["export", "MODEL", "--to", "keras", "--out", "LONG"],
        "storage",
    ),
    "unknown demo": (["demo", "video", "--out", "OUT"], "not_found"),
    "unknown run": (["runs", "show", "nothing"], "not_found"),
    "run outside": (["runs", "show", "../.."], "not_found"),
    "pause": (["runs", "pause", "nothing"], "plan"),
    "resume": (["runs", "resume", "nothing"], "plan"),
}


def _picture(grey: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), (grey, grey, grey)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture(scope="module")
def places(keras3: Files, tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "text").write_text("just words")
    (folder / "folder").mkdir()
    storage.write_json(folder / "other.json", PruningPlan(model="0" * 20).to_dict())
    np.savez(folder / "other.npz", x=np.zeros((60, 5), np.float32), y=np.arange(60) % 3)
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        for name in ("cats/a", "cats/b", "cats/c", "dogs/a", "dogs/b", "dogs/c"):
            archive.writestr(f"{name}.png", _picture(len(name)))
    return {
        "TWO_CLASSES": str(folder / "two.zip"),
        "MODEL": str(keras3.model),
        "MODEL_FOLDER": str(keras3.folder),
        "DATA": str(keras3.data),
        "TEXT": str(folder / "text"),
        "FOLDER": str(folder / "folder"),
        "OTHER_PLAN": str(folder / "other.json"),
        "OTHER_DATA": str(folder / "other.npz"),
        "OUT": str(folder / "out"),
        "LONG": str(folder / ("x" * 300)),
        "NEW": str(folder / "new"),
    }


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_an_answer(case: str, places: dict[str, str], capfd) -> None:
    arguments, kind = BAD[case]
    arguments = [places.get(argument, argument) for argument in arguments]
    record = answer(capfd, "error", *arguments, code=2)
    assert record["error"]["kind"] == kind
    assert not Path(places["OUT"]).exists()
    assert not Path(places["NEW"]).exists()


def test_bad_input_in_three_lines(capfd) -> None:
    assert main(["runs", "show", "nothing"]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "There is no run 'nothing'.",
        "The id of a run on this machine.",
        "Look for it on the runs page, or with the command: runs list.",
    ]


def test_a_full_disk_is_an_answer_and_leaves_no_file(keras3: Files, tmp_path, capfd, monkeypatch):
    from pruning.frameworks.keras3 import Keras3

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    out = tmp_path / "exported.h5"
    monkeypatch.setattr(Keras3, "save", full)
    record = answer(
        capfd, "error", "export", keras3.model, "--to", "h5", "--out", out, code=2
    )  # fmt: skip
    assert record["error"]["kind"] == "storage"
    assert "disk is full" in record["error"]["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_of_a_pruned_model(
    keras3: Files, tmp_path: Path, capfd, monkeypatch
) -> None:
    from pruning.frameworks.keras3 import Keras3

    def full(_: object, model: object, path: Path) -> None:
        path.write_bytes(b"the beginning")
        raise OSError(errno.ENOSPC, "No space left on device")

    plan_file, out = tmp_path / "plan.json", tmp_path / "out"
    target = ["--target", "flops=0.6", "--no-latency", "--out", plan_file]
    answer(capfd, "plan", "plan", keras3.model, *target)
    monkeypatch.setattr(Keras3, "save", full)
    command = ["prune", keras3.model, "--plan", plan_file, "--epochs", 0, "--out", out]
    assert answer(capfd, "error", *command, code=2)["error"]["kind"] == "storage"
    assert list(tmp_path.iterdir()) == [plan_file]


def test_text_says_the_same_facts(keras3: Files, capfd) -> None:
    assert main(["inspect", str(keras3.model)]) == 0
    text = capfd.readouterr().out
    assert "1,403 parameters" in text
    assert "b_conv2" in text
    assert main(["compare", str(keras3.model), str(keras3.model), "--data", str(keras3.data)]) == 0
    text = capfd.readouterr().out
    assert "no loss shown on 30 test samples" in text
    assert "both right 30, only before 0, only after 0, both wrong 0" in text


def test_a_process_prints_one_object_and_nothing_else(keras3: Files, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pruning"]
    arguments = ["--json", "export", str(keras3.model), "--to", "litert", "--out", "m.tflite"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "0"}
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    # TensorFlow does talk, on the other channel.
    assert done.stderr != ""
    assert json.loads(done.stdout)["bytes"] == (tmp_path / "m.tflite").stat().st_size


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_libraries_say_nothing(suffix: str, keras3: Files, tmp_path: Path) -> None:
    model = tmp_path / f"model{suffix}"
    assert main(["export", str(keras3.model), "--to", suffix[1:], "--out", str(model)]) == 0
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-m", "pruning", "inspect", str(model)],
        capture_output=True, text=True, cwd=ROOT, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "MISSING", "--target", "flops=.5", "--out", "NEW/a/plan.json"],
        ["export", "MISSING", "--to", "keras", "--out", "NEW/a/model.keras"],
        ["prune", "MISSING", "--plan", "OTHER_PLAN", "--epochs", "0", "--out", "NEW/a/b"],
    ],
    ids=lambda command: command[0],
)
def test_what_fails_leaves_no_folders(command: list[str], places, capfd, tmp_path: Path) -> None:
    new = tmp_path / "new"
    known = {"MISSING": str(tmp_path / "no.keras"), "OTHER_PLAN": places["OTHER_PLAN"]}
    arguments = [known.get(part, part.replace("NEW", str(new))) for part in command]
    assert answer(capfd, "error", *arguments, code=2)["error"]["kind"] == "model_file"
    assert not new.exists()


def test_ctrl_c_before_the_command_has_begun_is_no_traceback(capfd, monkeypatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("pruning.command_line.main", interrupted)
    monkeypatch.setattr(sys, "argv", ["pruning", "runs", "list"])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("pruning", run_name="__main__")
    assert stopped.value.code == 130
    assert capfd.readouterr() == ("", "Interrupted.\n")


def test_a_tilde_is_the_users_folder(capfd, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found = answer(capfd, "demo", "demo", "text", "--out=~/demo")
    assert found["model"] == str(tmp_path / "demo" / "model.h5")
    assert not (tmp_path / "~").exists()


def test_help_names_every_criterion(capfd) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["plan", "--help"])
    words = capfd.readouterr().out.split()
    for method in METHODS:
        assert {name.strip(",;") for name in words} >= criteria(method).keys()


def test_help_is_an_answer() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pruning", "plan", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0
    assert "--target KIND=VALUE" in done.stdout
