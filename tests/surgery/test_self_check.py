"""Samples that a cut is checked with when nobody gave any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pruning.analysis.profiler import analyse
from pruning.errors import SelfCheckError
from pruning.intake.model_file import load
from pruning.surgery.channels import cut
from pruning.surgery.self_check import random_samples, self_check
from tests.models import FAMILIES, keras_of, randomize
from tests.surgery.cases import analysed
from tests.surgery.topologies_operators import operation


def reader(family: str, kernel: int, crop: int = 0):
    """Reads a sequence of any length of more than ``kernel + 2 * crop`` steps."""
    layers = keras_of(family).layers
    i = layers.Input((None, 4))
    x = layers.Conv1D(8, kernel, activation="relu", name="conv")(i)
    if crop:
        x = layers.Cropping1D(crop)(x)
    out = layers.Dense(3)(layers.GlobalAveragePooling1D()(x))
    model = keras_of(family).Model(i, out)
    randomize(model)
    return model


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("kernel", "steps"), [(8, 8), (9, 128), (128, 128)])
def test_open_dimensions_are_short_where_the_model_accepts_that(
    family: str, kernel: int, steps: int
) -> None:
    samples = random_samples(analysed(reader(family, kernel), family), 4)
    assert [array.shape for array in samples] == [(4, steps, 4)]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_ends_in_a_table_is_drawn_from_its_rows(family: str) -> None:
    """Through a slice, and inside a model that is applied to every step."""
    keras = keras_of(family)
    j = keras.Input((4,), name="words")
    x = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(30, 6, name="table")(j))
    inner = keras.Model(j, x)
    i, row = keras.Input((3, 4), name="sentences"), keras.Input((5,), name="row")
    x = keras.layers.LSTM(5)(keras.layers.TimeDistributed(inner, name="each")(i))
    y = keras.layers.Flatten()(keras.layers.Embedding(9, 4, name="column")(row[:, :1]))
    model = keras.Model([i, row], keras.layers.Dense(2)(keras.layers.Concatenate()([x, y])))
    analysis = analysed(model, family)
    sentences, rows = random_samples(analysis, 50)
    assert set(np.unique(sentences)) == set(range(30))
    assert set(np.unique(rows)) == set(range(9))
    made = cut(analysis, {"column": [1, 2]})
    assert self_check(analysis, made).max_abs_error <= 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_crops_most_of_what_it_reads_is_cut(family: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    reader(family, kernel=3, crop=500).save(path)
    loaded = load(path)
    assert loaded.length == 2048
    analysis = analyse(loaded, for_pricing=False)
    profile = analysis.profile
    assert "count as 2048" in profile.notes[0]
    assert profile.layer("conv").flops == 2 * (2048 - 2) * 3 * 4 * 8
    made = cut(analysis, {"conv": np.array([1, 4, 6])})
    assert self_check(analysis, made).max_abs_error <= 1e-5


def rows_written_inside(family: str, rows: int, answered: int | None):
    """Reads any number of samples, says its inputs; a reshape inside reads only so many."""
    keras, layers = keras_of(family), keras_of(family).layers
    reshape = operation(keras, "reshape")
    i = keras.Input((6,))
    x = layers.Dense(8, activation="relu", name="made")(i)
    x = reshape(layers.Dense(4, name="last")(reshape(x, (rows, 2, 4))), (-1, 8))
    if answered is not None:
        x = reshape(x, (answered, 8))
    model = keras.Model(i, layers.Dense(3, name="out")(x))
    randomize(model)
    return model


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("rows", "answered"), [(5, 5), (1, None)], ids=["told", "one"])
def test_a_number_of_samples_that_is_written_inside_is_kept_to(
    family: str, rows: int, answered: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "model.keras"
    rows_written_inside(family, rows, answered).save(path)
    analysis = analyse(load(path))
    made = cut(analysis, {"made": [1, 2]})
    assert self_check(analysis, made).samples == rows
    given = np.random.default_rng(0).normal(size=(7, 6)).astype("float32")
    assert self_check(analysis, made, [given]).samples == rows


def test_a_model_that_runs_on_none_of_the_samples_is_told_so() -> None:
    keras = keras_of("keras3")
    i, rows = keras.Input((4,)), keras.Input((), dtype="int32")
    x = keras.ops.take(keras.layers.Dense(6, name="dense")(i), rows, axis=0)
    model = keras.Model([i, rows], keras.layers.Dense(2, name="out")(x))
    analysis = analysed(model, "keras3")
    samples = [np.ones((2, 4), "float32"), np.array([7, 7], "int32")]
    with pytest.raises(SelfCheckError, match="not run on 2 samples, nor on one: ") as error:
        self_check(analysis, cut(analysis, {"dense": [0, 1]}), samples)
    assert "--" not in error.value.fix


def brightened(family: str, times: int):
    """Squares what it reads again and again, as curves that brighten a picture do: for [0, 1)."""
    keras, layers = keras_of(family), keras_of(family).layers
    i = keras.Input((6, 3))
    x = layers.Conv1D(8, 3, padding="same", activation="relu", name="made")(i)
    x = layers.Conv1D(3, 3, padding="same", activation="tanh", name="curve")(x)
    out = i
    for _ in range(times):
        out = out + x * (out * out - out)
    model = keras.Model(i, out)
    randomize(model)
    return model


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_made_for_numbers_from_0_to_1_is_checked_with_such(
    family: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.keras"
    brightened(family, 12).save(path)
    analysis = analyse(load(path))
    wide = analysis.model(random_samples(analysis, 4)[0])
    assert not np.isfinite(np.asarray(wide)).all()
    narrow = random_samples(analysis, 4, in_unit_interval=True)[0]
    assert narrow.min() >= 0
    assert narrow.max() < 1
    assert np.abs(np.asarray(analysis.model(narrow))).max() < 10
    checked = self_check(analysis, cut(analysis, {"made": [1, 4, 6]}))
    assert checked.samples == 4
    assert checked.max_abs_error <= checked.tolerance <= 1e-4
    with pytest.raises(SelfCheckError, match="original itself answers to 4 samples"):
        self_check(analysis, cut(analysis, {"made": [1]}), [30 * np.ones((4, 6, 3), "float32")])
