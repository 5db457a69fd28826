"""Every statistic against plain Keras, finite differences or NumPy, in both Kerases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pruning.analysis.calibration import (
    Samples,
    Watch,
    channel_evidence,
    gather,
    statistics,
)
from pruning.analysis.calibration.activations import NEVER_ZERO
from pruning.analysis.calibration.gamma import NO_GAMMA
from pruning.analysis.profiler import Analysis
from pruning.errors import Cancelled
from tests.analysis.calibration.small import (
    analysed,
    built,
    calibration,
    cross_entropy,
    losses_of,
    pictures,
)
from tests.models import FAMILIES, keras_of, randomize

BOTH = pytest.mark.parametrize("family", FAMILIES)
STEP = 1e-2


def inside(analysis: Analysis, name: str, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Output of a layer, by plain Keras."""
    keras = analysis.framework.keras
    model = analysis.model
    probe = keras.Model(model.inputs, model.get_layer(name).output)
    return np.asarray(probe(list(inputs) if len(inputs) > 1 else inputs[0], training=False))


@BOTH
def test_activation_and_zeros_are_those_of_the_layers_behind(family: str) -> None:
    analysis = pictures(family)
    samples = calibration(analysis)
    gathered = gather(analysis, ("activation", "zeros"), samples)
    assert gathered.used == 40
    for group, place, name in (("c1", 0, "r1"), ("c1", 1, "r2"), ("c3", 0, "c3")):
        values = inside(analysis, name, samples.inputs)
        mean = np.abs(values).mean(axis=(1, 2)).T
        found = gathered.found["activation"].channels[group][place]
        assert found == pytest.approx(mean, rel=1e-4, abs=1e-6)
        zeros = (values == 0).mean(axis=(1, 2)).T
        found = gathered.found["zeros"].channels[group][place]
        assert found == pytest.approx(zeros, abs=1e-6)


@BOTH
def test_a_group_that_is_never_zero_has_no_zeros(family: str) -> None:
    analysis = built("lstm", family)
    found = gather(analysis, ("zeros",), calibration(analysis, 8)).found["zeros"]
    assert found.channels == {}
    assert found.reasons == {"lstm1": NEVER_ZERO, "lstm2": NEVER_ZERO}


@BOTH
def test_gamma_is_that_of_the_first_normalization_behind(family: str) -> None:
    analysis = pictures(family)
    gathered = gather(analysis, ("gamma",))
    assert gathered.used == 0
    found = gathered.found["gamma"]
    model = analysis.model
    expected = [np.asarray(model.get_layer(n).gamma)[:, None] for n in ("c1_bn", "c2_bn")]
    assert len(found.channels["c1"]) == 2
    assert all(map(np.array_equal, found.channels["c1"], expected))
    assert found.reasons == {"c3": NO_GAMMA}


@BOTH
def test_a_normalization_without_factors_does_not_count(family: str) -> None:
    layers = keras_of(family).layers
    i = keras_of(family).Input((4,))
    x = layers.BatchNormalization(scale=False)(layers.Dense(3, name="hidden")(i))
    analysis = analysed(keras_of(family).Model(i, layers.Dense(2)(x)), family)
    assert gather(analysis, ("gamma",)).found["gamma"].reasons == {"hidden": NO_GAMMA}


@BOTH
def test_gradient_is_that_of_the_mean_loss(family: str) -> None:
    import tensorflow as tf

    analysis = pictures(family)
    samples = calibration(analysis)  # more than a batch, and not a multiple of one
    found = gather(analysis, ("gradient",), samples).found["gradient"].weights
    assert set(found) == {"c1/0", "c2/0", "c3/0", "scores/0"}
    kernels = [analysis.model.get_layer(name.split("/")[0]).kernel for name in found]
    plain = [
        getattr(kernel, "value", kernel) if family == "keras3" else kernel for kernel in kernels
    ]
    with tf.GradientTape() as tape:
        outputs = analysis.model(samples.inputs[0], training=False)
        loss = tf.reduce_mean(cross_entropy(samples.targets, [outputs]))
    for name, slope in zip(found, tape.gradient(loss, plain), strict=True):
        assert found[name] == pytest.approx(np.asarray(slope), rel=1e-3, abs=1e-6)


@BOTH
def test_layers_that_are_not_trained_have_gradients_too(family: str) -> None:
    analysis = pictures(family)
    samples = calibration(analysis, 8)
    needs = ("gradient", "loss_changes")
    free = gather(analysis, needs, samples)
    analysis.model.trainable = False
    fixed = gather(analysis, needs, samples)
    assert np.array_equal(
        free.found["gradient"].weights["c1/0"], fixed.found["gradient"].weights["c1/0"]
    )
    assert np.abs(free.found["gradient"].weights["c1/0"]).max() > 0
    assert np.array_equal(
        free.found["loss_changes"].channels["c3"][0], fixed.found["loss_changes"].channels["c3"][0]
    )


