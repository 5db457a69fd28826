"""TF-MOT as the engine gives the sparsity of the studio's, and refuses what it cannot wrap."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.errors import PlanError
from pruning.frameworks._base import framework
from pruning.strategy.patterns import kept_weights, parse_pattern
from pruning.strategy.plan import Schedule
from pruning.surgery.masks import kernels_of
from pruning.training import retrain
from tests.models import build
from tests.training.toy import blobs, dense_model, separable, weights_plan, write_dataset

TF_KERAS = framework("tf_keras")


def run(model, dataset, plan, **options):
    lines = []
    options = {"report": lines.append, "should_stop": lambda: False} | options
    return retrain(model, TF_KERAS, dataset, plan, **options), lines


@pytest.mark.parametrize("kind", ["one_shot", "constant", "polynomial"])
def test_both_engines_reach_the_same_sparsity_at_the_same_steps(kind, tmp_path):
    dataset = separable(tmp_path)
    schedule = Schedule(kind=kind, begin=0.1, end=0.7, frequency=6)
    found = {}
    for engine in ("studio", "tfmot"):
        model = dense_model("tf_keras")
        plan = weights_plan({"hidden": 0.75, "head": 0.5}, schedule=schedule, engine=engine)
        result, _ = run(model, dataset, plan)
        zeros = {k.layer: int((k.value() == 0).sum()) for k in kernels_of(model, TF_KERAS)}
        found[engine] = zeros, [line["sparsity"] for line in result.history]
        x, y = blobs(300, 3)
        assert (model.predict(x, verbose=0).argmax(-1) == y).mean() > 0.9
        assert {type(layer).__name__ for layer in model.layers} == {"Dense"}
        assert sorted(result.masks) == ["head/kernel", "hidden/kernel"]
    zeros, sparsities = found["studio"]
    assert zeros == {
        "hidden": 128 - kept_weights(128, 0.75),
        "head": 48 - kept_weights(48, 0.5),
    }
    assert found["tfmot"][0] == zeros
    assert found["tfmot"][1] == pytest.approx(sparsities, abs=1e-6)


def test_the_first_mask_is_the_same_in_both_engines(tmp_path):
    x, y = blobs(32, 1)
    dataset = write_dataset(tmp_path, "classification", {"train": (x, y)})
    masks = {}
    for engine in ("studio", "tfmot"):
        plan = weights_plan(
            {"hidden": 0.6},
            engine=engine,
            schedule=Schedule(kind="one_shot"),
            training={"epochs": 1, "learning_rate": 1e-4},
        )
        result, _ = run(dense_model("tf_keras"), dataset, plan)
        masks[engine] = result.masks["hidden/kernel"]
    assert np.array_equal(masks["studio"], masks["tfmot"])


def test_cancelled_training_leaves_a_plain_model_with_exact_zeros(tmp_path):
    model = dense_model("tf_keras")
    plan = weights_plan({"hidden": 0.75}, engine="tfmot", schedule=Schedule(kind="one_shot"))
    calls = []
    result, _ = run(
        model, separable(tmp_path), plan, should_stop=lambda: calls.append(1) or len(calls) == 4
    )
    assert result.stopped
    assert result.steps == 4
    kernel = kernels_of(model, TF_KERAS)[0].value()
    assert (kernel == 0).sum() == 96
    assert not np.signbit(kernel[kernel == 0]).any()


@pytest.mark.parametrize("name", ["nested_sequential", "nested_functional"])
def test_nested_models_are_wrapped_inside(name, tmp_path):
    model = build(name, "tf_keras")
    shape, classes = model.input_shape[1:], model.output_shape[-1]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(16, *shape)).astype("float32")
    dataset = write_dataset(
        tmp_path, "classification", {"train": (x, rng.integers(0, classes, 16))}
    )
    layers = [kernel.layer for kernel in kernels_of(model, TF_KERAS)]
    plan = weights_plan(
        dict.fromkeys(layers, 0.5),
        engine="tfmot",
        schedule=Schedule(kind="one_shot"),
        training={"epochs": 1},
    )
    run(model, dataset, plan)
    for kernel in kernels_of(model, TF_KERAS):
        value = kernel.value()
        assert (value == 0).sum() == value.size - kept_weights(value.size, 0.5), kernel.name


def test_layers_that_tfmot_does_not_prune_are_named(tmp_path):
    model = build("bidirectional", "tf_keras")
    x = np.zeros((4, 6), "int32")
    dataset = write_dataset(tmp_path, "classification", {"train": (x, np.zeros(4, int))})
    plan = weights_plan({"both_lstm": 0.5, "both_gru": 0.5, "score": 0.5}, engine="tfmot")
    with pytest.raises(PlanError, match=r"both_lstm \(Bidirectional\), both_gru \(Bidirectional\)"):
        run(model, dataset, plan)


@pytest.mark.parametrize(
    ("pattern", "pooling"),
    [("2:4", "average"), ("1:4", "average"), ("4x4", "average"), ("2x2", "max")],
)
def test_patterns_are_the_same_in_both_engines(pattern, pooling, tmp_path):
    """One step with a tiny rate: the masks are those of the weights that the model came with."""
    x, y = blobs(32, 1)
    dataset = write_dataset(tmp_path, "classification", {"train": (x, y)})
    ratios = {"hidden": parse_pattern(pattern).fixed or 0.6}
    masks = {}
    for engine in ("studio", "tfmot"):
        plan = weights_plan(
            ratios,
            engine=engine,
            pattern=pattern,
            block_pooling=pooling,
            schedule=Schedule(kind="one_shot"),
            training={"epochs": 1, "learning_rate": 1e-5},
        )
        result, _ = run(dense_model("tf_keras"), dataset, plan)
        masks[engine] = result.masks["hidden/kernel"]
    assert not masks["studio"].all()
    assert np.array_equal(masks["studio"], masks["tfmot"])


def test_blocks_follow_the_schedule_in_both_engines(tmp_path):
    dataset = separable(tmp_path)
    schedule = Schedule(kind="polynomial", end=0.5, frequency=5)
    found = {}
    for engine in ("studio", "tfmot"):
        model = dense_model("tf_keras")
        plan = weights_plan(
            {"hidden": 0.75},
            engine=engine,
            pattern="4x4",
            schedule=schedule,
            training={"epochs": 3},
        )
        _, lines = run(model, dataset, plan)
        kernel = kernels_of(model, TF_KERAS)[0].value()
        blocks = kernel.reshape(2, 4, 4, 4).any(axis=(1, 3))
        found[engine] = (int((kernel == 0).sum()), int(blocks.sum()), lines[-1]["sparsity"])
    assert found["studio"] == (96, 2, 0.75)  # of eight blocks two stay
    assert found["tfmot"] == found["studio"]


def test_convolutions_are_pruned_two_of_four_by_tfmot(tmp_path):
    model = build("plain", "tf_keras")
    shape, classes = model.input_shape[1:], model.output_shape[-1]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, *shape)).astype("float32")
    dataset = write_dataset(tmp_path, "classification", {"train": (x, rng.integers(0, classes, 8))})
    pattern = parse_pattern("2:4")
    layers = [k.layer for k in kernels_of(model, TF_KERAS) if pattern.refusal(k.shape) is None]
    assert layers
    plan = weights_plan(
        dict.fromkeys(layers, 0.5),
        engine="tfmot",
        pattern="2:4",
        schedule=Schedule(kind="polynomial"),
        training={"epochs": 1},
    )
    result, _ = run(model, dataset, plan)
    for kernel in kernels_of(model, TF_KERAS):
        if kernel.layer in layers:
            value = kernel.value()
            assert (value != 0).sum() == pattern.kept(value.shape, 0.5), kernel.name
            assert np.array_equal(value != 0, result.masks[kernel.name])


def test_kernels_that_tfmot_has_no_pattern_for_are_named(tmp_path):
    model = build("attention", "tf_keras")
    attention = next(k.layer for k in kernels_of(model, TF_KERAS) if len(k.shape.shape) == 3)
    x = np.zeros((4, *model.input_shape[1:]), "float32")
    dataset = write_dataset(tmp_path, "classification", {"train": (x, np.zeros(4, int))})
    plan = weights_plan({attention: 0.5}, engine="tfmot", pattern="2:4")
    with pytest.raises(PlanError, match=rf"by 2:4: {attention}"):
        run(model, dataset, plan)
