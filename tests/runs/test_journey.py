"""Real jobs in real workers, from two uploaded files to an exported result."""

import time
from pathlib import Path

import numpy as np
import pytest

from pruning import storage
from pruning.analysis.profile import ModelProfile, load_magnitudes, load_scores
from pruning.comparison.result import Comparison
from pruning.errors import MismatchError, ModelFileError
from pruning.intake import store
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.runs import executor, library
from pruning.runs.folder import RunFolder
from pruning.runs.jobs.data import model_input
from pruning.runs.status import status, worker_of
from pruning.strategy.plan import PruningPlan, Training

from .conftest import gone, wait


@pytest.fixture(scope="module")
def uploads(tmp_path_factory) -> tuple[Path, Path]:
    """An embedding classifier of tf_keras, and texts as token numbers: which half of the table?"""
    import tf_keras as keras

    folder = tmp_path_factory.mktemp("uploads")
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.layers.Input((5,), dtype="int32", name="tokens"),
            keras.layers.Embedding(20, 6, name="table"),
            keras.layers.GlobalAveragePooling1D(name="mean"),
            keras.layers.Dense(8, activation="relu", name="hidden"),
            keras.layers.Dense(2, activation="softmax", name="answer"),
        ]
    )
    model.save(folder / "model.h5")
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    x = rng.integers(0, 10, (400, 5)) + 10 * y[:, None]
    np.savez(folder / "tokens.npz", x=x.astype("int32"), y=y)
    return folder / "model.h5", folder / "tokens.npz"


def done(folder: RunFolder) -> dict:
    return wait(folder, "done").results


def test_from_upload_to_export(uploads, home: Path) -> None:
    model = store.store_model("words.h5", uploads[0])
    data = store.store_data("tokens.npz", uploads[1])

    done(executor.ensure("profile", model, {"model": model}))
    folder = store.model_folder(model)
    profile = ModelProfile.load(folder)
    assert (profile.digest, profile.name, profile.family) == (model, "words.h5", "tf_keras")
    assert profile.criteria == ("bn_scale", "l1", "l2")
    assert load_scores(profile, folder, "bn_scale") == {}  # a model without BatchNormalization
    for criterion in ("l1", "l2"):
        scores = load_scores(profile, folder, criterion)
        assert {name: len(values) for name, values in scores.items()} == {"table": 6, "hidden": 8}
        assert all(values.mean() == pytest.approx(1, abs=1e-6) for values in scores.values())
    assert set(load_magnitudes(profile, folder)) == {"table", "hidden", "answer"}
    # Done anew, nothing of it changes, and what was computed for the former analysis is gone.
    storage.write_json(folder / "scores" / "x" / "scores_fpgm.json", {})
    done(executor.ensure("profile", model, {"model": model}, anew=True))
    assert ModelProfile.load(folder) == profile
    assert not (folder / "scores").exists()
    wanted = model_input(profile)
    assert (wanted.shape, wanted.vocabulary, wanted.scales_itself) == ((5,), 20, False)

    source = done(executor.ensure("look", data, {"data": data}))["source"]
    assert source["kind"] == "npz"
    ref = done(executor.ensure("data", f"{data}-1", {"data": data, "model": model}))["ref"]
    assert Dataset.open(prepared_folder(ref)).manifest.x_shape == (5,)

    baseline = done(executor.ensure("baseline", f"{model}-{ref}", {"model": model, "data": ref}))
    stored = storage.read_json(folder / "baselines" / f"{ref}.json")
    assert stored["scores"] == baseline["scores"]
    assert stored["seconds_per_sample"] > 0
    predictions = storage.read_array(folder / "baselines" / f"{ref}.npy")
    test = Dataset.open(prepared_folder(ref)).y("test")
    assert baseline["scores"]["value"]["value"] == (predictions.argmax(1) == test).mean()

    latency = done(executor.ensure("latency", model, {"model": model}))["latency"]
    assert storage.read_json(folder / "latency.json")["median_ms"] == latency["median_ms"] > 0

    packed = storage.read_json(folder / "latency.json")["gzip_bytes"]

    plan = PruningPlan(
        model=model,
        ratios={"table": 0.5, "hidden": 0.5},
        training=Training(epochs=8, learning_rate=0.02, batch_size=32),
    )
    run = executor.start_run(model, ref, plan, note="half")
    results = done(run)
    assert results["model"] == "model.h5"
    assert results["params"] == {"before": 120 + 56 + 18, "after": 60 + 16 + 10}
    # What the strategy page says of the size before is what the comparison measures.
    assert packed == pytest.approx(results["gzip_bytes"]["before"], abs=64)
    assert results["accuracy"]["after"] >= 0.9
    assert results["accuracy"]["before"] == baseline["scores"]["value"]["value"]
    assert Comparison.load(run.comparison).after.value.value == results["accuracy"]["after"]
    assert [line["epoch"] for line in run.read_metrics() if "val_loss" in line] == [
        *range(1, 9)
    ]  # fmt: skip
    [summary] = library.runs()
    assert (summary.id, summary.state, summary.note) == (run.id, "done", "half")
    assert summary.model_name == "words.h5"
    assert summary.plan == plan
    assert len(summary.accuracy) == 8

    exported = done(executor.ensure("export", f"{run.id}-litert", {"run": run.id, "to": "litert"}))
    file = home / exported["path"]
    assert file == run.exports / "model.tflite"
    assert file.stat().st_size == exported["bytes"]
    assert exported["check"]["max_abs_error"] < 1e-4


def test_a_file_that_is_no_model_fails_with_its_reason() -> None:
    model = store.store_model("holiday.keras", b"not a model at all")
    failed = wait(executor.ensure("profile", model, {"model": model}), "failed", "done")
    assert isinstance(failed.error, ModelFileError)
    assert not failed.bug
    assert not (store.model_folder(model) / "profile.json").exists()


def test_data_that_does_not_fit_fails_the_baseline(uploads) -> None:
    model = store.store_model("words.h5", uploads[0])
    file = uploads[1].with_name("long.npz")
    np.savez(file, x=np.zeros((60, 9), "int32"), y=np.arange(60) % 2)
    data = store.store_data("long.npz", file)
    ref = done(executor.ensure("data", f"{data}-1", {"data": data}))["ref"]
    folder = executor.ensure("baseline", f"{model}-{ref}", {"model": model, "data": ref})
    assert isinstance(wait(folder, "failed", "done").error, MismatchError)


def test_a_training_is_cancelled_and_leaves_no_model_and_no_process(uploads, home: Path) -> None:
    model = store.store_model("words.h5", uploads[0])
    data = store.store_data("tokens.npz", uploads[1])
    ref = done(executor.ensure("data", f"{data}-1", {"data": data}))["ref"]
    plan = PruningPlan(model=model, ratios={"hidden": 0.5}, training=Training(epochs=10_000))
    run = executor.start_run(model, ref, plan)
    wait(run, "running", stage="retrain")
    while not (run.checkpoints / "last.weights.h5").exists():
        assert not status(run).final
        time.sleep(0.01)
    executor.cancel(run)
    wait(run, "cancelled")
    assert gone(worker_of(run))
    assert run.model() is None
    assert len(run.read_metrics()) >= 1
    assert not run.comparison.exists()
