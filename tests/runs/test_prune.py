"""The whole work on tiny models of both Kerases, in this process."""

import importlib
import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from pruning import storage
from pruning.analysis import profiler
from pruning.comparison import latency
from pruning.comparison.result import Comparison
from pruning.errors import Cancelled, MismatchError, PlanError
from pruning.intake.dataset import Dataset
from pruning.intake.prepare import prepare
from pruning.runs.jobs import prune as job
from pruning.strategy.plan import PruningPlan, Schedule, Training

FILES = [("keras3", "keras"), ("tf_keras", "h5"), ("keras3", "h5"), ("tf_keras", "keras")]


def keras_of(family: str):
    return importlib.import_module({"keras3": "keras", "tf_keras": "tf_keras"}[family])


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[tuple[str, str], Path]:
    folder = tmp_path_factory.mktemp("models")
    made = {}
    for family, suffix in FILES:
        keras = keras_of(family)
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.layers.Input((6, 6, 1)),
                keras.layers.Conv2D(8, 3, activation="relu", name="conv"),
                keras.layers.Flatten(name="flat"),
                keras.layers.Dense(10, activation="relu", name="hidden"),
                keras.layers.Dense(2, activation="softmax", name="answer"),
            ]
        )
        made[family, suffix] = folder / f"{family}.{suffix}"
        model.save(made[family, suffix])
    return made