@BOTH
def test_curvature_is_the_sum_of_squared_derivatives_of_the_outputs(family: str) -> None:
    import tensorflow as tf

    analysis = pictures(family)
    samples = calibration(analysis, 12)
    repeated = Samples((np.tile(samples.inputs[0], (12, 1, 1, 1)),), seed=3)
    found = gather(analysis, ("curvature",), repeated).found["curvature"].weights["scores/0"]
    kernel = analysis.model.get_layer("scores").kernel
    plain = kernel.value if family == "keras3" else kernel
    exact = np.zeros(tuple(kernel.shape))
    for index in range(12):
        with tf.GradientTape() as tape:
            outputs = analysis.model(samples.inputs[0][index : index + 1], training=False)
        exact += np.square(np.asarray(tape.jacobian(outputs, plain))).sum(axis=(0, 1)) / 12
    assert found == pytest.approx(exact, rel=0.35)  # 288 draws
    assert found.sum() == pytest.approx(exact.sum(), rel=0.1)


@BOTH
def test_curvature_of_one_sample_and_one_output_is_exact(family: str) -> None:
    """The derivative of the only output by a kernel is its input."""
    keras = keras_of(family)
    i = keras.Input((3,))
    x = keras.layers.Dense(2, use_bias=False, name="hidden")(i)
    model = keras.Model(i, keras.layers.Dense(1, use_bias=False, name="out")(x))
    randomize(model)
    x = np.array([[1.0, -2.0, 3.0]], np.float32)
    found = gather(analysed(model, family), ("curvature",), Samples((x,))).found["curvature"]
    out = np.asarray(model.get_layer("out").kernel)[:, 0]
    assert found.weights["hidden/0"] == pytest.approx(np.square(np.outer(x[0], out)), rel=1e-5)


@BOTH
@pytest.mark.parametrize(("group", "name"), [("c3", "c3")])
def test_loss_changes_equal_finite_differences_of_a_gate(
    family: str, group: str, name: str
) -> None:
    analysis = pictures(family)
    samples = calibration(analysis, 20)
    found = gather(analysis, ("loss_changes",), samples).found["loss_changes"].channels["c3"][0]
    keras = analysis.framework.keras
    rest = keras.Model(analysis.model.get_layer("c3").output, analysis.model.outputs[0])
    values = inside(analysis, "c3", samples.inputs)
    assert samples.targets is not None
    for channel in range(values.shape[-1]):
        sides = []
        for factor in (1 + STEP, 1 - STEP):
            gated = values.copy()
            gated[..., channel] *= factor
            sides.append(losses_of(rest, [gated], samples.targets))
        difference = (sides[0] - sides[1]) / (2 * STEP)
        assert found[channel] == pytest.approx(difference, rel=1e-2, abs=2e-4)


@BOTH
@pytest.mark.parametrize(
    ("topology", "group", "layer", "weight", "axis"),
    [
        ("attention", "attention", "attention", 6, 0),  # heads, read by the output's kernel
        ("lstm", "lstm2", "logits", 0, 0),
    ],
)
def test_loss_changes_equal_finite_differences_of_what_reads(
    family: str, topology: str, group: str, layer: str, weight: int, axis: int
) -> None:
    analysis = built(topology, family)
    samples = calibration(analysis, 6)
    assert samples.targets is not None
    channels = next(g.channels for g in analysis.groups if g.id == group)
    found = gather(analysis, ("loss_changes",), samples).found["loss_changes"].channels[group]
    assert [array.shape for array in found] == [(channels, 6)]
    reader = analysis.model.get_layer(layer)
    whole = reader.get_weights()
    for channel in range(channels):
        sides = []
        for factor in (1 + STEP, 1 - STEP):
            changed = [array.copy() for array in whole]
            np.moveaxis(changed[weight], axis, 0)[channel] *= factor
            reader.set_weights(changed)
            sides.append(losses_of(analysis.model, samples.inputs, samples.targets))
        reader.set_weights(whole)
        difference = (sides[0] - sides[1]) / (2 * STEP)
        assert found[0][channel] == pytest.approx(difference, rel=1e-2, abs=2e-4)


