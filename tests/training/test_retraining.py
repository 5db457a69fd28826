"""Retraining in both Kerases: what is learned, what stays zero, when it stops."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.errors import MismatchError, PlanError
from pruning.frameworks._base import framework
from pruning.strategy.patterns import kept_weights
from pruning.strategy.plan import Schedule
from pruning.strategy.schedules import resolve
from pruning.surgery.masks import WeightMasks, kernels_of
from pruning.training import retrain, step_seconds
from tests.training.toy import blobs, dense_model, plan_for, separable, weights_plan, write_dataset

pytestmark = pytest.mark.parametrize("family", ["keras3", "tf_keras"])
ALL = {"hidden": 0.75, "head": 0.5}


def run(model, family, dataset, plan, **options):
    lines = []
    options = {"report": lines.append, "should_stop": lambda: False} | options
    return retrain(model, framework(family), dataset, plan, **options), lines


def zero_counts(model, family):
    return {k.layer: int((k.value() == 0).sum()) for k in kernels_of(model, framework(family))}


def accuracy(model, samples=300):
    x, y = blobs(samples, 3)
    return float((model.predict(x, verbose=0).argmax(-1) == y).mean())


def test_learns_a_separable_set(family, tmp_path):
    model = dense_model(family)
    result, lines = run(model, family, separable(tmp_path), plan_for(training={"epochs": 4}))
    assert accuracy(model) >= 0.95
    assert result.epochs == 4
    assert result.steps == 4 * 13  # 400 samples in batches of 32
    assert not result.stopped
    assert result.masks == {}
    assert result.step_seconds > 0
    ends = [line for line in lines if "val_loss" in line]
    assert [line["epoch"] for line in ends] == [1, 2, 3, 4]
    assert [line["step"] for line in ends] == [13, 26, 39, 52]
    assert list(result.history) == ends
    assert ends[-1]["steps"] == 52
    assert ends[-1]["val_accuracy"] >= 0.95
    assert ends[-1]["loss"] < ends[0]["loss"]
    assert all("sparsity" not in line for line in lines)


def test_a_narrow_strided_shortcut_learns_from_right_gradients(family, tmp_path):
    """As a network does that reads the pixels which the strides leave; TensorFlow 2.21 crashed."""
    keras = framework(family).keras

    def trained(folder, x, strides):
        model = keras.Sequential(
            [
                keras.layers.Input(x.shape[1:]),
                keras.layers.Conv2D(4, 1, strides=strides, activation="relu"),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        rng = np.random.default_rng(7)
        model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
        data = write_dataset(folder, "classification", {"train": (x, np.arange(len(x)) % 3)})
        plan = plan_for(training={"epochs": 3, "batch_size": 16, "optimizer": "sgd"})
        run(model, family, data, plan)
        [seconds] = step_seconds([model], framework(family), data, plan)
        assert seconds > 0
        return model.get_weights()

    x = np.random.default_rng(5).normal(size=(48, 60, 60, 3)).astype("float32")
    found = trained(tmp_path / "strided", x, 2)
    expected = trained(tmp_path / "left", np.ascontiguousarray(x[:, ::2, ::2]), 1)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("decay", ["cosine", "none"])
def test_the_learning_rate_of_every_epoch_is_the_reported_one(family, decay, tmp_path):
    model = dense_model(family)
    plan = plan_for(training={"epochs": 4, "learning_rate": 0.02, "decay": decay})
    result, _ = run(model, family, separable(tmp_path), plan)
    # Of the last step of each epoch of 13.
    falling = [0.02 * 0.5 * (1 + np.cos(np.pi * step / 52)) for step in (12, 25, 38, 51)]
    expected = falling if decay == "cosine" else [0.02] * 4
    found = [line["learning_rate"] for line in result.history]
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)
    last = float(model.optimizer.learning_rate.numpy())  # Keras 3: of the next step
    assert (last < 2e-5) == (decay == "cosine")


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_masked_weights_are_exactly_zero_with_every_optimizer(family, optimizer, tmp_path):
    model = dense_model(family)
    schedule = Schedule(kind="polynomial", frequency=3)
    plan = weights_plan(ALL, schedule=schedule, training={"optimizer": optimizer, "epochs": 3})
    result, _ = run(model, family, separable(tmp_path), plan)
    assert zero_counts(model, family) == {
        "hidden": 128 - kept_weights(128, 0.75),
        "head": 48 - kept_weights(48, 0.5),
    }
    for kernel in kernels_of(model, framework(family)):
        zeros = kernel.value() == 0
        assert np.array_equal(zeros, ~result.masks[kernel.name])
        assert not np.signbit(kernel.value()[zeros]).any()
    assert accuracy(model) >= 0.9


@pytest.mark.parametrize("kind", ["one_shot", "constant", "polynomial"])
def test_sparsity_follows_the_schedule(family, kind, tmp_path):
    model = dense_model(family)
    schedule = Schedule(kind=kind, begin=0.1, end=0.6, frequency=5, initial_sparsity=0.2)
    plan = weights_plan({"hidden": 0.8}, schedule=schedule, training={"epochs": 4})
    seen = {}
    steps = resolve(schedule, 52)

    def watch():
        watch.step += 1
        kernel = kernels_of(model, framework(family))[0].value()
        seen[watch.step] = float((kernel == 0).mean())
        return False

    watch.step = 0
    run(model, family, separable(tmp_path, val=0), plan, should_stop=watch)
    assert len(seen) == 52
    for step, found in seen.items():
        last = [s for s in range(step + 1) if steps.prunes(s)]
        expected = steps.at(last[-1], 0.8)[1] if last else 0.0
        assert found == 1 - kept_weights(128, expected) / 128, step
    assert seen[52] == 1 - kept_weights(128, 0.8) / 128


def test_masks_do_not_trace_the_step_again(family, tmp_path):
    model = dense_model(family)
    traces = []
    schedule = Schedule(kind="polynomial", frequency=1, end=1.0)
    plan = weights_plan({"hidden": 0.8}, schedule=schedule, training={"epochs": 2})
    masks = WeightMasks(model, framework(family), plan)
    kernel = masks.kernels[0].variable

    def counting(value):
        traces.append(1)  # runs when the step is traced, not when it is executed
        return value

    framework(family).set_constraint(kernel, None)
    if family == "keras3":
        kernel.constraint = counting
    else:
        kernel._constraint = counting
    run(model, family, separable(tmp_path), plan, masks=masks)
    assert 1 <= len(traces) <= 2


def test_the_authors_constraint_still_holds_and_is_left_behind(family, tmp_path):
    keras = framework(family).keras
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.layers.Input((8,)),
            keras.layers.Dense(
                16, activation="relu", name="hidden", kernel_constraint=keras.constraints.NonNeg()
            ),
            keras.layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    own = model.layers[0].kernel.constraint
    plan = weights_plan({"hidden": 0.5}, schedule=Schedule(frequency=3))
    run(model, family, separable(tmp_path), plan)
    kernel = kernels_of(model, framework(family))[0].value()
    assert (kernel >= 0).all()
    assert (kernel == 0).sum() >= 64
    assert model.layers[0].kernel.constraint is own


def test_global_scope_ranks_the_kernels_of_a_layer_together(family, tmp_path):
    keras = framework(family).keras
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.layers.Input((5, 3)), keras.layers.LSTM(4, name="lstm"), keras.layers.Dense(3)]
    )
    plan = weights_plan({"lstm": 0.5}, scope="global", training={"epochs": 0})
    values = [k.value() for k in kernels_of(model, framework(family)) if k.layer == "lstm"]
    threshold = np.median(np.abs(np.concatenate([v.ravel() for v in values])))
    x = np.zeros((4, 5, 3), "float32")
    data = write_dataset(tmp_path, "classification", {"train": (x, np.zeros(4, int))})
    result, _ = run(model, family, data, plan)
    for value, mask in zip(values, result.masks.values(), strict=True):
        assert np.array_equal(mask, np.abs(value) > threshold)


def test_without_epochs_the_final_masks_are_applied_and_nothing_else_changes(family, tmp_path):
    model = dense_model(family)
    before = model.get_weights()
    plan = weights_plan({"hidden": 0.75}, training={"epochs": 0})
    result, lines = run(model, family, separable(tmp_path), plan)
    after = model.get_weights()
    assert (result.steps, result.epochs, result.step_seconds, lines) == (0, 0, None, [])
    mask = result.masks["hidden/kernel"]
    assert mask.sum() == 32
    assert np.array_equal(after[0], np.where(mask, before[0], 0))
    assert np.abs(before[0][mask]).min() > np.abs(before[0][~mask]).max()
    for old, new in zip(before[1:], after[1:], strict=True):
        assert np.array_equal(old, new)


def test_seeds_reproduce(family, tmp_path):
    dataset = separable(tmp_path)
    weights = []
    for seed in (5, 5, 6):
        keras = framework(family).keras
        model = dense_model(family)
        model = keras.Sequential([*model.layers[:1], keras.layers.Dropout(0.3), *model.layers[1:]])
        model.build((None, 8))
        run(model, family, dataset, plan_for(training={"seed": seed, "epochs": 2}))
        weights.append(model.get_weights()[0])
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_cancel_stops_within_the_batch_and_leaves_exact_zeros(family, tmp_path):
    model = dense_model(family)
    calls = []

    def stop():
        calls.append(1)
        return len(calls) == 7

    plan = weights_plan(ALL, schedule=Schedule(kind="one_shot"))
    result, _ = run(model, family, separable(tmp_path), plan, should_stop=stop)
    assert result.stopped
    assert (result.steps, result.epochs) == (7, 0)
    assert zero_counts(model, family)["hidden"] == 96


def test_cancel_stops_within_validation(family, tmp_path):
    model = dense_model(family)
    calls = []

    def stop():
        calls.append(1)
        return len(calls) == 15  # 13 steps of the first epoch, then the second validation batch

    result, _ = run(model, family, separable(tmp_path), plan_for(), should_stop=stop)
    assert result.stopped
    assert (result.steps, result.epochs) == (13, 0)


def test_early_stopping_returns_the_best_weights(family, tmp_path):
    x, y = blobs(64, 1)
    val_x, val_y = blobs(64, 2)
    # Validation labels that contradict training: the more is learned, the worse it gets.
    splits = {"train": (x, y), "val": (val_x, (val_y + 1) % 3)}
    dataset = write_dataset(tmp_path, "classification", splits)
    model = dense_model(family)
    plan = plan_for(training={"epochs": 30, "patience": 2})
    result, _ = run(model, family, dataset, plan)
    assert result.early
    assert not result.stopped
    assert result.epochs == result.best_epoch + 2 < 30
    losses = [line["val_loss"] for line in result.history]
    assert min(losses) == losses[result.best_epoch - 1]
    model.compile(loss="sparse_categorical_crossentropy")
    again = model.evaluate(val_x, (val_y + 1) % 3, verbose=0)
    assert np.ravel(again)[0] == pytest.approx(min(losses), rel=1e-4)


def test_early_stopping_waits_for_the_schedule(family, tmp_path):
    model = dense_model(family)
    schedule = Schedule(kind="polynomial", end=0.8, frequency=1)
    plan = weights_plan(ALL, schedule=schedule, training={"epochs": 10, "patience": 1})
    result, _ = run(model, family, separable(tmp_path), plan)
    assert result.best_epoch >= 8
    assert zero_counts(model, family)["hidden"] == 96


def test_checkpoints_are_weights_that_keras_loads(family, tmp_path):
    model = dense_model(family)
    plan = plan_for(training={"epochs": 2})
    run(model, family, separable(tmp_path / "data"), plan, checkpoints=tmp_path / "kept")
    files = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert files == ["best.weights.h5", "last.weights.h5"]
    other = dense_model(family, seed=7)
    other.load_weights(str(tmp_path / "kept" / "last.weights.h5"))
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_regression_multilabel_and_sequences_are_trained(family, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 8)).astype("float32")
    regression = x @ rng.normal(size=8).astype("float32")
    several = (x[:, :3] > 0).astype("float32")
    for task, y, model, metric in (
        ("regression", regression, dense_model(family, 1, "linear"), "mae"),
        ("multilabel", several, dense_model(family, 3, "sigmoid"), "accuracy"),
        ("multilabel", several, dense_model(family, 3, "linear"), "accuracy"),
        ("classification", (x[:, 0] > 0) * 1, dense_model(family, 1, "sigmoid"), "accuracy"),
        ("classification", (x[:, 0] > 0) * 1, dense_model(family, 2, "linear"), "accuracy"),
    ):
        data = write_dataset(tmp_path / f"{task}{model.name}", task, {"train": (x, y)})
        result, _ = run(model, family, data, plan_for(training={"epochs": 12}))
        first, last = result.history[0], result.history[-1]
        assert last["loss"] < 0.5 * first["loss"], (task, first, last)
        assert (last["mae"] < first["mae"]) if metric == "mae" else last["accuracy"] > 0.9


def test_sequence_outputs_have_one_class_a_step(family, tmp_path):
    keras = framework(family).keras
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((4, 8)),
            keras.layers.TimeDistributed(keras.layers.Dense(3, activation="softmax"), name="head"),
        ]
    )
    x, y = blobs(800, 1)
    data = write_dataset(
        tmp_path, "classification", {"train": (x.reshape(200, 4, 8), y.reshape(200, 4))}
    )
    result, _ = run(model, family, data, plan_for(training={"epochs": 6}))
    assert result.history[-1]["accuracy"] > 0.95


def test_a_model_with_several_outputs_is_trained_on_the_first(family, tmp_path):
    keras = framework(family).keras
    keras.utils.set_random_seed(0)
    entry = keras.Input((8,))
    hidden = keras.layers.Dense(16, activation="relu")(entry)
    head = keras.layers.Dense(3, activation="softmax", name="head")(hidden)
    model = keras.Model(entry, [head, keras.layers.Dense(2, name="other")(hidden)])
    other = model.get_layer("other").get_weights()[0]
    run(model, family, separable(tmp_path), plan_for(training={"epochs": 4}))
    x, y = blobs(200, 3)
    assert (np.asarray(model.predict(x, verbose=0)[0]).argmax(-1) == y).mean() > 0.95
    assert np.array_equal(model.get_layer("other").get_weights()[0], other)


def test_two_inputs_are_refused(family, tmp_path):
    keras = framework(family).keras
    one, two = keras.Input((8,)), keras.Input((8,))
    model = keras.Model([one, two], keras.layers.Dense(3)(keras.layers.Add()([one, two])))
    with pytest.raises(MismatchError, match="2 inputs"):
        run(model, family, separable(tmp_path), plan_for())


def test_a_diverging_training_says_so(family, tmp_path):
    model = dense_model(family)
    x, y = blobs(64, 1)
    x[10] = np.inf
    data = write_dataset(tmp_path, "classification", {"train": (x, y)})
    with pytest.raises(PlanError, match="diverged"):
        run(model, family, data, plan_for())
