"""What a waiting worker does of a run before the run is there: the same, only sooner."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning import storage
from pruning.comparison import latency
from pruning.errors import ModelFileError
from pruning.frameworks._base import framework
from pruning.intake.dataset import Dataset
from pruning.runs import foresight, preparation, steps
from pruning.runs.jobs import prune as job
from pruning.runs.work import Voice, Work
from pruning.strategy.plan import PruningPlan, Training
from tests import models
from tests.training.toy import write_dataset

CHANNELS = {"ratios": {"stem": 0.5}}
# The stages before the training, for plans of each kind.
PLANS = {
    "channels": (CHANNELS, ["load", "cut", "self-check", "recalibrate"]),
    "with samples": (
        CHANNELS | {"criterion": "taylor", "calibration_samples": 16},
        ["load", "score", "cut", "self-check", "recalibrate"],
    ),
    "layers": (
        {"method": "layers", "criterion": "block_influence", "removed": ("a_add",)},
        ["load", "cut", "self-check", "recalibrate"],
    ),
    "weights": (
        {"method": "weights", "criterion": "magnitude", "ratios": {"stem": 0.5}},
        ["load", "mask"],
    ),
}


@pytest.fixture(autouse=True)
def nothing_foreseen(monkeypatch) -> None:
    monkeypatch.setattr(latency, "MEASURE_SECONDS", 0.05)
    monkeypatch.setattr(foresight, "_foreseen", [])


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict[str, Path]:
    """A residual network of both Kerases."""
    folder, made = tmp_path_factory.mktemp("files"), {}
    for family in models.FAMILIES:
        made[family] = folder / f"{family}.keras"
        framework(family).save(models.build("residual_identity", family), made[family])
    return made


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> dict[str, Path]:
    """A recurrent network of both Kerases, for the samples of ``sentences``."""
    folder, made = tmp_path_factory.mktemp("recurrent"), {}
    for family in models.FAMILIES:
        keras = framework(family).keras
        frames = keras.layers.Input((6, 3))
        x = keras.layers.Conv1D(8, 3, name="stem")(frames)
        x = keras.layers.LSTM(5, name="lstm")(x)
        model = keras.Model(frames, keras.layers.Dense(3, activation="softmax", name="head")(x))
        made[family] = folder / f"{family}.keras"
        framework(family).save(model, made[family])
    return made


@pytest.fixture(scope="module")
def sentences(tmp_path_factory) -> Dataset:
    rng = np.random.default_rng(0)
    splits = {
        name: (rng.normal(0, 1, (count, 6, 3)).astype("float32"), np.arange(count) % 3)
        for name, count in (("train", 40), ("val", 20), ("test", 20))
    }
    return write_dataset(tmp_path_factory.mktemp("sentences"), "classification", splits)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Dataset:
    rng = np.random.default_rng(0)
    splits = {
        name: (rng.normal(0, 1, (count, 8, 8, 3)).astype("float32"), np.arange(count) % 3)
        for name, count in (("train", 40), ("val", 20), ("test", 20))
    }
    return write_dataset(tmp_path_factory.mktemp("data"), "classification", splits)


def plan_for(path: Path, **fields: Any) -> PruningPlan:
    training = Training(epochs=1, batch_size=16)
    return PruningPlan(**({"model": storage.digest_file(path), "training": training} | fields))


def prepared(path: Path, plan: PruningPlan, data: Dataset, out: Path) -> tuple[Work, list[str]]:
    """Do what a run does before its training. -> its work, and the stages it told, in order."""
    told: list[str] = []

    def done_before(name: str, seconds: float) -> None:
        assert seconds > 0
        told.append(name)

    @contextmanager
    def stage(name: str):
        yield
        told.append(name)

    voice = Voice(stage=stage, prepared=done_before)
    work, missing = foresight.begin(path, plan, data, out, voice, "a model")
    for step in missing:
        step(work)
    assert (work.out, work.voice) == (out, voice)
    return work, told


def forever() -> bool:
    return False


class After:
    """Says that the server has spoken from the ``count``-th question on."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def refused(name: str):
    """A step that must not be done."""

    def step(*_: Any) -> None:
        raise AssertionError(name)

    return step


