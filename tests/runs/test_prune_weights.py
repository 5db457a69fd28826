"""Zeroed weights from file to file: each criterion, scope and pattern computed again by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pruning import storage
from pruning.errors import PlanError
from pruning.intake.dataset import Dataset
from pruning.intake.prepare import prepare
from pruning.runs.jobs import prune as job
from pruning.strategy.plan import PruningPlan, Schedule, Training
from tests.runs.test_prune import keras_of

pytestmark = pytest.mark.parametrize("family", ["keras3", "tf_keras"])
LAYERS = ("conv", "hidden", "answer")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    made = {}
    for family in ("keras3", "tf_keras"):
        keras = keras_of(family)
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.layers.Input((6, 6, 2)),
                keras.layers.Conv2D(8, 3, activation="relu", name="conv"),
                keras.layers.Flatten(name="flat"),
                keras.layers.Dense(10, activation="relu", name="hidden"),
                keras.layers.Dense(2, activation="softmax", name="answer"),
            ]
        )
        made[family] = folder / f"{family}.keras"
        model.save(made[family])
    return made


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = (rng.random((60, 6, 6, 2)) * 0.2 + y[:, None, None, None] * 0.8).astype("float32")
    parts = {"train": slice(0, 40), "val": slice(40, 50), "test": slice(50, 60)}
    arrays = {f"{name}_{part}": values[rows] for part, rows in parts.items()
              for name, values in (("x", x), ("y", y))}  # fmt: skip
    np.savez(tmp_path / "squares.npz", **arrays)
    return prepare(tmp_path / "squares.npz")


def kernels_in(family: str, path: Path | str) -> dict[str, np.ndarray]:
    model = keras_of(family).models.load_model(path)
    return {layer: model.get_layer(layer).get_weights()[0] for layer in LAYERS}


def pruned(path: Path, out: Path, data: Dataset | None = None, **fields):
    """-> the results, kernels before, kernels after"""
    training = fields.pop("training", Training(epochs=0, seed=3))
    plan = PruningPlan(storage.digest_file(path), method="weights", training=training, **fields)
    results = job.prune(path, plan, data, out)
    family = path.stem
    before, after = kernels_in(family, path), kernels_in(family, results["model"])
    with np.load(results["masks"]) as masks:
        for layer in plan.ratios:
            assert np.array_equal(masks[f"{layer}/kernel"].astype(bool), after[layer] != 0)
    for layer in LAYERS:
        stays = after[layer] != 0
        assert np.array_equal(after[layer][stays], before[layer][stays])
    return results, before, after


def best(scores: np.ndarray, kept: int) -> np.ndarray:
    order = np.argsort(-scores.ravel(), kind="stable")[:kept]
    mask = np.zeros(scores.size, bool)
    mask[order] = True
    return mask.reshape(scores.shape)


@pytest.fixture(autouse=True)
def no_latency(monkeypatch) -> None:
    from pruning.comparison import latency

    monkeypatch.setattr(latency, "MEASURE_SECONDS", 0.1)


def samples_of(data: Dataset, count: int, seed: int) -> np.ndarray:
    """Rows of the training split that are looked at."""
    return np.sort(np.random.default_rng(seed).permutation(len(data.x("train")))[:count])


def test_wanda_by_numpy(files, data, family, tmp_path) -> None:
    ratios = {"conv": 0.5, "hidden": 0.75}
    results, before, after = pruned(
        files[family],
        tmp_path / "out",
        data,
        criterion="wanda",
        ratios=ratios,
        calibration_samples=16,
    )
    assert results["calibration"] == {"criterion": "wanda", "samples": 16}
    x = np.asarray(data.x("train")[samples_of(data, 16, 3)], np.float64)
    model = keras_of(family).models.load_model(files[family])
    hidden_in = np.maximum(model.get_layer("conv")(x.astype("float32")).numpy(), 0).reshape(16, -1)
    norms = {
        "conv": np.sqrt((x**2).sum(axis=(0, 1, 2)))[None, None, :, None],
        "hidden": np.sqrt((hidden_in.astype(np.float64) ** 2).sum(axis=0))[:, None],
    }
    for layer, ratio in ratios.items():
        scores = np.abs(before[layer]) * norms[layer]
        kept = round(before[layer].size * (1 - ratio))
        assert np.array_equal(after[layer] != 0, best(scores, kept)), layer
    assert (after["answer"] != 0).all()


def test_snip_by_plain_tensorflow(files, data, family, tmp_path) -> None:
    import tensorflow as tf

    ratios = {"conv": 0.5, "hidden": 0.5, "answer": 0.5}
    results, before, after = pruned(
        files[family], tmp_path / "out", data, criterion="snip", scope="global", ratios=ratios,
        calibration_samples=40,
    )  # fmt: skip
    assert results["calibration"] == {"criterion": "snip", "samples": 40}
    model = keras_of(family).models.load_model(files[family])
    kernels = [model.get_layer(layer).kernel for layer in LAYERS]
    plain = [getattr(k, "value", k) if family == "keras3" else k for k in kernels]
    with tf.GradientTape() as tape:
        outputs = model(np.asarray(data.x("train")))
        wanted = tf.one_hot(np.asarray(data.y("train")), 2)
        loss = -tf.reduce_mean(tf.reduce_sum(wanted * tf.math.log(outputs), axis=1))
    slopes = tape.gradient(loss, plain)
    scores = {
        layer: np.abs(before[layer] * slope.numpy())
        for layer, slope in zip(LAYERS, slopes, strict=True)
    }
    together = np.concatenate([scores[layer].ravel() for layer in LAYERS])
    kept = sum((after[layer] != 0).sum() for layer in LAYERS)
    assert kept == sum(before[layer].size // 2 for layer in LAYERS)
    threshold = np.sort(together)[::-1][kept - 1]
    for layer in LAYERS:
        # Gradients of two ways to sum differ in the last digits: so may who is at the threshold.
        certain = np.abs(scores[layer] - threshold) > 1e-5 * threshold
        assert np.array_equal((after[layer] != 0)[certain], (scores[layer] >= threshold)[certain])
        assert certain.mean() > 0.97


def test_lamp_over_the_whole_model(files, family, tmp_path) -> None:
    ratios = {"conv": 0.7, "hidden": 0.9, "answer": 0.2}
    _, before, after = pruned(
        files[family], tmp_path / "out", criterion="lamp", scope="global", ratios=ratios
    )
    scores = []
    for layer in LAYERS:
        squares = before[layer].ravel().astype(np.float64) ** 2
        scores.append(np.array([s / squares[squares >= s].sum() for s in squares]))
    kept = sum(round(before[layer].size * (1 - ratios[layer])) for layer in LAYERS)
    mask = best(np.concatenate(scores), kept)
    assert np.array_equal(np.concatenate([after[layer].ravel() != 0 for layer in LAYERS]), mask)


def test_a_layer_set_by_hand_does_not_compete(files, family, tmp_path) -> None:
    ratios = {"conv": 0.5, "hidden": 0.8, "answer": 0.25}
    _, before, after = pruned(
        files[family], tmp_path / "out", criterion="magnitude", scope="global", ratios=ratios,
        fixed=("answer",),
    )  # fmt: skip
    assert (after["answer"] != 0).sum() == 15
    scores = np.concatenate([np.abs(before[layer]).ravel() for layer in ("conv", "hidden")])
    mask = best(scores, 72 + 256)
    assert np.array_equal(
        np.concatenate([after[layer].ravel() != 0 for layer in ("conv", "hidden")]), mask
    )


def test_two_of_four_from_file_to_file(files, family, tmp_path) -> None:
    results, before, after = pruned(
        files[family], tmp_path / "out", criterion="magnitude", pattern="2:4",
        ratios={"hidden": 0.5, "answer": 0.5},
    )  # fmt: skip
    groups = (after["hidden"] != 0).reshape(32, 4, 10)
    assert (groups.sum(axis=1) == 2).all()
    values = np.abs(before["hidden"]).reshape(32, 4, 10)
    least = np.where(groups, values, np.inf).min(axis=1)
    assert (least >= np.where(groups, 0, values).max(axis=1)).all()
    # answer reads ten: of the last two both stay.
    assert (after["answer"] != 0).sum(axis=0).tolist() == [6, 6]
    total = sum(before[layer].size for layer in LAYERS)
    assert results["sparsity"] == pytest.approx((640 + 8) / total)


def test_wanda_and_two_of_four_go_together_while_retraining(files, data, family, tmp_path) -> None:
    _, before, after = pruned_while_training(
        files[family], tmp_path / "out", data, criterion="wanda", pattern="2:4",
        ratios={"hidden": 0.5}, schedule=Schedule("polynomial", frequency=1),
    )  # fmt: skip
    groups = (after["hidden"] != 0).reshape(32, 4, 10)
    assert (groups.sum(axis=1) == 2).all()
    assert not np.array_equal(after["conv"], before["conv"])  # it was trained


def pruned_while_training(path: Path, out: Path, data: Dataset, **fields):
    plan = PruningPlan(
        storage.digest_file(path),
        method="weights",
        training=Training(epochs=2, batch_size=8),
        **fields,
    )
    results = job.prune(path, plan, data, out)
    before, after = kernels_in(path.stem, path), kernels_in(path.stem, results["model"])
    return results, before, after


def test_a_criterion_that_looks_at_samples_needs_some(files, family, tmp_path) -> None:
    with pytest.raises(PlanError, match="needs calibration samples, and there is no data"):
        pruned(files[family], tmp_path / "out", criterion="snip", ratios={"hidden": 0.5})
    assert not list(tmp_path.glob("out/model*"))


def test_movement_without_training_is_refused(files, family, tmp_path) -> None:
    with pytest.raises(PlanError, match="nothing is retrained"):
        pruned(files[family], tmp_path / "out", criterion="movement", ratios={"hidden": 0.5})


def test_the_stages_say_when_samples_are_looked_at(family) -> None:
    plan = PruningPlan("m", method="weights", criterion="wanda", training=Training(epochs=0))
    assert job.stages(plan, with_data=True) == ("load", "score", "mask", "compare", "save")
