"""A model with several inputs on the command line, from its .npz to the comparison."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning.command_line import main
from tests import several_inputs
from tests.command_line_files import answer, load_plainly
from tests.models import FAMILIES

Written = tuple[Path, Path, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    """Each Keras's model, called with a list by one and with a dict by the other, and its data."""
    made = {}
    for family, form in zip(FAMILIES, several_inputs.FORMS, strict=True):
        folder = tmp_path_factory.mktemp(family)
        made[family] = several_inputs.write(folder, several_inputs.reader(family, form), family)
    return made


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("family", FAMILIES)
def test_plan_prune_and_compare(
    tmp_path: Path, capfd: Any, family: str, written: dict[str, Written]
) -> None:
    model, data, arrays = written[family]
    plan, out = tmp_path / "plan.json", tmp_path / "out"
    planned = answer(
        capfd, "plan", "plan", model, "--target", "params=0.7", "--criterion", "taylor",
        "--data", data, "--distillation", "0.5", "--feature-matching", "2", "--out", plan,
    )  # fmt: skip
    assert planned["calibration"] == {"criterion": "taylor", "samples": 40}
    pruned = answer(
        capfd, "prune", "prune", model, "--plan", plan, "--data", data, "--epochs", "1",
        "--out", out,
    )  # fmt: skip
    assert pruned["params"]["after"] <= 0.7 * pruned["params"]["before"]
    assert pruned["self_check"]["max_abs_error"] <= pruned["self_check"]["tolerance"]
    assert pruned["self_check"]["samples"] == 32
    assert pruned["calibration"] == {"criterion": "taylor", "samples": 40}
    assert json.loads((out / "comparison.json").read_text())["recalibration"]["layers"] == 1

    after = load_plainly(pruned["model"], family)
    given = {name: arrays[f"x_test_{name}"] for name in several_inputs.INPUTS}
    said = several_inputs.answers(after, given)
    right = said.argmax(axis=1) == arrays["y_test"]
    compared = answer(capfd, "compare", "compare", model, pruned["model"], "--data", data)
    assert compared["samples"] == 30
    assert compared["before"]["value"]["value"] == 1.0
    assert compared["after"]["value"]["value"] == pytest.approx(right.mean())
    assert pruned["accuracy"]["after"] == pytest.approx(right.mean())
    counts = [compared[name] for name in ("both_right", "only_before", "only_after", "both_wrong")]
    assert counts == [right.sum(), 30 - right.sum(), 0, 0]
    assert compared["latency_before"]["median_ms"] > 0


def test_inspect_names_the_inputs(capfd: Any, written: dict[str, Written]) -> None:
    model, data, _ = written["keras3"]
    assert main(["inspect", str(model), "--data", str(data)]) == 0
    said = capfd.readouterr().out
    assert "reads tokens 5 int32, mask 5 float32, facts 3 float32" in said
    assert "accuracy 100.0 %" in said


def test_weights_by_samples_of_all_inputs(
    tmp_path: Path, capfd: Any, written: dict[str, Written]
) -> None:
    model, data, _ = written["keras3"]
    plan = tmp_path / "plan.json"
    answer(
        capfd, "plan", "plan", model, "--target", "sparsity=0.5", "--method", "weights",
        "--criterion", "wanda", "--data", data, "--out", plan,
    )  # fmt: skip
    pruned = answer(
        capfd, "prune", "prune", model, "--plan", plan, "--data", data, "--epochs", "1",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert pruned["sparsity"] == pytest.approx(0.5, abs=0.02)
    assert pruned["calibration"]["samples"] == 40


@pytest.mark.parametrize(
    ("changes", "message", "expected"),
    [
        ({"x_val_mask": None}, "no array x_val_mask", "x_val_tokens, x_val_mask, x_val_facts"),
        ({"x_test_age": np.zeros(30)}, "has the array x_test_age", "x_test_tokens"),
        ({"x_train_facts": np.zeros((39, 3))}, "39 samples in x_train_facts", "One label"),
    ],
)
def test_data_that_does_not_feed_the_model(
    tmp_path: Path, capfd: Any, written: dict[str, Written], changes: dict[str, Any],
    message: str, expected: str,
) -> None:  # fmt: skip
    model, _, arrays = written["keras3"]
    content = {key: value for key, value in (arrays | changes).items() if value is not None}
    np.savez(tmp_path / "bad.npz", **content)
    error = answer(
        capfd, "error", "inspect", model, "--data", tmp_path / "bad.npz", code=2
    )["error"]  # fmt: skip
    assert message in error["message"]
    assert expected in error["message"]
    assert error["fix"]