@pytest.fixture(autouse=True)
def short_latency(monkeypatch) -> None:
    monkeypatch.setattr(latency, "MEASURE_SECONDS", 0.1)


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """Bright and dark squares: learnt in one epoch."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = (rng.random((120, 6, 6, 1)) * 0.2 + y[:, None, None, None] * 0.8).astype("float32")
    parts = {"train": slice(0, 80), "val": slice(80, 100), "test": slice(100, 120)}
    arrays = {f"{name}_{part}": values[rows] for part, rows in parts.items()
              for name, values in (("x", x), ("y", y))}  # fmt: skip
    np.savez(tmp_path / "squares.npz", **arrays)
    return prepare(tmp_path / "squares.npz")


def plan_for(path: Path, **fields) -> PruningPlan:
    return PruningPlan(model=storage.digest_file(path), **fields)


@pytest.mark.parametrize(("family", "suffix"), FILES)
def test_a_cut_without_data_keeps_the_strongest_channels(
    files, tmp_path: Path, family: str, suffix: str
) -> None:
    path = files[family, suffix]
    plan = plan_for(path, ratios={"conv": 0.5})
    results = job.prune(path, plan, None, tmp_path / "out", epochs=0)

    keras = keras_of(family)
    before, after = keras.models.load_model(path), keras.models.load_model(results["model"])
    kernel, bias = before.get_layer("conv").get_weights()
    kept = np.sort(np.argsort(-np.abs(kernel).sum((0, 1, 2)), kind="stable")[:4])
    np.testing.assert_array_equal(after.get_layer("conv").get_weights()[0], kernel[..., kept])
    np.testing.assert_array_equal(after.get_layer("conv").get_weights()[1], bias[kept])
    assert storage.read_json(Path(results["channels"]))["layers"]["conv"][0] == {
        "weight": 0,
        "axis": 3,
        "kept": kept.tolist(),
    }
    assert Path(results["model"]).name == f"model.{suffix}"
    assert results["masks"] is None
    assert results["accuracy"] is None
    assert results["self_check"]["max_abs_error"] <= results["self_check"]["tolerance"] == 1e-5
    # conv 3*3*1*8+8, hidden 4*4*8*10+10, answer 10*2+2; then with 4 channels
    assert results["params"] == {"before": 80 + 1290 + 22, "after": 40 + 650 + 22}
    # 2 * multiply-adds: conv 16*9*8, hidden 128*10, answer 20
    assert results["flops"] == {"before": 2 * (1152 + 1280 + 20), "after": 2 * (576 + 640 + 20)}
    assert results["bytes"]["after"] == Path(results["model"]).stat().st_size
    assert results["bytes"]["after"] < results["bytes"]["before"]
    assert results["gzip_bytes"]["after"] < results["gzip_bytes"]["before"]
    assert results["sparsity"] == 0
    assert set(results["seconds"]) == {"load", "cut", "self-check", "save"}


@pytest.mark.parametrize(("family", "suffix"), FILES[:2])
def test_masks_without_data_zero_the_smallest_weights(
    files, tmp_path: Path, family: str, suffix: str
) -> None:
    path = files[family, suffix]
    plan = plan_for(path, method="weights", criterion="magnitude", ratios={"hidden": 0.75})
    results = job.prune(path, plan, None, tmp_path / "out", epochs=0)
    keras = keras_of(family)
    was = keras.models.load_model(path).get_layer("hidden").get_weights()[0]
    now = keras.models.load_model(results["model"]).get_layer("hidden").get_weights()[0]
    smallest_kept = np.sort(np.abs(was).ravel())[-320]  # 1280 weights, a quarter stays
    np.testing.assert_array_equal(now, np.where(np.abs(was) >= smallest_kept, was, 0))
    with np.load(results["masks"], allow_pickle=False) as masks:
        [name] = masks.files
        np.testing.assert_array_equal(masks[name].astype(bool), now != 0)
    assert results["channels"] is None
    assert results["params"]["before"] == results["params"]["after"]
    assert results["sparsity"] == pytest.approx(960 / (72 + 1280 + 20))


@pytest.mark.parametrize(("family", "suffix"), FILES[:2])
def test_with_data_it_retrains_and_compares(
    files, tmp_path: Path, data: Dataset, family: str, suffix: str
) -> None:
    path, out = files[family, suffix], tmp_path / "out"
    training = Training(epochs=6, batch_size=16, learning_rate=0.01)
    lines, shares, seen, skipped = [], [], [], []

    def stage(name: str):
        seen.append(name)
        return nullcontext()

    results = job.prune(
        path, plan_for(path, ratios={"conv": 0.5, "hidden": 0.5}, training=training), data, out,
        report=lines.append, stage=stage, progress=lambda share, words: shares.append(share),
        checkpoints=out / "checkpoints", skip=skipped.append,
    )  # fmt: skip
    plan = plan_for(path, training=training)
    announced = ["load", "cut", "self-check", "recalibrate", "retrain", "compare", "save"]
    assert list(job.stages(plan, with_data=True)) == announced
    assert skipped == ["recalibrate"]  # there is no BatchNorm
    assert results["recalibration"] is None
    assert seen == ["load", "cut", "self-check", "retrain", "compare", "save"]
    assert lines[-1]["step"] == lines[-1]["steps"] == 6 * 5
    assert 0 <= min(shares) <= max(shares) <= 1
    after = keras_of(family).models.load_model(results["model"])
    right = after.predict(np.asarray(data.x("test")), verbose=0).argmax(1) == data.y("test")
    assert results["accuracy"]["after"] == pytest.approx(right.mean())
    assert results["accuracy"]["after"] >= 0.9
    comparison = Comparison.load(out / "comparison.json")
    assert comparison.samples == 20
    assert comparison.before.value.value == results["accuracy"]["before"]
    assert comparison.sizes_after.params == results["params"]["after"]
    assert set(comparison.seconds) == {"train", "step_before", "step_after"}
    np.testing.assert_array_equal(
        storage.read_array(out / "after.npy").argmax(1) == data.y("test"), right
    )
    json.dumps(results, allow_nan=False)


def test_weights_go_to_zero_while_it_trains(files, tmp_path: Path, data: Dataset) -> None:
    path = files["keras3", "keras"]
    plan = plan_for(
        path, method="weights", criterion="magnitude", ratios={"hidden": 0.5},
        training=Training(epochs=2, batch_size=16), schedule=Schedule(frequency=2),
    )  # fmt: skip
    results = job.prune(path, plan, data, tmp_path / "out")
    kernel = keras_of("keras3").models.load_model(results["model"]).get_layer("hidden").kernel
    assert np.count_nonzero(np.asarray(kernel)) == 640
    assert results["masks"].endswith("masks.npz")
    assert results["self_check"] is None


def test_a_plan_for_another_model_is_refused(files, tmp_path: Path) -> None:
    plan = plan_for(files["tf_keras", "h5"], ratios={"conv": 0.5})
    with pytest.raises(MismatchError, match="made for the model"):
        job.prune(files["keras3", "keras"], plan, None, tmp_path / "out", epochs=0)
    assert not (tmp_path / "out").exists()


def test_a_name_that_the_model_does_not_have_is_refused(files, tmp_path: Path) -> None:
    path = files["keras3", "keras"]
    with pytest.raises(PlanError, match="'missing'"):
        job.prune(path, plan_for(path, ratios={"missing": 0.5}), None, tmp_path / "out", epochs=0)


def test_data_that_does_not_fit_is_refused_before_any_work(files, tmp_path: Path) -> None:
    np.savez(tmp_path / "wrong.npz", x=np.zeros((60, 5, 5, 1), "f4"), y=np.arange(60) % 2)
    path, seen = files["keras3", "keras"], []

    def stage(name: str):
        seen.append(name)
        return nullcontext()

    with pytest.raises(MismatchError):
        job.prune(
            path, plan_for(path, ratios={"conv": 0.5}), prepare(tmp_path / "wrong.npz"),
            tmp_path / "out", stage=stage,
        )  # fmt: skip
    assert seen == ["load"]


def test_epochs_need_data(files, tmp_path: Path) -> None:
    path = files["keras3", "keras"]
    with pytest.raises(PlanError, match="no data"):
        job.prune(path, plan_for(path, ratios={"conv": 0.5}), None, tmp_path / "out")


@pytest.mark.parametrize("stop_in", ["load", "retrain", "compare"])
def test_a_stop_at_any_stage_leaves_no_model(
    files, tmp_path: Path, data: Dataset, stop_in: str
) -> None:
    path, seen = files["keras3", "keras"], []

    def stage(name: str):
        seen.append(name)
        return nullcontext()

    plan = plan_for(path, ratios={"conv": 0.5}, training=Training(epochs=1))
    with pytest.raises(Cancelled):
        job.prune(
            path, plan, data, tmp_path / "out", stage=stage,
            should_stop=lambda: seen[-1:] == [stop_in],
        )  # fmt: skip
    assert seen[-1] == stop_in
    assert not list((tmp_path / "out").glob("model.*"))


@pytest.mark.parametrize("epochs", [None, 1])
def test_a_model_is_analysed_once_before_and_once_after(
    files, data, tmp_path: Path, monkeypatch, epochs
) -> None:
    """Training changes weights only; a model of 300 layers takes seconds to analyse."""
    path, analysed, analyse = files["keras3", "keras"], [], profiler.analyse

    def noted(loaded, **options):
        analysed.append(loaded)
        return analyse(loaded, **options)

    monkeypatch.setattr(profiler, "analyse", noted)
    training = Training(epochs=epochs or 0, feature_matching=1.0 if epochs else 0.0)
    plan = plan_for(path, ratios={"hidden": 0.5}, training=training)
    job.prune(path, plan, data if epochs else None, tmp_path / "out")
    assert len(analysed) == 2


def test_the_pruned_model_is_saved_once(files, tmp_path: Path, monkeypatch) -> None:
    """Its sizes are those of its file; of the original one is saved aside."""
    from pruning.frameworks.keras3 import Keras3

    path, saved, save = files["keras3", "keras"], [], Keras3.save

    def noted(door, model, target):
        saved.append(target.name)
        save(door, model, target)

    monkeypatch.setattr(Keras3, "save", noted)
    plan = plan_for(path, ratios={"hidden": 0.5}, training=Training(epochs=0))
    results = job.prune(path, plan, None, tmp_path / "out")
    assert saved == [".unfinished.keras", "model.keras"]
    assert results["bytes"]["after"] == Path(results["model"]).stat().st_size


@pytest.mark.parametrize("family", ["keras3", "tf_keras"])
def test_batches_that_a_model_cannot_be_trained_on_are_told(
    family: str, data, tmp_path: Path
) -> None:
    """Its author wrote the number of samples into a reshape."""
    keras, path = keras_of(family), tmp_path / "model.keras"
    import tensorflow as tf

    reshape = keras.ops.reshape if family == "keras3" else tf.reshape
    i = keras.Input((6, 6, 1))
    x = keras.layers.Dense(10, activation="relu", name="hidden")(reshape(i, (4, 36)))
    keras.Model(i, keras.layers.Dense(2, activation="softmax", name="answer")(x)).save(path)
    plan = plan_for(path, ratios={"hidden": 0.5}, training=Training(epochs=1, batch_size=16))
    with pytest.raises(PlanError, match="reads 4 samples at once"):
        job.prune(path, plan, data, tmp_path / "out")
    plan = plan_for(path, ratios={"hidden": 0.5}, training=Training(epochs=1, batch_size=4))
    results = job.prune(path, plan, data, tmp_path / "out")
    assert results["self_check"]["samples"] == 4
    assert results["accuracy"]["after"] is not None
