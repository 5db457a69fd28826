"""What each weight multiplies, recorded while a model runs, beside plain NumPy; both Kerases."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pruning.analysis.calibration import Samples, gather
from pruning.analysis.calibration._base import BATCH
from pruning.analysis.profiler import analyse
from pruning.frameworks._base import framework

pytestmark = pytest.mark.parametrize("family", ["keras3", "tf_keras"])
RNG = np.random.default_rng(0)


def norms(family, model, *inputs):
    """-> {kernel's name: input_norm}, {name: why it has none}"""
    analysis = analyse(
        SimpleNamespace(
            model=model,
            framework=framework(family),
            file=SimpleNamespace(file_format="keras", writer=""),
            length=128,
        ),
        digest="m",
        name="m",
        bytes=0,
        for_pricing=False,
    )
    found = gather(analysis, ["input_norm"], Samples(inputs)).found["input_norm"]
    return found.weights, found.reasons


def build(family, shape, *layers, dtype="float32"):
    keras = framework(family).keras
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input(shape, dtype=dtype), *layers])
    for variable in model.weights:  # biases too
        if variable.dtype == "float32" or "float" in str(variable.dtype):
            variable.assign(RNG.normal(0, 0.5, variable.shape))
    return model


def root(squares, *axes):
    return np.sqrt(np.square(squares, dtype=np.float64).sum(axis=axes))


def test_dense_layers_in_batches(family):
    layers = framework(family).keras.layers
    model = build(family, (6,), layers.Dense(5, activation="relu"), layers.Dense(3))
    x = RNG.normal(size=(2 * BATCH + 3, 6)).astype("float32")
    found, reasons = norms(family, model, x)
    kernel, bias = model.layers[0].get_weights()
    hidden = np.maximum(x @ kernel + bias, 0)
    first, second = (f"{layer.name}/0" for layer in model.layers)
    assert found[first].shape == (6, 1)
    assert found[first][:, 0] == pytest.approx(root(x, 0), rel=1e-5)
    assert found[second][:, 0] == pytest.approx(root(hidden, 0), rel=1e-5)
    assert reasons == {}


def test_convolutions_have_the_norm_of_their_input_channel(family):
    layers = framework(family).keras.layers
    model = build(
        family,
        (6, 6, 4),
        layers.Conv2D(8, 3, groups=2, name="grouped"),
        layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
        layers.Conv2DTranspose(5, 2, name="back"),
    )
    x = RNG.normal(size=(5, 6, 6, 4)).astype("float32")
    found, _ = norms(family, model, x)
    grouped = model.layers[0](x).numpy()
    depthwise = model.layers[1](grouped).numpy()
    channels = root(x, 0, 1, 2)
    expected = np.stack([channels[:2]] * 4 + [channels[2:]] * 4, axis=1)  # (in / groups, out)
    assert found["grouped/0"] == pytest.approx(expected, rel=1e-5)
    assert found["depthwise/0"][:, 0] == pytest.approx(root(grouped, 0, 1, 2), rel=1e-5)
    # kernel (2, 2, out, in)
    assert found["back/0"] == pytest.approx(root(depthwise, 0, 1, 2), rel=1e-5)


def test_between_the_two_kernels_of_a_separable_convolution(family):
    layers = framework(family).keras.layers
    separable = layers.SeparableConv1D(3, 3, depth_multiplier=2, padding="same", name="separable")
    model = build(family, (7, 4), separable)
    x = RNG.normal(size=(5, 7, 4)).astype("float32")
    found, _ = norms(family, model, x)
    depthwise = model.layers[0].get_weights()[0]  # (3, 4, 2)
    padded = np.pad(x, [(0, 0), (1, 1), (0, 0)])
    windows = np.stack([padded[:, i : i + 7] for i in range(3)])  # (3, samples, 7, 4)
    between = np.einsum("wntc,wcm->ntcm", windows, depthwise).reshape(5, 7, 8)
    assert found["separable/0"][:, 0] == pytest.approx(root(x, 0, 1), rel=1e-5)
    assert found["separable/1"][:, 0] == pytest.approx(root(between, 0, 1), rel=1e-5)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_kernels_have_the_norm_of_the_state_before(family, kind):
    layers = framework(family).keras.layers
    model = build(
        family,
        (5,),
        layers.Embedding(7, 3, name="table"),
        getattr(layers, kind)(4, name="unit"),
        dtype="int32",
    )
    x = RNG.integers(0, 6, (6, 5)).astype("int32")
    found, reasons = norms(family, model, x)
    assert reasons == {}
    counts = np.bincount(x.ravel(), minlength=7)
    assert found["table/0"][:, 0] == pytest.approx(np.sqrt(counts), rel=1e-6)
    embedded = model.layers[0].get_weights()[0][x]
    assert found["unit/0"][:, 0] == pytest.approx(root(embedded, 0, 1), rel=1e-5)
    states = np.stack([model.layers[1](embedded[:, :steps]).numpy() for steps in range(1, 5)])
    assert found["unit/1"][:, 0] == pytest.approx(root(states, 0, 1), rel=1e-4)


