"""Several cuts of one model, with retraining between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pruning import storage, training
from pruning.comparison import latency
from pruning.errors import Cancelled
from pruning.intake.prepare import prepare
from pruning.runs.jobs import prune as job
from pruning.strategy.plan import PruningPlan, Training
from pruning.training import Stretch
from tests import models
from tests.surgery.cases import build

FAMILIES = pytest.mark.parametrize("family", models.FAMILIES)
STAGES = ["load", "narrow", "cut", "self-check", "retrain", "compare", "save"]


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "MEASURE_SECONDS", 0.05)
    monkeypatch.setattr(training, "step_seconds", lambda *_: None)  # a third of each run's time
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))


@pytest.fixture
def without_graphs() -> Iterator[None]:
    """For trainings of few steps that change nothing: most of their time goes into graphs."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def network(keras):
    """8 and 10 channels, nothing that changes but by training."""
    return keras.Sequential(
        [
            keras.layers.Input((6, 6, 1)),
            keras.layers.Conv2D(8, 3, activation="relu", name="conv"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(10, activation="relu", name="hidden"),
            keras.layers.Dense(2, activation="softmax", name="answer"),
        ]
    )


def run(folder: Path, family: str, *, model=None, **changes):
    """-> results, stages, lines of metrics, words of progress, the original model"""
    keras = models.keras_of(family)
    keras.utils.set_random_seed(3)
    original = model or network(keras)
    path = folder / "model.keras"
    original.save(path)
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 80), ("val", 20), ("test", 20)):
        arrays[f"y_{split}"] = np.arange(count) % original.output_shape[-1]
        noise = rng.random((count, *original.input_shape[1:])) * 0.2
        light = arrays[f"y_{split}"].reshape(-1, *[1] * (noise.ndim - 1)) * 0.8
        arrays[f"x_{split}"] = (noise + light).astype("float32")
    np.savez(folder / "data.npz", **arrays)
    fields = {"ratios": {"conv": 0.75, "hidden": 0.5}, "cuts": 3} | changes
    plan = PruningPlan(model=storage.digest_file(path), **fields)
    stages, lines, words = [], [], []

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        stages.append(name)
        yield

    results = job.prune(
        path, plan, prepare(folder / "data.npz"), folder / "out", stage=stage,
        report=lines.append, progress=lambda share, said: words.append((share, said)),
    )  # fmt: skip
    with_data = list(job.stages(plan, with_data=True))
    assert stages == [name for name in with_data if name in stages]
    return results, stages, lines, words, original


def assert_slices(before, after, entries) -> None:
    """The weights of a layer are the slices of the original's that the entries name."""
    weights = before.get_weights()
    for entry in entries:
        index = entry["weight"]
        weights[index] = np.take(weights[index], entry["kept"], axis=entry["axis"])
    for expected, actual in zip(weights, after.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)


@FAMILIES
@pytest.mark.usefixtures("without_graphs")
def test_without_learning_it_comes_to_slices_of_the_original(family: str, tmp_path: Path) -> None:
    """At a learning rate of 0 three cuts are one: what they keep is told of the original."""
    training = Training(epochs=4, batch_size=16, learning_rate=0.0)
    results, stages, _, _, original = run(tmp_path, family, training=training)
    assert stages == STAGES
    after = models.keras_of(family).models.load_model(results["model"])
    record = storage.read_json(Path(results["channels"]))["layers"]
    assert len(record["conv"][0]["kept"]) == 2
    assert len(record["hidden"][1]["kept"]) == 5
    for layer in original.layers:
        assert_slices(layer, after.get_layer(layer.name), record.get(layer.name, ()))
    strongest = np.argsort(-np.abs(original.get_layer("conv").get_weights()[0]).sum((0, 1, 2)))
    assert record["conv"][0]["kept"] == sorted(strongest[:2].tolist())
    assert results["self_check"]["cuts"] == 3
    assert results["self_check"]["max_abs_error"] <= 1e-5
    assert results["params"] == {"before": 80 + 1290 + 22, "after": 20 + 165 + 12}
    assert results["seconds"]["narrow"] > 0


@FAMILIES
def test_half_of_the_epochs_is_spread_over_the_cuts(family: str, tmp_path: Path) -> None:
    """Of 5 epochs of 5 steps the first 2 make 2 stretches of 5 steps; 15 steps follow."""
    training = Training(epochs=5, batch_size=16, learning_rate=0.01)
    results, _, lines, words, _ = run(tmp_path, family, training=training)
    assert {line["steps"] for line in lines} == {25}
    steps = [line["step"] for line in lines]
    assert steps == sorted(steps)
    ends = [line for line in lines if "val_loss" in line]
    assert [(line["epoch"], line["step"]) for line in ends] == [(3, 15), (4, 20), (5, 25)]
    rates = {line["step"]: line["learning_rate"] for line in lines}
    assert rates[5] == rates[10] == 0.01
    # The cosine of the 15 steps that follow the last cut, at its last step.
    assert rates[25] == pytest.approx(0.01 * 0.5 * (1 + np.cos(np.pi * 14 / 15)), rel=1e-5)
    assert any(said == "cut 1 of 3: step 5 of 5" for _, said in words)
    assert any(said == "cut 2 of 3: step 5 of 5" for _, said in words)
    assert results["accuracy"]["after"] == 1.0


