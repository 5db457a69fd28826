"""What blocks are worth: by hand, and against plain Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pruning import storage
from pruning.errors import Cancelled, MismatchError, PlanError
from pruning.frameworks._base import framework
from pruning.intake import store
from pruning.intake.dataset import prepared_folder
from pruning.runs.folder import RunFolder, jobs_folder
from pruning.runs.influences import Influences, measure
from pruning.runs.jobs import influences as job
from pruning.runs.record import Record
from pruning.strategy.criteria import criterion
from tests import models
from tests.models import deep
from tests.surgery.cases import analysed
from tests.training.toy import write_dataset

FAMILIES = pytest.mark.parametrize("family", models.FAMILIES)


def rows(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).normal(0, 1, (count, 2)).astype("float32")
    return x, np.arange(count) % 2


def small(family: str):
    """x, then x + x @ rotation: turned by 45°; then x + 3x: only longer."""
    keras = models.keras_of(family)
    i = keras.Input((2,))
    x = keras.layers.Dense(2, name="entry")(i)
    x = keras.layers.Add(name="turn")([x, keras.layers.Dense(2, name="turning")(x)])
    x = keras.layers.Add(name="grow")([x, keras.layers.Dense(2, name="growing")(x)])
    model = keras.Model(i, keras.layers.Dense(2, activation="softmax", name="logits")(x))
    zero, one = np.zeros(2, "float32"), np.eye(2, dtype="float32")
    model.get_layer("entry").set_weights([one, zero])
    model.get_layer("turning").set_weights([np.array([[0, 1], [-1, 0]], "float32"), zero])
    model.get_layer("growing").set_weights([3 * one, zero])
    model.get_layer("logits").set_weights([one / 4, zero])
    return analysed(model, family)


def data(folder: Path, val: int = 30):
    splits = {"train": rows(0, 40)} | ({"val": rows(1, val)} if val else {})
    return write_dataset(folder, "classification", splits, ("a", "b"))


def test_block_influence_by_hand() -> None:
    score = criterion("block_influence", "layers").score
    before = np.array([[1, 0], [1, 0], [1, 0], [1, 1], [0, 0], [0, 0]])
    after = np.array([[2, 0], [0, 5], [-3, 0], [1, 0], [0, 0], [1, 0]])
    expected = [0, 1, 2, 1 - np.sqrt(0.5), 0, 1]
    np.testing.assert_allclose(score(np.stack([before, after])), expected, atol=1e-12)


def test_loss_increase_by_hand() -> None:
    score = criterion("sensitivity", "layers").score
    assert score(np.array([[0.5, 0.25], [0.75, 0.125]])).tolist() == [0.25, -0.125]


@FAMILIES
def test_influence_of_a_turn_and_of_a_growth(family: str, tmp_path: Path) -> None:
    told = []
    found = measure(
        small(family), data(tmp_path), "block_influence", report=lambda s, w: told.append((s, w))
    )
    assert found.values["turn"] == pytest.approx(1 - np.cos(np.pi / 4), abs=1e-6)
    assert found.values["grow"] == pytest.approx(0, abs=1e-6)
    assert (found.samples, found.split, found.loss) == (40, "train", None)
    assert told[-1] == (1.0, "40 of 40 training samples")
    assert Influences.from_dict(found.to_dict()) == found


@FAMILIES
def test_influence_is_a_mean_over_samples_and_positions(family: str, tmp_path: Path) -> None:
    model = deep.BUILDERS["residual_deep"](models.keras_of(family))
    models.randomize(model)
    analysis = analysed(model, family)
    x = np.random.default_rng(3).normal(0, 1, (21, 8, 8, 3)).astype("float32")
    splits = {"train": (x, np.arange(21) % 3)}
    found = measure(analysis, write_dataset(tmp_path, "classification", splits), "block_influence")
    keras = models.keras_of(family)
    for name, source in (("a_add", "stem"), ("a_conv3", "a_conv2"), ("c_add", "c_short")):
        ends = [model.get_layer(source).output, model.get_layer(name).output]
        one, other = keras.Model(model.input, ends).predict(x, verbose=0)
        lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
        with np.errstate(invalid="ignore"):
            cosine = np.nan_to_num((one * other).sum(-1) / lengths)
        assert found.values[name] == pytest.approx(1 - cosine.mean(), abs=1e-5)


@FAMILIES
def test_sensitivity_is_the_growth_of_the_loss(family: str, tmp_path: Path) -> None:
    analysis, dataset = small(family), data(tmp_path)
    found = measure(analysis, dataset, "sensitivity", samples=20)
    x, y = np.asarray(dataset.x("val")[:20], np.float64), np.asarray(dataset.y("val")[:20])

    def loss(logits: np.ndarray) -> float:
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return float(-np.log((odds / odds.sum(1, keepdims=True))[np.arange(20), y]).mean())

    turned = x + x @ np.array([[0, 1], [-1, 0]])
    assert found.loss == pytest.approx(loss(turned), rel=1e-5)
    assert found.values["turn"] == pytest.approx(loss(x) - loss(turned), rel=1e-3)
    assert found.values["grow"] == pytest.approx(loss(turned / 4) - loss(turned), rel=1e-3)
    assert (found.samples, found.split) == (20, "val")


def test_without_validation_samples_training_samples_are_used(tmp_path: Path) -> None:
    found = measure(small("keras3"), data(tmp_path, val=0), "sensitivity")
    assert (found.samples, found.split) == (40, "train")


def test_a_stop_ends_it(tmp_path: Path) -> None:
    for name in ("block_influence", "sensitivity"):
        with pytest.raises(Cancelled):
            measure(small("keras3"), data(tmp_path), name, should_stop=lambda: True)


def test_data_and_criterion_have_to_fit(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="layers has no criterion 'l1'"):
        measure(small("keras3"), data(tmp_path), "l1")
    wrong = {"train": (np.zeros((9, 3), "float32"), np.arange(9) % 2)}
    with pytest.raises(MismatchError):
        measure(
            small("keras3"),
            write_dataset(tmp_path / "w", "classification", wrong, ("a", "b")),
            "block_influence",
        )


@FAMILIES
def test_a_model_that_reads_a_fixed_number_of_samples(family: str, tmp_path: Path) -> None:
    keras = models.keras_of(family)
    i = keras.Input(batch_shape=(7, 2))
    x = keras.layers.Add(name="sum")([i, keras.layers.Dense(2, name="branch")(i)])
    model = keras.Model(i, keras.layers.Dense(2, activation="softmax", name="logits")(x))
    models.randomize(model)
    dataset = data(tmp_path)
    found = measure(analysed(model, family), dataset, "block_influence", samples=17)
    kernel, bias = model.get_layer("branch").get_weights()
    rows_seen = np.sort(np.random.default_rng(0).permutation(40)[:17])[:14]
    one = np.asarray(dataset.x("train"), np.float64)[rows_seen]
    other = one + one @ kernel + bias
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    expected = 1 - ((one * other).sum(1) / lengths).mean()
    assert found.values["sum"] == pytest.approx(expected, abs=1e-5)
    with pytest.raises(PlanError, match="exactly 7 samples at a time, but the criterion gets 5"):
        measure(analysed(model, family), dataset, "block_influence", samples=5)


def test_the_job_writes_influences_beside_the_model(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))
    model = small("keras3").model
    path = tmp_path / "mine.keras"
    framework("keras3").save(model, path)
    identifier = store.store_model("mine.keras", path)
    ref = f"{'d' * 20}-{'e' * 20}"
    prepared_folder(ref).parent.mkdir(parents=True)
    data(tmp_path / "data").folder.rename(prepared_folder(ref))
    asked = (identifier, ref, "block_influence", 25, 3)
    folder = RunFolder(jobs_folder() / f"influences-{job.key(*asked)}")
    request = dict(zip(("model", "data", "criterion", "samples", "seed"), asked, strict=True))
    storage.write_json(folder.request, {**request, "kind": "influences", "created": 0.0})
    results = job.run(Record(folder))
    assert all((storage.home() / made).is_file() for made in results["made"])
    found = Influences.from_dict(storage.read_json(job.influences_path(*asked)))
    assert (found.samples, found.split) == (25, "train")
    assert found.values["turn"] == pytest.approx(1 - np.cos(np.pi / 4), abs=1e-6)