@BOTH
def test_nested_models_with_equal_names_and_several_outputs(family: str) -> None:
    nested = built("nested_functional", family)
    found = gather(nested, ("loss_changes", "activation"), calibration(nested, 4))
    shrinking = {group.id for group in nested.groups if group.can_shrink}
    assert found.found["loss_changes"].channels.keys() == shrinking
    assert found.found["activation"].channels.keys() == shrinking

    many = built("many_inputs_outputs", family)
    whole: Any = lambda targets, outputs: cross_entropy(targets, outputs) + outputs[1][:, 0]  # noqa: E731
    first = calibration(many, 5)
    both = Samples(first.inputs, first.targets, whole)
    one, two = (gather(many, ("gradient",), s).found["gradient"].weights for s in (first, both))
    amount = np.mean(inside(many, "joint", first.inputs), axis=0)[:, None]
    assert not one["amount/0"].any()  # the first output does not depend on it
    assert two["amount/0"] == pytest.approx(amount, rel=1e-4)  # its own is linear


@BOTH
def test_channels_first_runs_through_the_compiler(family: str) -> None:
    keras = keras_of(family)
    i = keras.Input((2, 5, 5))
    x = keras.layers.Conv2D(4, 3, data_format="channels_first", activation="relu", name="c")(i)
    x = keras.layers.GlobalAveragePooling2D(data_format="channels_first")(x)
    model = keras.Model(i, keras.layers.Dense(3, activation="softmax")(x))
    randomize(model)
    analysis = analysed(model, family)
    samples = calibration(analysis, 4)
    gathered = gather(analysis, ("activation", "loss_changes"), samples)
    kernel, bias = model.get_layer("c").get_weights()
    x = samples.inputs[0]
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    values = np.einsum("nchwij,ijck->nkhw", windows, kernel) + bias[None, :, None, None]
    expected = np.maximum(values, 0).mean(axis=(2, 3)).T
    assert gathered.found["activation"].channels["c"][0] == pytest.approx(expected, rel=1e-4)
    assert np.isfinite(gathered.found["loss_changes"].channels["c"][0]).all()


@BOTH
def test_evidence_lines_up_kernels_and_what_is_known_of_them(family: str) -> None:
    analysis = pictures(family)
    gathered = gather(analysis, ("curvature",), calibration(analysis, 4))
    evidence = channel_evidence(analysis, ("kernel", "curvature"), gathered)
    assert {g: len(items) for g, items in evidence.items.items()} == {"c1": 2, "c3": 1}
    kernel, curvature = evidence.items["c3"][0]
    stored = np.asarray(analysis.model.get_layer("c3").kernel)
    assert np.array_equal(kernel, stored.transpose(3, 0, 1, 2).reshape(5, -1))
    known = gathered.found["curvature"].weights["c3/0"]
    assert np.array_equal(curvature, known.transpose(3, 0, 1, 2).reshape(5, -1))
    with pytest.raises(ValueError, match="not known of the same things"):
        channel_evidence(analysis, ("kernel", "gamma"), gather(analysis, ("gamma",)))


def test_progress_is_told_and_stopping_is_heard() -> None:
    analysis = pictures("keras3")
    told: list[tuple[float, str]] = []
    watch = Watch(report=lambda fraction, words: told.append((fraction, words)))
    gather(analysis, ("activation", "zeros"), calibration(analysis), watch)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert told[0][1] == "activations: 32 of 40 calibration samples"
    with pytest.raises(Cancelled):
        gather(analysis, ("activation",), calibration(analysis), Watch(should_stop=lambda: True))


def test_missing_samples_and_labels_are_refused() -> None:
    analysis = pictures("keras3")
    with pytest.raises(ValueError, match="samples are needed"):
        gather(analysis, ("activation",))
    with pytest.raises(ValueError, match="targets and a loss"):
        gather(analysis, ("gradient",), Samples(calibration(analysis).inputs))


@pytest.mark.parametrize("name", statistics())
def test_every_statistic_gives_what_it_promises(name: str) -> None:
    analysis = built("residual_projection", "tf_keras")
    gatherer = statistics()[name]
    found = gather(analysis, (name,), calibration(analysis, 5)).found[name]
    assert bool(found.weights) == (gatherer.per == "weight")
    assert bool(found.channels) == (gatherer.per == "channel")
    channels = {group.id: group.channels for group in analysis.groups if group.can_shrink}
    if gatherer.per == "channel":
        assert found.channels.keys() | found.reasons.keys() == channels.keys()
        assert not found.channels.keys() & found.reasons.keys()
    for group, arrays in found.channels.items():
        assert all(array.shape[0] == channels[group] for array in arrays)
        assert all(np.isfinite(array).all() for array in arrays)
    assert all(np.isfinite(array).all() for array in found.weights.values())