def assert_same(one: Work, other: Work) -> None:
    """Two runs have come to the same, to the last bit; times differ."""
    assert (one.plan, one.data, one.self_check) == (other.plan, other.data, other.self_check)
    assert one.recalibration == other.recalibration
    assert one.seconds.keys() == other.seconds.keys()
    for mine, its in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize("family", models.FAMILIES)
def test_a_prepared_run_comes_to_the_same(
    family: str, kind: str, paths, data: Dataset, tmp_path: Path, monkeypatch
) -> None:
    fields, stages = PLANS[kind]
    path, plan = paths[family], plan_for(paths[family], **fields)
    plain, told = prepared(path, plan, data, tmp_path)
    assert told == stages

    foresight.foresee(path, "a model")
    foresight.prepare(plan, data, forever)
    for name in ("score", "cut", "check", "remove", "check_removal", "mask", "recalibrate"):
        monkeypatch.setattr(steps, name, refused(name))  # nothing is done again
    work, told = prepared(path, plan, data, tmp_path)
    assert told == stages
    assert_same(plain, work)
    assert foresight._foreseen == []  # a run changes what it was given


def test_a_run_trains_and_compares_what_was_prepared(
    paths, data: Dataset, tmp_path: Path, monkeypatch
) -> None:
    path = paths["keras3"]
    plan = plan_for(path, **CHANNELS)
    foresight.foresee(path, "a model")
    foresight.prepare(plan, data, forever)
    monkeypatch.setattr(steps, "cut", refused("cut"))
    lines = []
    results = job.prune(path, plan, data, tmp_path / "out", report=lines.append)
    assert lines[-1]["step"] == lines[-1]["steps"] == 3
    assert results["self_check"]["max_abs_error"] <= 1e-5
    assert list(results["seconds"]) == [
        "load", "cut", "self-check", "recalibrate", "retrain", "compare", "save",
    ]  # fmt: skip
    assert results["params"]["after"] < results["params"]["before"]


def test_a_run_goes_on_where_the_preparation_was_stopped(
    paths, data: Dataset, tmp_path: Path
) -> None:
    path = paths["keras3"]
    plan = plan_for(path, **CHANNELS)
    plain, told = prepared(path, plan, data, tmp_path)
    for questions in range(6):
        foresight.foresee(path, "a model")
        foresight.prepare(plan, data, After(questions))
        stopped, told_too = prepared(path, plan, data, tmp_path)
        assert told_too == told
        assert_same(plain, stopped)


def test_a_stopped_preparation_goes_on_when_it_is_asked_for_again(paths, data: Dataset) -> None:
    path = paths["keras3"]
    plan = plan_for(path, **CHANNELS)
    foresight.foresee(path, "a model")
    done = []
    for questions in (0, 1, 1, 100):
        foresight.prepare(plan, data, After(questions))
        done.append(foresight._foreseen[0].done)
    assert done == [0, 1, 2, 4]  # the last one is for the recurrent ones


def test_another_plan_begins_with_the_model_as_it_was_read(
    paths, data: Dataset, tmp_path: Path
) -> None:
    path = paths["keras3"]
    plan = plan_for(path, **CHANNELS)
    plain, _ = prepared(path, plan, data, tmp_path)
    foresight.foresee(path, "a model")
    for ratio in (0.25, 0.75):
        foresight.prepare(replace(plan, ratios={"stem": ratio}), data, forever)
    other, _ = prepared(path, plan, data, tmp_path)
    assert_same(plain, other)


def test_other_data_begins_anew(paths, data: Dataset, tmp_path: Path) -> None:
    path = paths["keras3"]
    plan = plan_for(path, **CHANNELS)
    foresight.foresee(path, "a model")
    foresight.prepare(plan, None, forever)
    work, missing = foresight.begin(path, plan, data, tmp_path, Voice(), "a model")
    assert (work.data, work.cut, len(missing)) == (data, None, 3)


@pytest.mark.parametrize(
    "training",
    [Training(epochs=4, distillation=0.5), Training(epochs=4)],
    ids=["distils", "several cuts"],
)
def test_what_trains_or_answers_everything_is_left_to_the_run(
    training: Training, paths, data: Dataset
) -> None:
    path = paths["keras3"]
    plan = plan_for(path, **CHANNELS, training=training, cuts=1 + (not training.distillation))
    foresight.foresee(path, "a model")
    foresight.prepare(plan, data, forever)
    assert foresight._foreseen[0].work is None


