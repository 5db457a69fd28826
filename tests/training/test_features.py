"""Matching features in both Kerases: the term, its slope, and what a cut model learns from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pruning.analysis.profiler import analyse
from pruning.errors import PlanError
from pruning.frameworks._base import framework
from pruning.intake import model_file
from pruning.surgery import channels
from pruning.training import Features, retrain
from pruning.training.features import matching, mismatch
from tests import several_inputs
from tests.training.toy import plan_for, separable, write_dataset

pytestmark = pytest.mark.parametrize("family", ["keras3", "tf_keras"])


def residual(keras, outputs=1):
    """8 features → 6, plus a branch through 4 → classes; a second output beside on request."""
    layers = keras.layers
    i = keras.Input((8,))
    x = layers.Dense(6, activation="relu", name="stem")(i)
    y = layers.Dense(4, activation="relu", name="branch")(x)
    x = layers.ReLU(name="sum")(layers.Add()([x, layers.Dense(6, name="back")(y)]))
    heads = [layers.Dense(3, activation="softmax", name=f"head{n}")(x) for n in range(outputs)]
    return keras.Model(i, heads if outputs > 1 else heads[0])


def cut_in_half(family, folder, make=residual):
    """-> (features with the weight 1, the cut model)."""
    door = framework(family)
    door.keras.utils.set_random_seed(0)
    door.save(make(door.keras), folder / "model.keras")
    loaded = model_file.load(folder / "model.keras")
    before = analyse(loaded, for_pricing=False)
    kept = {g.id: np.arange(g.channels)[1::2] for g in before.groups if g.can_shrink}
    cut = channels.cut(before, kept)
    after = analyse(replace(loaded, model=cut.model), for_pricing=False)
    return Features(before, after, cut.kept, 1.0), cut.model


def trained(family, data, model, features=None, **training):
    return retrain(
        model,
        framework(family),
        data,
        plan_for(training=training),
        report=lambda line: None,
        should_stop=lambda: False,
        features=features,
    )


def inside(family, model, names, x):
    keras = framework(family).keras
    probe = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    return [np.asarray(value) for value in probe([x])]


def test_the_term_is_the_formulas(family):
    ours, theirs = np.float32([[1, 2], [3, 4]]), np.float32([[1, 0], [1, 2]])
    # (0 + 4 + 4 + 4) / (1 + 0 + 1 + 4) = 2 at the first place, 0 at the second.
    assert float(mismatch([ours, theirs], [theirs, theirs])) == pytest.approx(1.0)
    assert float(mismatch([ours * 0], [ours * 0])) == 0  # nothing but zeros has no scale


def test_places_hold_the_channels_that_stayed(family, tmp_path):
    features, _ = cut_in_half(family, tmp_path)
    found = {
        pair.pruned.producer: (pair.stayed.positions.tolist(), pair.pruned.positions.tolist())
        for pair in features.pairs()
    }
    assert found == {
        "stem": ([[1], [3], [5]], [[0], [1], [2]]),
        "back": ([[1], [3], [5]], [[0], [1], [2]]),
        "branch": ([[1], [3]], [[0], [1]]),
    }


def test_a_step_follows_the_slope_of_loss_and_term(family, tmp_path):
    features, model = cut_in_half(family, tmp_path)
    door = framework(family)
    x = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
    y = np.random.default_rng(1).integers(0, 3, 16)
    names = ("stem", "sum", "branch")
    theirs = inside(family, features.original.model, names, x)
    theirs = [a[:, 1::2] for a in theirs]

    def whole(weight):
        p = np.asarray(model(x))
        own = -np.log(p[np.arange(16), y]).mean()
        return own + weight * float(mismatch(inside(family, model, names, x), theirs))

    before = whole(0.0)
    layer = model.get_layer("branch")
    kernel, bias = layer.get_weights()

    def moved(value):
        changed = kernel.copy()
        changed[0, 0] += value
        layer.set_weights([changed, bias])
        return whole(2.0)

    slope = (moved(1e-2) - moved(-1e-2)) / 2e-2
    layer.set_weights([kernel, bias])
    trainee = matching(model, replace(features, weight=2.0), 0)
    trainee.compile(door.keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    told = trainee.train_on_batch(x, y)
    step = kernel[0, 0] - layer.get_weights()[0][0, 0]
    assert step == pytest.approx(slope, rel=0.02, abs=1e-4)
    # What is told is the loss of the labels.
    assert np.asarray(told).reshape(-1)[0] == pytest.approx(before, rel=1e-4)


def test_a_cut_model_comes_to_hold_what_the_original_holds(family, tmp_path):
    features, model = cut_in_half(family, tmp_path)
    data = separable(tmp_path)
    x = np.asarray(data.x("train"))
    before = [np.copy(w) for w in features.original.model.get_weights()]
    names = ("stem", "sum", "branch")
    theirs = [a[:, 1::2] for a in inside(family, features.original.model, names, x)]

    def apart():
        return float(mismatch(inside(family, model, names, x), theirs))

    first = apart()
    result = trained(family, data, model, replace(features, weight=100.0), epochs=10)
    assert apart() < first / 3
    for one, other in zip(before, features.original.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)  # the original is not trained
    assert result.history[-1]["accuracy"] > 0
    assert result.history[-1]["val_loss"] > 0


def test_with_the_weight_0_it_is_the_training_without(family, tmp_path):
    data, found = separable(tmp_path), []
    for wanted in (False, True):
        features, model = cut_in_half(family, tmp_path)
        trained(family, data, model, replace(features, weight=0.0) if wanted else None)
        found.append(model.get_weights())
    for plain, matched in zip(*found, strict=True):
        np.testing.assert_allclose(plain, matched, rtol=1e-4, atol=1e-5)


def test_the_same_seed_gives_the_same_weights(family, tmp_path):
    data, found = separable(tmp_path), []
    for _ in range(2):
        features, model = cut_in_half(family, tmp_path)
        trained(family, data, model, features, epochs=1)
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_of_several_outputs_the_labelled_one_is_fitted(family, tmp_path):
    features, model = cut_in_half(family, tmp_path, lambda keras: residual(keras, 2))
    data = separable(tmp_path)
    data = replace(data, manifest=replace(data.manifest, output=1))
    head = [np.copy(w) for w in model.get_layer("head0").get_weights()]
    result = trained(family, data, model, features, epochs=3)
    assert result.history[-1]["accuracy"] > 0.6
    for one, other in zip(head, model.get_layer("head0").get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_other_tasks_are_matched_too(family, tmp_path, task):
    def make(keras):
        i = keras.Input((8,))
        x = keras.layers.Dense(6, activation="relu", name="hidden")(i)
        end = "linear" if task == "regression" else "sigmoid"
        return keras.Model(i, keras.layers.Dense(3, activation=end, name="head")(x))

    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 8)).astype("float32")
    y = rng.integers(0, 2, (64, 3)).astype("float32")
    features, model = cut_in_half(family, tmp_path, make)
    data = write_dataset(tmp_path, task, {"train": (x, y), "val": (x, y)})
    result = trained(family, data, model, features, epochs=3)
    assert result.history[-1]["loss"] < result.history[0]["loss"]


def test_tokens_are_matched_behind_the_embedding(family, tmp_path):
    def make(keras):
        i = keras.Input((5,), dtype="int32")
        x = keras.layers.Embedding(20, 6, name="embedding")(i)
        x = keras.layers.Dense(8, activation="relu", name="hidden")(x)
        x = keras.layers.GlobalAveragePooling1D()(x)
        return keras.Model(i, keras.layers.Dense(3, activation="softmax", name="head")(x))

    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 20, (64, 5)).astype("int32"), rng.integers(0, 3, 64)
    features, model = cut_in_half(family, tmp_path, make)
    assert "hidden" in {pair.pruned.producer for pair in features.pairs()}
    data = write_dataset(tmp_path, "classification", {"train": (x, y)})
    assert trained(family, data, model, features, epochs=1).steps == 2


@pytest.mark.parametrize("form", several_inputs.FORMS)
def test_several_inputs_reach_both_models(family, tmp_path, form):
    features, model = cut_in_half(
        family, tmp_path, lambda keras: several_inputs.reader(family, form)
    )
    assert {pair.pruned.producer for pair in features.pairs()} >= {"hidden", "known"}
    given = several_inputs.values(16)
    names = [tensor.name.split(":")[0] for tensor in model.inputs]
    x = tuple(given[name].astype("int32" if name == "tokens" else "float32") for name in names)
    trainee = matching(model, features, 0)
    expected = several_inputs.answers(model, given)
    np.testing.assert_allclose(np.asarray(trainee(x, training=False)), expected, atol=1e-6)
    trainee.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_layer("known").get_weights()[0]
    trainee.train_on_batch(x, np.arange(16) % 2)
    assert not np.array_equal(before, model.get_layer("known").get_weights()[0])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_channels_in_front_and_mixed_precision(family, tmp_path, policy):
    def make(keras):
        layers, first = keras.layers, {"data_format": "channels_first", "dtype": policy}
        i = keras.Input((2, 6, 6))
        x = layers.Conv2D(6, 3, activation="relu", name="conv", **first)(i)
        x = layers.GlobalAveragePooling2D(**first)(x)
        return keras.Model(i, layers.Dense(3, activation="softmax", name="head")(x))

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 2, 6, 6)).astype("float32"), rng.integers(0, 3, 64)
    features, model = cut_in_half(family, tmp_path, make)
    assert [pair.stayed.axis for pair in features.pairs()] == [1]
    data = write_dataset(tmp_path, "classification", {"train": (x, y), "val": (x, y)})
    assert trained(family, data, model, features, epochs=2).history[-1]["val_loss"] > 0


def test_a_model_without_such_a_tensor_is_told(family, tmp_path):
    features, _ = cut_in_half(
        family,
        tmp_path,
        lambda keras: keras.Sequential([keras.Input((8,)), keras.layers.Dense(3, name="head")]),
    )
    with pytest.raises(PlanError, match="Features cannot be matched"):
        features.pairs()
