"""The stage after the cut: what it keeps, what it says, when it is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pruning import storage, training
from pruning.comparison import latency
from pruning.comparison.recalibration import Recalibration
from pruning.comparison.result import Comparison
from pruning.errors import Cancelled, PlanError
from pruning.frameworks._base import framework
from pruning.intake.dataset import Dataset
from pruning.runs import recalibrating, steps
from pruning.runs.jobs import prune as job
from pruning.strategy.plan import PruningPlan, Training
from tests import models
from tests.training.toy import write_dataset

FAMILIES = pytest.mark.parametrize("family", models.FAMILIES)


@pytest.fixture(autouse=True)
def short_latency(monkeypatch) -> None:
    monkeypatch.setattr(latency, "MEASURE_SECONDS", 0.05)


def small(family: str, shift: float = 0.0):
    """x → BatchNorm → softmax of three; the statistics are those of x unless shifted."""
    keras = models.keras_of(family)
    i = keras.Input((3,))
    y = keras.layers.BatchNormalization(name="norm", epsilon=1e-6)(i)
    model = keras.Model(i, keras.layers.Dense(3, activation="softmax", name="logits")(y))
    model.get_layer("logits").set_weights([4 * np.eye(3, dtype="float32"), np.zeros(3, "float32")])
    model.get_layer("norm").set_weights([np.ones(3), np.zeros(3), np.full(3, shift), np.ones(3)])
    return model


def samples(seed: int, count: int, mean: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """The class is the largest value."""
    x = np.random.default_rng(seed).normal(mean, 1, (count, 3)).astype("float32")
    return x, x.argmax(axis=1)


def data(folder: Path, *, val: int = 60, val_mean: float = 5.0) -> Dataset:
    splits = {"train": samples(1, 200), "val": samples(2, val, val_mean)}
    return write_dataset(folder, "classification", splits)


@FAMILIES
def test_better_statistics_are_kept(family: str, tmp_path: Path) -> None:
    model, told = small(family, 0.0), []
    dataset = data(tmp_path)
    model.get_layer("norm").set_weights([np.ones(3), np.zeros(3), np.array([0, 5, 9]), np.ones(3)])
    found = recalibrating.recalibrated(
        model, framework(family), dataset, seed=0, samples=50, report=lambda s, w: told.append(w)
    )
    rows = np.sort(np.random.default_rng(0).permutation(200)[:50])
    x = dataset.x("train")[rows]
    mean, variance = (value.numpy() for value in model.get_layer("norm").weights[2:])
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, x.var(0), rtol=1e-5)
    assert (found.layers, found.samples, found.kept) == (1, 50, True)
    assert (found.validation_samples, found.metric) == (60, "accuracy")
    # Centred at 0, 5 and 9, the first value always wins.
    assert found.score_before == pytest.approx((dataset.y("val") == 0).mean())
    scaled = (dataset.x("val") - x.mean(0)) / np.sqrt(x.var(0))
    assert found.score_after == pytest.approx((scaled.argmax(1) == dataset.y("val")).mean())
    assert found.loss_after < found.loss_before
    assert "BatchNorm 1 of 1 on 50 training samples" in told
    assert Recalibration.from_dict(found.to_dict()) == found
    assert found.describe().startswith(
        "The statistics of 1 BatchNorm layer were measured again on 50 training samples: accuracy"
    )


@FAMILIES
def test_worse_statistics_are_put_back(family: str, tmp_path: Path) -> None:
    """Validation samples whose features are centred where the model already has them."""
    model = small(family, 5.0)
    x = samples(1, 200)[0] * np.array([1, 40, 1], "float32")
    splits = {"train": (x, np.zeros(200, int)), "val": samples(2, 60)}
    dataset = write_dataset(tmp_path, "classification", splits)
    found = recalibrating.recalibrated(model, framework(family), dataset, seed=0)
    assert not found.kept
    assert found.loss_after > found.loss_before
    assert "The loss was larger with them, so the old ones were put back" in found.describe()
    np.testing.assert_array_equal(model.get_layer("norm").weights[2].numpy(), np.full(3, 5.0))


@pytest.mark.parametrize(
    ("shift", "judged"),
    [(0.0, recalibrating.GLANCE), (5.0, recalibrating.VALIDATION_SAMPLES)],
    ids=["plain", "close"],
)
def test_few_samples_judge_where_the_difference_is_plain(
    shift: float, judged: int, tmp_path: Path
) -> None:
    """Statistics that are off by five deviations, and such that were right already."""
    dataset = data(tmp_path, val=300)
    model = small("keras3", shift)
    norm = model.get_layer("norm")
    if not shift:
        norm.set_weights([np.ones(3), np.zeros(3), np.array([0, 5, 9]), np.ones(3)])
    found = recalibrating.recalibrated(model, framework("keras3"), dataset, seed=0)
    assert found.validation_samples == judged
    rows = np.random.default_rng(0).permutation(300)[:judged]  # a file may be sorted by class
    x, y = dataset.x("val")[rows], dataset.y("val")[rows]
    new = dataset.x("train")[np.sort(np.random.default_rng(0).permutation(200))]
    scaled = 4 * (x - new.mean(0)) / np.sqrt(new.var(0))
    loss = np.log(np.exp(scaled).sum(1)) - scaled[np.arange(judged), y]
    assert found.loss_after == pytest.approx(loss.mean(), rel=1e-4)
    assert found.kept == (found.loss_after <= found.loss_before)
    mean = new.mean(0) if found.kept else np.full(3, shift)
    np.testing.assert_allclose(norm.weights[2].numpy(), mean, rtol=1e-5)


def test_without_validation_samples_the_new_ones_are_kept(tmp_path: Path) -> None:
    model = small("keras3", 0.0)
    dataset = write_dataset(tmp_path, "classification", {"train": samples(1, 30)})
    found = recalibrating.recalibrated(model, framework("keras3"), dataset, seed=0)
    assert found == Recalibration(layers=1, samples=30, kept=True)
    assert found.describe() == (
        "The statistics of 1 BatchNorm layer were measured again on 30 training samples."
    )
    np.testing.assert_allclose(
        model.get_layer("norm").weights[2].numpy(), dataset.x("train").mean(0), rtol=1e-5
    )


@pytest.mark.parametrize("moment", range(5))
def test_statistics_are_what_they_were_when_it_is_stopped(moment: int, tmp_path: Path) -> None:
    """Whoever works on the model next finds nothing half done."""
    model, dataset, asked = small("keras3", 5.0), data(tmp_path, val=300), []

    def should_stop() -> bool:
        asked.append(True)
        return len(asked) > moment

    with pytest.raises(Cancelled):
        recalibrating.recalibrated(
            model, framework("keras3"), dataset, seed=0, should_stop=should_stop
        )
    mean, variance = model.get_layer("norm").get_weights()[2:]
    np.testing.assert_array_equal([mean, variance], [np.full(3, 5.0), np.ones(3)])


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    """A residual network, and data for it with a test split."""
    folder = tmp_path_factory.mktemp("files")
    path = folder / "model.keras"
    framework("keras3").save(models.build("residual_identity", "keras3"), path)
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 40), ("val", 20), ("test", 20)):
        arrays[f"x_{split}"] = rng.normal(0, 1, (count, 8, 8, 3)).astype("float32")
        arrays[f"y_{split}"] = np.arange(count) % 3
    np.savez(folder / "data.npz", **arrays)
    return path, folder / "data.npz"


def run(pruned, out: Path, **changes):
    from pruning.intake.prepare import prepare

    path, file = pruned
    plan = PruningPlan(model=storage.digest_file(path), ratios={"stem": 0.5}, **changes)
    seen = []

    def stage(name: str):
        from contextlib import nullcontext

        seen.append(name)
        return nullcontext()

    return job.prune(path, plan, prepare(file), out, stage=stage), seen


def test_a_run_recalibrates_and_says_so(pruned, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))
    results, seen = run(pruned, tmp_path, training=Training(epochs=1))
    assert seen == ["load", "cut", "self-check", "recalibrate", "retrain", "compare", "save"]
    found = Recalibration.from_dict(results["recalibration"])
    assert (found.layers, found.samples, found.validation_samples) == (5, 40, 20)
    assert Comparison.load(tmp_path / "comparison.json").recalibration == found
    assert results["seconds"]["recalibrate"] > 0


@pytest.mark.parametrize(
    "changes", [{"training": Training(epochs=0)}, {"recalibrate": False}], ids=["0 epochs", "off"]
)
def test_it_is_left_out(pruned, tmp_path, monkeypatch, changes) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))
    results, seen = run(pruned, tmp_path, **({"training": Training(epochs=1)} | changes))
    assert "recalibrate" not in seen
    assert results["recalibration"] is None
    assert "recalibration" not in storage.read_json(tmp_path / "comparison.json")
    if "training" not in changes:
        return
    before = models.keras_of("keras3").models.load_model(pruned[0])
    after = models.keras_of("keras3").models.load_model(results["model"])
    kept = storage.read_json(Path(results["channels"]))["layers"]["stem_bn"][2]
    assert kept["weight"] == 2
    np.testing.assert_array_equal(
        after.get_layer("stem_bn").moving_mean.numpy(),
        before.get_layer("stem_bn").moving_mean.numpy()[kept["kept"]],
    )


@pytest.mark.parametrize("method", ["channels", "weights"])
def test_a_run_that_distils_learns_from_the_originals_answers(
    pruned, tmp_path, monkeypatch, method
) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))
    handed = []
    real = training.retrain
    monkeypatch.setattr(
        training, "retrain", lambda *a, **k: handed.append(k["answers"]) or real(*a, **k)
    )
    criterion = {"channels": "l1", "weights": "magnitude"}[method]
    changes = {"method": method, "criterion": criterion, "recalibrate": False}
    results, seen = run(pruned, tmp_path, training=Training(epochs=1, distillation=0.5), **changes)
    assert seen[:2] == ["load", "distil"]
    assert seen[-3:] == ["retrain", "compare", "save"]
    assert results["seconds"]["distil"] > 0
    from pruning.intake.prepare import prepare

    original = models.keras_of("keras3").models.load_model(pruned[0])
    samples = np.asarray(prepare(pruned[1]).x("train"))
    np.testing.assert_allclose(handed[0], original.predict(samples, verbose=0), atol=1e-6)


def test_answers_that_do_not_fit_into_memory_are_refused(pruned, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(steps, "MOST_ANSWERS", 100)
    with pytest.raises(PlanError, match="distillation keeps them in memory") as caught:
        run(pruned, tmp_path, training=Training(epochs=1, distillation=0.5))
    assert "Switch distillation off" in caught.value.fix
    assert not (tmp_path / "model.keras").exists()
