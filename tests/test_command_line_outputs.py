"""A model with several inputs and outputs on the command line: one output is trained and judged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning.command_line import main
from pruning.frameworks._base import framework
from tests.command_line_files import answer, load_plainly
from tests.models import FAMILIES, build, outputs, samples

NOTES = {
    "kind": "The labels are for the output kind; amount is neither trained nor judged.",
    "amount": "The labels are for the output amount; kind is neither trained nor judged.",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))


def write(folder: Path, family: str, named: str) -> tuple[Path, Path, dict[str, np.ndarray]]:
    """The model, and data that says what it answers at one of its outputs."""
    model = build("many_inputs_outputs", family)
    given = samples(model, 60)
    kind, amount = outputs(model, given)
    # Logits shifted by their medians share the samples out over the classes.
    logits = np.log(kind)
    kinds = (logits - np.median(logits, axis=0)).argmax(axis=1)
    labels = {"kind": kinds, "amount": amount[:, 0] + 1}[named]
    cuts = {"train": slice(0, 30), "val": slice(30, 40), "test": slice(40, 60)}
    arrays = {}
    for split, rows in cuts.items():
        arrays |= {f"x_{split}_{name}": array[rows] for name, array in
                   zip(("image", "facts"), given, strict=True)}  # fmt: skip
        arrays[f"y_{split}"] = labels[rows]
    path, data = folder / "model.keras", folder / "data.npz"
    framework(family).save(model, path)
    np.savez(data, **arrays)
    return path, data, arrays


@pytest.mark.parametrize(("family", "named"), zip(FAMILIES, NOTES, strict=True))
def test_prune_and_compare(tmp_path: Path, capfd: Any, family: str, named: str) -> None:
    model, data, arrays = write(tmp_path, family, named)
    plan, out = tmp_path / "plan.json", tmp_path / "out"
    answer(
        capfd, "plan", "plan", model, "--target", "params=0.7", "--criterion", "taylor",
        "--data", data, "--distillation", "0.5", "--feature-matching", "2", "--out", plan,
    )  # fmt: skip
    pruned = answer(
        capfd, "prune", "prune", model, "--plan", plan, "--data", data, "--epochs", "1",
        "--out", out,
    )  # fmt: skip
    assert pruned["notes"] == [NOTES[named]]
    after = load_plainly(pruned["model"], family)
    assert len(after.outputs) == 2
    given = [arrays[f"x_test_{name}"] for name in ("image", "facts")]
    compared = answer(capfd, "compare", "compare", model, pruned["model"], "--data", data)
    assert compared["notes"] == [NOTES[named]]
    was = outputs(load_plainly(model, family), given)
    for side, (kind, amount) in (("before", was), ("after", outputs(after, given))):
        right = (kind.argmax(axis=1) == arrays["y_test"]).mean()
        error = np.abs(amount[:, 0] - arrays["y_test"]).mean()
        by_hand = right if named == "kind" else error
        assert compared[side]["value"]["value"] == pytest.approx(by_hand, rel=1e-4)


def test_the_text_says_what_is_not_judged(tmp_path: Path, capfd: Any) -> None:
    model, data, _ = write(tmp_path, "keras3", "amount")
    assert main(["inspect", str(model), "--data", str(data)]) == 0
    said = capfd.readouterr().out
    assert "answers kind 3 float32, amount 1 float32" in said
    assert NOTES["amount"] in said
    assert main(["compare", str(model), str(model), "--data", str(data), "--no-latency"]) == 0
    assert NOTES["amount"] in capfd.readouterr().out
