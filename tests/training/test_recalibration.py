"""BatchNormalization's statistics against means and variances computed by plain Keras and NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.errors import Cancelled
from pruning.frameworks._base import framework
from pruning.training import recalibration
from pruning.training.recalibration import (
    normalizations,
    recalibrate,
    set_statistics,
    statistics,
)
from tests import models

pytestmark = pytest.mark.parametrize("family", models.FAMILIES)
RNG = np.random.default_rng(7)


def check(norm, read, axes=None, tolerance=2e-6):
    """The statistics are those of what the layer reads. read: (…, channels)."""
    rows = np.asarray(read, np.float64).reshape(-1, read.shape[-1])
    np.testing.assert_allclose(norm.moving_mean, rows.mean(0), rtol=1e-5, atol=tolerance)
    np.testing.assert_allclose(norm.moving_variance, rows.var(0), rtol=1e-5, atol=tolerance)


def answers(keras, model, tensor, x):
    return keras.Model(model.inputs, tensor).predict(x, verbose=0)


def test_each_layer_has_the_mean_and_variance_of_what_it_reads(family):
    model, keras = models.build("residual_identity", family), models.keras_of(family)
    x = RNG.normal(2, 3, (75, 8, 8, 3)).astype("float32")  # two chunks and a part
    others = [w for w in model.weights if "moving" not in w.name]
    before = [w.numpy() for w in others]
    told = []
    done = recalibrate(model, framework(family), [x], report=lambda s, w: told.append((s, w)))
    assert (done.layers, done.left, done.samples) == (5, (), 75)
    for norm in normalizations(model, framework(family)):
        check(norm, answers(keras, model, norm.input, x), tolerance=1e-4)
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, others, strict=True))
    assert told[-1] == (1.0, "BatchNorm 5 of 5 on 75 training samples")


def test_nested_models_are_walked(family):
    model, keras = models.build("nested_functional", family), models.keras_of(family)
    x = RNG.normal(1, 2, (40, 8, 8, 3)).astype("float32")
    assert recalibrate(model, framework(family), [x]).layers == 1
    deepest = model.get_layer("backbone").get_layer("deepest")
    check(deepest.get_layer("bn"), answers(keras, deepest, deepest.get_layer("bn").input, x * 0.5))


def test_wrapped_layers_and_models_see_every_step_as_a_sample(family):
    keras = models.keras_of(family)
    part = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    )
    i = keras.Input((5, 3))
    y = keras.layers.TimeDistributed(keras.layers.BatchNormalization(), name="single")(i)
    y = keras.layers.TimeDistributed(part, name="whole")(y)
    model = keras.Model(i, y)
    models.randomize(model)
    x = RNG.normal(1, 2, (50, 5, 3)).astype("float32")
    assert recalibrate(model, framework(family), [x]).layers == 2
    single = model.get_layer("single").layer
    check(single, x)
    read = answers(keras, model, model.get_layer("single").output, x)
    dense, norm = part.layers
    check(norm, read @ np.asarray(dense.kernel) + np.asarray(dense.bias))


def test_masked_positions_do_not_count(family):
    keras = models.keras_of(family)
    i = keras.Input((4, 2))
    y = keras.layers.BatchNormalization(name="norm")(keras.layers.Masking(0.0)(i))
    model = keras.Model(i, y)
    x = RNG.normal(1, 2, (30, 4, 2)).astype("float32")
    x[:10, 2:] = 0
    recalibrate(model, framework(family), [x])
    seen = x.any(axis=-1)
    assert seen.sum() == 100
    check(model.get_layer("norm"), x[seen])


def test_a_layer_with_two_calls_gets_the_statistics_of_both(family):
    keras = models.keras_of(family)
    i = keras.Input((2,))
    shared = keras.layers.BatchNormalization()
    scaled = keras.layers.Rescaling(10.0)(i)
    model = keras.Model(i, keras.layers.Add()([shared(i), shared(scaled)]))
    x = np.array([[1, 2], [3, 4]], "float32")
    recalibrate(model, framework(family), [x])
    # By hand: 1, 3, 10, 30 and 2, 4, 20, 40.
    np.testing.assert_allclose(shared.moving_mean, [11, 16.5], rtol=1e-6)
    np.testing.assert_allclose(
        shared.moving_variance, [(1 + 9 + 100 + 900) / 4 - 121, 2020 / 4 - 16.5**2], rtol=1e-6
    )


def test_channels_first_is_compiled(family):
    keras = models.keras_of(family)
    i = keras.Input((3, 7, 7))
    y = keras.layers.Conv2D(4, 3, data_format="channels_first", name="conv")(i)
    y = keras.layers.BatchNormalization(axis=1, name="norm")(y)
    model = keras.Model(i, y)
    models.randomize(model)
    x = RNG.normal(1, 2, (10, 3, 7, 7)).astype("float32")
    recalibrate(model, framework(family), [x])
    last = keras.layers.Conv2D(4, 3, data_format="channels_last")
    last.build((None, 7, 7, 3))
    last.set_weights(model.get_layer("conv").get_weights())
    check(model.get_layer("norm"), np.asarray(last(x.transpose(0, 2, 3, 1))), tolerance=1e-5)


def test_a_stop_leaves_the_statistics_as_they_were(family):
    model = models.build("residual_identity", family)
    before = statistics(model, framework(family))
    seen = []
    with pytest.raises(Cancelled):
        recalibrate(
            model, framework(family), [RNG.normal(0, 1, (8, 8, 8, 3)).astype("float32")],
            report=lambda *a: seen.append(a), should_stop=lambda: len(seen) == 2,
        )  # fmt: skip
    assert len(seen) == 2
    for was, now in zip(before, statistics(model, framework(family)), strict=True):
        assert np.array_equal(was, now)
    set_statistics(model, framework(family), [(mean + 1, var) for mean, var in before])
    assert np.array_equal(statistics(model, framework(family))[0][0], before[0][0] + 1)


def test_few_samples_are_used_where_memory_is_short(family, monkeypatch):
    model = models.build("plain", family)
    monkeypatch.setattr(recalibration, "MEMORY", 1)
    x = RNG.normal(0, 1, (90, 8, 8, 3)).astype("float32")
    assert recalibrate(model, framework(family), [x]).samples == recalibration.FEWEST


def test_all_samples_are_used_where_the_shapes_say_that_they_fit(family, monkeypatch):
    keras = models.keras_of(family)
    i = keras.Input((4, 3))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(5)(i))
    model = keras.Model(i, keras.layers.GlobalAveragePooling1D()(x))
    values = 4 * 3 + 2 * 4 * 5 + 5  # of a sample, in all tensors
    x = RNG.normal(0, 1, (90, 4, 3)).astype("float32")
    ran = []
    steps = recalibration._Walk._steps
    monkeypatch.setattr(
        recalibration._Walk, "_steps",
        lambda self, chunks, *, measure, **rest: ran.append((len(chunks[0][0]), measure))
        or steps(self, chunks, measure=measure, **rest),
    )  # fmt: skip
    monkeypatch.setattr(recalibration, "MEMORY", 8 * values * 90)
    assert recalibrate(model, framework(family), [x]).samples == 90
    assert ran == [(90, True)]
    monkeypatch.setattr(recalibration, "MEMORY", 8 * values * 90 - 1)  # now a few are run
    assert recalibrate(model, framework(family), [x]).samples == 90
    assert ran[1:] == [(4, False), (90, True)]


def test_shapes_do_not_tell_what_an_operation_makes_of_a_sample(family):
    model = models.build("operators", family)
    flat = framework(family).flat(model)
    walk = recalibration._Walk(framework(family), flat, 0, lambda *a: None, lambda: False)
    assert walk._most_bytes() is None