def test_both_directions_and_every_step(family):
    layers = framework(family).keras.layers
    model = build(
        family,
        (5, 3),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both"),
        layers.TimeDistributed(layers.Dense(3), name="steps"),
    )
    x = RNG.normal(size=(4, 5, 3)).astype("float32")
    found, reasons = norms(family, model, x)
    assert reasons == {}
    out = model.layers[0](x).numpy()
    assert found["steps/0"][:, 0] == pytest.approx(root(out, 0, 1), rel=1e-5)
    for index in (0, 3):
        assert found[f"both/{index}"][:, 0] == pytest.approx(root(x, 0, 1), rel=1e-5)
    assert found["both/1"][:, 0] == pytest.approx(root(out[:, :-1, :2], 0, 1), rel=1e-4)
    assert found["both/4"][:, 0] == pytest.approx(root(out[:, 1:, 2:], 0, 1), rel=1e-4)


def test_inside_attention(family):
    keras = framework(family).keras
    keras.utils.set_random_seed(0)
    given = keras.layers.Input((5, 6))
    attention = keras.layers.MultiHeadAttention(2, 3, name="attention")
    model = keras.Model(given, attention(given, given))
    x = RNG.normal(size=(4, 5, 6)).astype("float32")
    found, reasons = norms(family, model, x)
    assert reasons == {}
    (wq, bq), (wk, bk), (wv, bv) = (attention.get_weights()[i : i + 2] for i in (0, 2, 4))
    query, key, value = (
        np.einsum("ntd,dhk->nthk", x, w) + b for w, b in ((wq, bq), (wk, bk), (wv, bv))
    )
    logits = np.einsum("nqhk,nshk->nhqs", query, key) / np.sqrt(3)
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    mixed = np.einsum("nhqs,nshk->nqhk", shares, value)
    for index in (0, 2, 4):
        assert found[f"attention/{index}"].shape == (6, 1, 1)
        assert found[f"attention/{index}"].ravel() == pytest.approx(root(x, 0, 1), rel=1e-5)
    assert found["attention/6"].shape == (2, 3, 1)
    assert found["attention/6"][..., 0] == pytest.approx(root(mixed, 0, 1), rel=1e-4)


def test_a_layer_that_is_called_twice_sees_both(family):
    keras = framework(family).keras
    given = keras.layers.Input((4,))
    shared = keras.layers.Dense(4, name="shared", activation="tanh")
    model = keras.Model(given, shared(shared(given)))
    x = RNG.normal(size=(5, 4)).astype("float32")
    found, _ = norms(family, model, x)
    once = shared(x).numpy()
    expected = np.sqrt(root(x, 0) ** 2 + root(once, 0) ** 2)
    assert found["shared/0"][:, 0] == pytest.approx(expected, rel=1e-5)
    assert "call" not in vars(shared)  # the model is as it was


def test_what_cannot_be_seen_is_named_and_left_to_magnitude(family):
    layers = framework(family).keras.layers
    model = build(
        family,
        (3, 4, 4, 2),
        layers.ConvLSTM2D(3, 2, name="hidden"),
        layers.Flatten(),
        layers.Dense(2, name="head"),
    )
    x = RNG.normal(size=(4, 3, 4, 4, 2)).astype("float32")
    found, reasons = norms(family, model, x)
    assert set(reasons) == {"hidden/0", "hidden/1"}
    assert found["hidden/0"] == found["hidden/1"] == pytest.approx(found["head/0"].mean())