def test_the_widths_between_are_those_of_the_schedule(tmp_path, monkeypatch) -> None:
    from pruning import training as room

    seen: list[tuple[int, Stretch]] = []
    real = room.retrain

    def retrain(model, *arguments, **options):
        filters = int(model.get_layer("conv").get_weights()[0].shape[-1])
        seen.append((filters, options["stretch"]))
        return real(model, *arguments, **options)

    monkeypatch.setattr(room, "retrain", retrain)
    run(tmp_path, "keras3", training=Training(epochs=3, batch_size=16))
    # 8 channels to a quarter: 8 / 4^(1/3) = 5.04, 8 / 4^(2/3) = 3.17
    assert seen == [
        (5, Stretch(0, 0, 14, steps=2)),
        (3, Stretch(2, 0, 14, steps=2)),
        (2, Stretch(4, 1, 14, epochs=2)),
    ]


@FAMILIES
def test_batch_norm_is_measured_after_every_cut(family: str, tmp_path: Path, monkeypatch) -> None:
    from pruning.runs import recalibrating

    widths = []
    real = recalibrating.recalibrated

    def recalibrated(model, *arguments, **options):
        widths.append(int(model.get_layer("stem").get_weights()[0].shape[-1]))
        return real(model, *arguments, **options)

    monkeypatch.setattr(recalibrating, "recalibrated", recalibrated)
    model = models.build("residual_identity", family)
    whole = int(model.get_layer("stem").get_weights()[0].shape[-1])
    training = Training(epochs=2, batch_size=16, distillation=0.5)
    results, stages, *_ = run(
        tmp_path, family, model=model, ratios={"stem": 0.5}, cuts=2, criterion="taylor",
        training=training,
    )  # fmt: skip
    assert stages[:4] == ["load", "distil", "narrow", "score"]
    assert widths == [round(whole / 2**0.5), whole // 2]
    assert results["recalibration"]["layers"] > 0
    assert results["calibration"]["samples"] == 80


@FAMILIES
def test_features_are_those_of_the_original_after_every_cut(family, tmp_path, monkeypatch) -> None:
    seen, real = [], training.retrain

    def retrain(model, *arguments, features, **options):
        stayed = {pair.pruned.producer: pair.stayed.positions[:, 0] for pair in features.pairs()}
        seen.append((features.original.model, stayed))
        return real(model, *arguments, features=features, **options)

    monkeypatch.setattr(training, "retrain", retrain)
    settings = Training(epochs=2, batch_size=16, feature_matching=2.0)
    results, *_ = run(tmp_path, family, training=settings)
    assert len(seen) == 3
    assert len({id(original) for original, _ in seen}) == 1
    record = storage.read_json(Path(results["channels"]))["layers"]
    for (_, wider), (_, narrower) in pairwise(seen):
        for producer in ("conv", "hidden"):
            assert set(narrower[producer]) < set(wider[producer])
    for producer in ("conv", "hidden"):
        made = next(e for e in record[producer] if e["axis"] == (3 if producer == "conv" else 1))
        assert seen[-1][1][producer].tolist() == made["kept"]


@FAMILIES
@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("name", ["grouped", "whole_groups"])
def test_a_group_that_would_become_another_waits_for_the_last_cut(name, family, tmp_path) -> None:
    """Of a convolution's groups some go: what is left may be cut in other ways than before."""
    model = build(name, family)
    training = Training(epochs=2, batch_size=16, learning_rate=0.0)
    ratios = {"stem": 0.5, "top": 0.5}
    results, *_ = run(
        tmp_path, family, model=model, ratios=ratios, training=training, recalibrate=False
    )
    after = models.keras_of(family).models.load_model(results["model"])
    record = storage.read_json(Path(results["channels"]))["layers"]
    assert {"stem", "top"} <= record.keys()
    for layer, entries in record.items():
        if layer.endswith("bn"):  # training moves its statistics, whatever the rate
            continue
        assert_slices(model.get_layer(layer), after.get_layer(layer), entries)


def test_without_retraining_there_is_one_cut(tmp_path: Path) -> None:
    results, stages, *_ = run(tmp_path, "keras3", training=Training(epochs=0))
    assert stages == ["load", "cut", "self-check", "compare", "save"]
    assert "cuts" not in results["self_check"]


def test_it_stops_between_the_cuts_when_asked_to(tmp_path: Path) -> None:
    keras = models.keras_of("keras3")
    network(keras).save(tmp_path / "model.keras")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=rng.random((60, 6, 6, 1)), y=np.arange(60) % 2)
    plan = PruningPlan(
        model=storage.digest_file(tmp_path / "model.keras"),
        ratios={"conv": 0.5},
        cuts=2,
        training=Training(epochs=2),
    )
    lines: list[object] = []
    with pytest.raises(Cancelled):
        job.prune(
            tmp_path / "model.keras", plan, prepare(tmp_path / "data.npz"), tmp_path / "out",
            report=lines.append, should_stop=lambda: bool(lines),
        )  # fmt: skip
    assert not (tmp_path / "out" / "model.keras").exists()
