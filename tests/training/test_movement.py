"""Movement: the sums by hand, inside the compiled step, and the masks that follow; both Kerases."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pruning.errors import PlanError
from pruning.frameworks._base import framework
from pruning.strategy.plan import Schedule
from pruning.surgery.masks import WeightMasks, kernels_of
from pruning.training import retrain
from pruning.training.movement import Movement
from tests.training.toy import blobs, dense_model, separable, weights_plan, write_dataset

pytestmark = pytest.mark.parametrize("family", ["keras3", "tf_keras"])


def fitted(model, family, dataset, plan, should_stop=lambda: False):
    return retrain(
        model,
        framework(family),
        dataset,
        plan,
        report=lambda line: None,
        should_stop=should_stop,
    )


def two_inputs(family):
    """y = x · w with w = (1, −2), no bias."""
    keras = framework(family).keras
    model = keras.Sequential(
        [keras.layers.Input((2,)), keras.layers.Dense(1, use_bias=False, name="only")]
    )
    model.set_weights([np.array([[1.0], [-2.0]], np.float32)])
    return model


def test_two_steps_of_gradient_descent_by_hand(family):
    model = two_inputs(family)
    keras = framework(family).keras
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    movement, kernels = Movement(), kernels_of(model, framework(family))
    movement.watch(model, kernels)
    x, y = np.array([[1.0, 2.0]], np.float32), np.array([[0.0]], np.float32)
    # Loss (x·w − y)²; gradient 2 (x·w − y) x.
    # Step 1: x·w = −3, gradient (−6, −12); −w·g = (6, −24); w becomes (1.6, −0.8).
    model.train_on_batch(x, y)
    assert movement("movement", kernels[0]).ravel() == pytest.approx([6.0, -24.0], rel=1e-6)
    assert model.get_weights()[0].ravel() == pytest.approx([1.6, -0.8], rel=1e-6)
    # Step 2: x·w = 0, so nothing moves. With y = 1: gradient (−2, −4); −w·g = (3.2, −3.2).
    model.train_on_batch(x, y)
    assert movement("movement", kernels[0]).ravel() == pytest.approx([6.0, -24.0], abs=1e-5)
    model.train_on_batch(x, y + 1)
    assert movement("movement", kernels[0]).ravel() == pytest.approx([9.2, -27.2], rel=1e-5)


def test_adam_is_handed_the_plain_gradient(family):
    """What is added up is the loss's gradient, not the step that the optimizer makes of it."""
    model = two_inputs(family)
    model.compile(optimizer=framework(family).keras.optimizers.Adam(0.1), loss="mse")
    movement, kernels = Movement(), kernels_of(model, framework(family))
    movement.watch(model, kernels)
    model.train_on_batch(np.array([[1.0, 2.0]], np.float32), np.array([[0.0]], np.float32))
    assert movement("movement", kernels[0]).ravel() == pytest.approx([6.0, -24.0], rel=1e-6)


def test_an_embeddings_gradient_holds_only_the_rows_it_looked_up(family):
    keras = framework(family).keras
    model = keras.Sequential(
        [
            keras.layers.Input((1,), dtype="int32"),
            keras.layers.Embedding(3, 1, name="table"),
            keras.layers.Flatten(),
        ]
    )
    model.set_weights([np.array([[1.0], [2.0], [3.0]], np.float32)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    movement, kernels = Movement(), kernels_of(model, framework(family))
    movement.watch(model, kernels)
    model.train_on_batch(np.array([[1]], np.int32), np.array([[1.0]], np.float32))
    # Row 1: (2 − 1)² has the gradient 2; −2 · 2.
    assert movement("movement", kernels[0]).ravel() == pytest.approx([0.0, -4.0, 0.0])


def test_what_moves_towards_zero_goes_whatever_its_size(family, tmp_path):
    """Of (3, 0.5) on the way to (0, 2) the first is larger still, but moves towards zero."""
    keras = framework(family).keras
    model = keras.Sequential(
        [keras.layers.Input((2,)), keras.layers.Dense(1, use_bias=False, name="only")]
    )
    model.set_weights([np.array([[3.0], [0.5]], np.float32)])
    x = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")
    y = x @ np.array([0.0, 2.0], np.float32)
    dataset = write_dataset(tmp_path, "regression", {"train": (x, y)})
    plan = weights_plan(
        {"only": 0.5},
        schedule=Schedule("constant", begin=0.15, end=1.0),
        training={"optimizer": "sgd", "learning_rate": 0.02, "epochs": 2},
    )
    ends = {}
    for name in ("magnitude", "movement"):
        model.set_weights([np.array([[3.0], [0.5]], np.float32)])
        fitted(model, family, dataset, replace(plan, criterion=name))
        ends[name] = (model.get_weights()[0].ravel() != 0).tolist()
    assert ends == {"magnitude": [True, False], "movement": [False, True]}


@pytest.mark.parametrize("scope", ["uniform", "global"])
def test_masks_follow_the_schedule_and_zeros_stay(family, scope, tmp_path):
    model = dense_model(family)
    plan = weights_plan(
        {"hidden": 0.75, "head": 0.5},
        scope=scope,
        schedule=Schedule("polynomial", begin=0.1, end=0.8, frequency=3),
        training={"epochs": 4},
    )
    plan = replace(plan, criterion="movement")
    kernels, zeros = kernels_of(model, framework(family)), []

    def watch():
        zeros.append([kernel.value() == 0 for kernel in kernels])
        return False

    result = fitted(model, family, separable(tmp_path, train=200, val=0), plan, watch)
    for before, after in pairwise(zeros):
        for one, other in zip(before, after, strict=True):
            assert not (one & ~other).any()  # once zero, always zero
    counts = [int(array.sum()) for array in zeros[-1]]
    assert sum(counts) == 96 + 24  # of 128 and 48
    assert scope == "global" or counts == [96, 24]
    for kernel in kernels:
        assert np.array_equal(kernel.value() != 0, result.masks[kernel.name])
    x, y = blobs(300, 3)
    assert (model.predict(x, verbose=0).argmax(-1) == y).mean() > 0.9


def test_a_layer_that_is_not_trained_is_refused(family, tmp_path):
    model = dense_model(family)
    model.layers[0].trainable = False
    plan = replace(weights_plan({"hidden": 0.5, "head": 0.5}), criterion="movement")
    with pytest.raises(PlanError, match="not trained: hidden"):
        fitted(model, family, separable(tmp_path), plan)


def test_signed_scores_never_bring_a_zero_back(family):
    """A weight at zero has stopped moving: its score lies above those that move to zero."""
    model = two_inputs(family)
    plan = replace(weights_plan({"only": 0.5}), criterion="movement")
    scores = [np.array([[-1.0], [-2.0]]), np.array([[-5.0], [-2.0]])]
    masks = WeightMasks(model, framework(family), plan, lambda need, kernel: scores[0])
    masks.attach()
    masks.update(lambda final: final)
    assert masks.arrays()["only/kernel"].ravel().tolist() == [True, False]
    del scores[0]
    masks.update(lambda final: final)
    assert masks.arrays()["only/kernel"].ravel().tolist() == [True, False]
    masks.detach()
