"""Patterns and criteria of weights on the command line, recomputed from the files it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pruning.comparison import latency
from pruning.strategy.plan import PruningPlan
from tests.command_line_files import Files, answer, load_plainly, make_files


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_STUDIO_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(latency, "MEASURE_SECONDS", 0.05)
        yield


@pytest.fixture(scope="module", params=["keras3", "tf_keras"])
def files(request, tmp_path_factory) -> Files:
    return make_files(tmp_path_factory.mktemp(request.param), request.param)


def planned_and_pruned(capfd, files: Files, folder: Path, *options: object, data: bool = True):
    plan_file, out = folder / "plan.json", folder / "pruned"
    planned = answer(
        capfd, "plan",
        *("plan", files.model, "--method", "weights", "--no-latency", "--epochs", 0),
        *("--out", plan_file, *options),
    )  # fmt: skip
    assert PruningPlan.from_dict(json.loads(plan_file.read_text())).pattern == planned["pattern"]
    given = ("--data", files.data) if data else ()
    pruned = answer(capfd, "prune", "prune", files.model, "--plan", plan_file, "--out", out, *given)
    return planned, pruned


def kernels(path: Path | str, files: Files) -> dict[str, np.ndarray]:
    model = load_plainly(path, files.family)
    return {
        w.name if "/" in w.name else w.path: w.numpy() for w in model.weights if len(w.shape) > 1
    }


def test_two_of_four_is_what_tfmot_gives(files: Files, capfd, tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_utils

    planned, pruned = planned_and_pruned(capfd, files, tmp_path, "--pattern", "2:4", data=False)
    assert planned["target"] is None
    assert planned["achieved"] is None
    before, after = kernels(files.model, files), kernels(pruned["model"], files)
    zeros = total = 0
    for name, value in before.items():
        weights = tf.constant(value)
        mask = pruning_utils.m_by_n_sparsity_mask_prepare(
            pruning_utils.generate_m_by_n_mask(pruning_utils.weights_rearrange(weights), (2, 4)),
            weights.shape,
        ).numpy()
        assert np.array_equal(after[name], value * mask), name
        zeros, total = zeros + int((mask == 0).sum()), total + value.size
    assert pruned["sparsity"] == zeros / total
    assert pruned["gzip_bytes"]["after"] < pruned["gzip_bytes"]["before"]


def test_blocks_reach_their_target_where_they_apply(files: Files, capfd, tmp_path: Path) -> None:
    planned, pruned = planned_and_pruned(
        capfd, files, tmp_path, "--pattern", "2x3", "--block-pooling", "max",
        "--target", "sparsity=0.004", data=False,
    )  # fmt: skip
    assert list(planned["ratios"]) == ["logits"]
    assert planned["block_pooling"] == "max"
    assert planned["notes"][0].startswith("2x3 leaves these layers whole: stem (its kernel has 4")
    kernel = kernels(files.model, files)
    name = next(key for key in kernel if "logits" in key)
    # 6 × 3: three blocks of two rows; one goes, that with the smallest of its largest weights.
    worst = np.abs(kernel[name]).reshape(3, 6).max(axis=1).argmin()
    after = kernels(pruned["model"], files)[name]
    assert (after != 0).all(axis=1).tolist() == [row // 2 != worst for row in range(6)]
    assert planned["achieved"] == pytest.approx(pruned["sparsity"])
    assert planned["achieved"] >= 0.004


def test_snip_over_the_whole_model(shared: Files, capfd, tmp_path: Path) -> None:
    planned, pruned = planned_and_pruned(
        capfd, shared, tmp_path, "--criterion", "snip", "--scope", "global",
        "--target", "sparsity=0.6", "--calibration-samples", 24,
    )  # fmt: skip
    assert any("an equal share" in note for note in planned["notes"])
    assert pruned["calibration"] == {"criterion": "snip", "samples": 24}
    assert pruned["sparsity"] == pytest.approx(0.6, abs=0.002)
    before, after = kernels(shared.model, shared), kernels(pruned["model"], shared)
    shares = {name: float((value == 0).mean()) for name, value in after.items()}
    assert max(shares.values()) > min(shares.values()) + 0.1  # not an equal share
    for name, value in after.items():
        assert np.array_equal(value[value != 0], before[name][value != 0])


def test_movement_retrains_with_a_schedule_of_its_own(shared: Files, capfd, tmp_path: Path) -> None:
    plan_file, out = tmp_path / "plan.json", tmp_path / "pruned"
    planned = answer(
        capfd, "plan",
        *("plan", shared.model, "--method", "weights", "--criterion", "movement", "--no-latency"),
        *("--schedule", "constant", "--begin", 0.5, "--end", 0.9, "--frequency", 2),
        *("--target", "sparsity=0.5", "--epochs", 1, "--batch-size", 6, "--out", plan_file),
    )  # fmt: skip
    assert planned["schedule"]["begin"] == 0.5
    assert planned["schedule"]["end"] == 0.9
    assert planned["schedule"]["frequency"] == 2
    pruned = answer(
        capfd, "prune",
        *("prune", shared.model, "--plan", plan_file, "--data", shared.data, "--out", out),
    )  # fmt: skip
    assert pruned["sparsity"] == pytest.approx(0.5, abs=0.01)
    with np.load(pruned["masks"], allow_pickle=False) as masks:
        stay = sum(int(masks[name].sum()) for name in masks.files)
    assert stay == sum(
        int((value != 0).sum()) for value in kernels(pruned["model"], shared).values()
    )


BAD: dict[str, list[object]] = {
    "does not exist": ["--pattern", "diagonal", "--target", "sparsity=.5"],
    "zeroes none": ["--pattern", "4:4", "--target", "sparsity=.5"],
    "single weights": ["--pattern", "1x1", "--target", "sparsity=.5"],
    "not to sparsity=0.9": ["--pattern", "2:4", "--target", "sparsity=.9"],
    "always zeroes 0.333333 of that layer": ["--pattern", "2:4", "--ratio", "a_conv1=0.7"],
    "'stem': its kernel has 4 axes": ["--pattern", "4x4", "--ratio", "stem=0.5"],
    "2x3 lies on 1 of 6 layers": ["--pattern", "2x3", "--target", "sparsity=.9"],
    "No layer of this model": ["--pattern", "64x64", "--target", "sparsity=.5"],
    "block pooling 'sum'": ["--pattern", "2x3", "--block-pooling", "sum", "--ratio", "logits=.5"],
    "do not change the FLOPs": ["--pattern", "2:4", "--target", "flops=.5"],
    "before the first step": [
        *("--criterion", "movement", "--schedule", "one_shot", "--target", "sparsity=.5"),
    ],
    "nothing is retrained": ["--criterion", "movement", "--epochs", "0", "--target", "sparsity=.5"],
    "no criterion 'l1'": ["--criterion", "l1", "--target", "sparsity=.5"],
    "schedule begin is 1.5": ["--begin", "1.5", "--target", "sparsity=.5"],
}  # fmt: skip


@pytest.mark.parametrize("words", BAD)
def test_what_cannot_be_is_told(words: str, tmp_path_factory, capfd, shared: Files) -> None:
    options = ("--no-latency", *BAD[words])
    error = answer(
        capfd, "error", "plan", shared.model, "--method", "weights", *options, code=2
    )["error"]  # fmt: skip
    assert error["kind"] == "plan"
    assert words in error["message"]
    assert error["fix"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Files:
    return make_files(tmp_path_factory.mktemp("bad"), "keras3")


def test_a_pattern_is_none_of_channels(shared: Files, capfd) -> None:
    error = answer(
        capfd, "error", "plan", shared.model, "--pattern", "2:4", "--target", "flops=.5", code=2
    )["error"]  # fmt: skip
    assert "leaves none" in error["message"]


def test_samples_are_needed_to_prune(shared: Files, capfd, tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.json"
    answer(
        capfd, "plan",
        *("plan", shared.model, "--method", "weights", "--criterion", "wanda", "--no-latency"),
        *("--target", "sparsity=.5", "--epochs", 0, "--out", plan_file),
    )  # fmt: skip
    error = answer(
        capfd, "error",
        *("prune", shared.model, "--plan", plan_file, "--out", tmp_path / "out"), code=2,
    )["error"]  # fmt: skip
    assert "needs calibration samples, and there is no data" in error["message"]
    assert not list((tmp_path / "out").glob("model*"))