@pytest.mark.parametrize("family", models.FAMILIES)
def test_a_recurrent_model_gets_the_graph_of_its_training(
    family: str, spoken, sentences: Dataset, tmp_path: Path
) -> None:
    """Seen by its learning: the same metrics and weights as of a run that nobody prepared."""
    path, found = spoken[family], []
    plan = plan_for(path, **CHANNELS)
    for early in (False, True):
        if early:
            foresight.foresee(path, "a model")
            foresight.prepare(plan, sentences, forever)
        work, missing = foresight.begin(path, plan, sentences, tmp_path, Voice(), "a model")
        assert [len(missing), work.ready is not None] == ([0, True] if early else [3, False])
        for step in missing:
            step(work)
        steps.retrain(work, sentences, None)
        found.append(work)
    assert_same(*found)
    metrics = ("loss", "accuracy", "val_loss")
    for name in metrics:
        mine, its = (work.training.history[-1][name] for work in found)
        assert mine == its


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "weights", "criterion": "magnitude"},
        {"training": Training(epochs=0)},
        {"training": Training(epochs=1, feature_matching=1.0)},
    ],
    ids=["weights", "no training", "features"],
)
def test_no_graph_is_made_of_what_the_training_changes_first(
    fields: dict[str, Any], spoken, sentences: Dataset
) -> None:
    path = spoken["keras3"]
    foresight.foresee(path, "a model")
    foresight.prepare(plan_for(path, **(CHANNELS | fields)), sentences, forever)
    assert foresight._foreseen[0].work is not None
    assert foresight._foreseen[0].work.ready is None


def test_no_graph_is_made_that_takes_long(spoken, sentences: Dataset, monkeypatch) -> None:
    monkeypatch.setattr(preparation, "MOST_LOOPS", 0)
    path = spoken["keras3"]
    foresight.foresee(path, "a model")
    foresight.prepare(plan_for(path, **CHANNELS), sentences, forever)
    assert foresight._foreseen[0].work.ready is None


def test_a_model_of_many_operations_is_only_read(paths, data: Dataset, monkeypatch) -> None:
    path = paths["keras3"]
    foresight.foresee(path, "a model")
    flops = foresight._foreseen[0].analysis.profile.flops
    monkeypatch.setattr(foresight, "MOST_FLOPS", flops - 1)
    foresight.prepare(plan_for(path, **CHANNELS), data, forever)
    assert foresight._foreseen[0].work is None


def test_what_goes_wrong_is_the_runs_to_tell(paths, data: Dataset, monkeypatch) -> None:
    """A fault that the preparation meets leaves nothing half done."""
    path = paths["keras3"]
    foresight.foresee(path, "a model")
    with monkeypatch.context() as broken:
        broken.setattr("pruning.surgery.self_check.self_check", lambda *_: 1 / 0)
        foresight.prepare(plan_for(path, **CHANNELS), data, forever)
    assert (foresight._foreseen[0].work, foresight._foreseen[0].told) == (None, [])
    foresight.prepare(plan_for(path, ratios={"nobody": 0.5}), data, forever)
    assert foresight._foreseen[0].work is None


def test_a_model_is_read_once(tmp_path: Path, monkeypatch) -> None:
    path, other, read = tmp_path / "one.keras", tmp_path / "other.keras", []

    def reading(path: Path, name: str) -> foresight._Foreseen:
        read.append(name)
        return foresight._Foreseen(path, name, len(read), 0.1)

    monkeypatch.setattr(foresight, "_read", reading)
    assert foresight.foresee(other, "other") == "other"
    assert [foresight.foresee(path, name) for name in ("foreseen", "again")] == ["foreseen"] * 2
    assert foresight._take(path).analysis == 2
    assert foresight._take(path) is None  # a run may change what it was given
    foresight.foresee(path, "anew")
    assert foresight._take(other) is None  # one place only, for the latest
    assert read == ["other", "foreseen", "anew"]


def test_a_model_that_cannot_be_read_is_the_runs_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "broken.keras"
    path.write_bytes(b"PK")
    assert foresight.foresee(path, "broken") is None
    with pytest.raises(ModelFileError):
        foresight.begin(path, PruningPlan(model=""), None, tmp_path, Voice(), "broken")
