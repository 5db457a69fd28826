"""Calibration samples: of the training split only, by the seed; and the job that scores by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning import storage
from pruning.errors import Cancelled, MismatchError, PlanError
from pruning.frameworks._base import framework
from pruning.intake import store
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.runs.calibration import calibration_samples, needs_data, score_channels
from pruning.runs.folder import RunFolder, jobs_folder
from pruning.runs.jobs import scores as job
from pruning.runs.jobs.profile import storable
from pruning.runs.record import Record
from pruning.strategy.channel_scores import load_channel_scores
from pruning.strategy.criteria import criteria, criterion
from pruning.strategy.plan import Method
from tests.analysis.calibration.small import analysed
from tests.models import FAMILIES, keras_of, randomize
from tests.training.toy import blobs, write_dataset

BOTH = pytest.mark.parametrize("family", FAMILIES)
TAYLOR = criterion("taylor", "channels")


def network(family: str, outputs: int = 3, activation: str | None = "softmax") -> Any:
    layers = keras_of(family).layers
    i = keras_of(family).Input((8,))
    x = layers.Dense(6, activation="relu", name="hidden")(i)
    model = keras_of(family).Model(i, layers.Dense(outputs, activation=activation, name="out")(x))
    randomize(model)
    return model


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """60 samples to train; those that judge the model would spoil every figure."""
    spoiled = (np.full((10, 8), np.nan, np.float32), np.zeros(10, np.int64))
    splits = {"train": blobs(60, 1), "val": spoiled, "test": spoiled}
    return write_dataset(tmp_path / "prepared", "classification", splits)


def test_samples_are_drawn_from_the_training_split_by_the_seed(data: Dataset) -> None:
    analysis = analysed(network("keras3"), "keras3")
    found = calibration_samples(analysis, TAYLOR, data, 20, 5)
    rows = np.sort(np.random.default_rng(5).permutation(60)[:20])
    assert np.array_equal(found.inputs[0], data.x("train")[rows])
    assert found.targets is not None
    assert np.array_equal(found.targets[:, 0], data.y("train")[rows])
    other = calibration_samples(analysis, TAYLOR, data, 20, 6)
    assert not np.array_equal(found.inputs[0], other.inputs[0])
    assert len(calibration_samples(analysis, TAYLOR, data, 10_000, 5)) == 60
    assert calibration_samples(analysis, criterion("apoz", "channels"), data, 5, 0).targets is None


@BOTH
@pytest.mark.parametrize("name", criteria("channels"))
def test_every_criterion_scores_a_model_or_says_why_not(
    family: str, name: str, data: Dataset
) -> None:
    analysis = analysed(network(family), family)
    found = score_channels(analysis, name, data, count=30)
    assert found.samples == (30 if criterion(name, "channels").data_driven else 0)
    if name == "bn_scale":
        assert (found.values, list(found.reasons)) == ({}, ["hidden"])
    else:
        assert found.values["hidden"].shape == (6,)
        assert np.isfinite(found.values["hidden"]).all()
        assert found.reasons == {}
    again = score_channels(analysis, name, data, count=30)
    assert all(np.array_equal(found.values[g], again.values[g]) for g in found.values)


@BOTH
@pytest.mark.parametrize(
    ("task", "outputs", "activation", "y"),
    [
        ("classification", 3, None, np.arange(12) % 3),
        ("classification", 1, "sigmoid", np.arange(12) % 2),
        ("multilabel", 4, "sigmoid", np.arange(48).reshape(12, 4) % 2),
        ("regression", 1, None, np.linspace(-1, 1, 12).astype(np.float32)),
    ],
)
def test_the_loss_is_that_of_retraining_sample_by_sample(
    family: str, task: str, outputs: int, activation: str | None, y: np.ndarray, tmp_path: Path
) -> None:
    model = network(family, outputs, activation)
    x = blobs(12, 1)[0]
    classes = ("a", "b", "c", "d")[: max(outputs, 2)] if task != "regression" else ()
    made = write_dataset(tmp_path, task, {"train": (x, y)}, classes)
    found = calibration_samples(analysed(model, family), TAYLOR, made, 12, 0)
    assert found.losses is not None
    answers = np.asarray(model(x, training=False), np.float64)
    losses = np.asarray(found.losses(found.targets, [np.asarray(answers, np.float32)]))
    if task == "regression":
        expected = np.square(answers[:, 0] - y)
    elif task == "multilabel" or outputs == 1:
        wanted = y.reshape(12, outputs)
        expected = -np.log(np.where(wanted, answers, 1 - answers)).mean(axis=1)
    else:
        spread = np.log(np.exp(answers).sum(axis=1))
        expected = spread - answers[np.arange(12), y]
    assert losses == pytest.approx(expected, rel=1e-3)


def test_no_training_samples_and_other_shapes_are_refused(data: Dataset) -> None:
    analysis = analysed(network("keras3"), "keras3")
    with pytest.raises(PlanError, match="there is no data"):
        score_channels(analysis, "taylor")
    empty = replace(data, manifest=replace(data.manifest, counts={"train": 0, "val": 10}))
    with pytest.raises(PlanError, match="no training samples"):
        score_channels(analysis, "hessian", empty)
    narrow = replace(data, manifest=replace(data.manifest, x_shape=(7,)))
    with pytest.raises(MismatchError, match="7"):
        score_channels(analysis, "apoz", narrow)
    with pytest.raises(Cancelled):
        score_channels(analysis, "apoz", data, should_stop=lambda: True)


@BOTH
def test_a_fixed_batch_size_is_kept_to(family: str, data: Dataset) -> None:
    layers = keras_of(family).layers
    i = keras_of(family).Input(batch_shape=(7, 8))
    x = layers.Dense(6, activation="relu", name="hidden")(i)
    model = keras_of(family).Model(i, layers.Dense(3, activation="softmax")(x))
    randomize(model)
    analysis = analysed(model, family)
    for name in ("taylor", "hessian", "mean_activation"):
        assert score_channels(analysis, name, data, count=30).samples == 28
    with pytest.raises(PlanError, match=r"exactly 7 samples at a time, .* gets only 5"):
        score_channels(analysis, "taylor", data, count=5)


def test_the_job_writes_scores_beside_the_model(data: Dataset, tmp_path: Path) -> None:
    model = network("keras3")
    path = tmp_path / "mine.keras"
    framework("keras3").save(model, path)
    identifier = store.store_model("mine.keras", path)
    ref = f"{'d' * 20}-{'e' * 20}"
    prepared_folder(ref).parent.mkdir(parents=True)
    data.folder.rename(prepared_folder(ref))
    request = {
        "model": identifier, "criterion": "taylor", "data": ref, "samples": 25, "seed": 3,
    }  # fmt: skip
    folder = RunFolder(jobs_folder() / f"scores-{job.key(identifier, 'taylor', ref, 25, 3)}")
    storage.write_json(folder.request, {**request, "kind": "scores", "created": 0.0})
    results = job.run(Record(folder))
    assert results["samples"] == 25
    assert all((storage.home() / made).is_file() for made in results["made"])
    analysis = analysed(model, "keras3")
    expected = score_channels(
        analysis, "taylor", Dataset.open(prepared_folder(ref)), count=25, seed=3
    )
    where = job.scores_folder(identifier, "taylor", ref, 25, 3)
    stored = load_channel_scores(analysis.profile, where, "taylor")
    assert stored.samples == 25
    assert stored.values["hidden"] == pytest.approx(expected.values["hidden"], rel=1e-5)


def test_the_profile_stores_what_depends_on_the_model_alone() -> None:
    assert storable() == ("bn_scale", "l1", "l2")


@pytest.mark.parametrize(
    ("method", "name"), [("channels", "taylor"), ("weights", "snip"), ("layers", "block_influence")]
)
def test_what_to_do_without_data_is_possible(method: Method, name: str) -> None:
    fix = needs_data(criterion(name, method)).fix
    advised = [one for one in criteria(method) if f" {one}." in fix]
    possible = [one for one, found in criteria(method).items() if not found.data_driven]
    assert bool(advised) == bool(possible)
    assert set(advised) <= set(possible)
