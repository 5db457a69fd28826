"""Models with the channels in front: cut like their twins with the channels last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning.frameworks.running import answer, needs_compiler
from pruning.intake import model_file
from pruning.surgery.channels import cut
from pruning.surgery.self_check import self_check
from tests.models import FAMILIES, build, keras_of, randomize
from tests.surgery.cases import analysed, flops_of, random_kept

BOTH = pytest.mark.parametrize("family", FAMILIES)


def _model(keras: Any, order: str) -> Any:
    """Every kind of layer that has a data format; the weights do not depend on it."""
    layers, first = keras.layers, order == "channels_first"
    axis = 1 if first else -1
    i = keras.Input((3, 9, 9) if first else (9, 9, 3), name="image")

    def conv(filters: int, size: int, name: str, **options: Any) -> Any:
        return layers.Conv2D(filters, size, data_format=order, name=name, **options)

    x = conv(6, 3, "conv", padding="same", activation="relu")(i)
    x = layers.BatchNormalization(axis=axis, name="bn")(x)
    x = layers.MaxPooling2D(2, data_format=order, name="maxpool")(x)
    y = layers.DepthwiseConv2D(3, padding="same", data_format=order, name="depthwise")(x)
    x = layers.Concatenate(axis=axis, name="join")([x, layers.Add(name="add")([x, y])])
    x = layers.SeparableConv2D(5, 2, data_format=order, name="separable")(x)
    x = layers.Conv2DTranspose(4, 2, strides=2, data_format=order, name="up")(x)
    x = layers.ZeroPadding2D(1, data_format=order, name="pad")(x)
    # Not a 1x1 kernel behind the padding: there XLA of TensorFlow 2.21 loses biases of Keras 3.
    x = conv(8, 2, "mix")(x)
    x = conv(4, 3, "grouped", groups=2)(x)
    s = layers.GlobalAveragePooling2D(data_format=order, name="squeeze")(x)
    s = layers.Dense(4, activation="sigmoid", name="gate")(s)
    s = layers.Reshape((4, 1, 1) if first else (1, 1, 4), name="gate_shape")(s)
    x = layers.Multiply(name="gated")([x, s])
    x = layers.Flatten(data_format=order, name="flatten")(x)
    return keras.Model(i, layers.Dense(3, activation="softmax", name="logits")(x))


@BOTH
def test_a_cut_equals_the_cut_of_the_twin_with_channels_last(family: str) -> None:
    keras = keras_of(family)
    last, first = _model(keras, "channels_last"), _model(keras, "channels_first")
    randomize(last)
    first.set_weights(last.get_weights())
    analysis, twin = analysed(first, family), analysed(last, family)
    assert analysis.groups == twin.groups
    kept = random_kept(analysis, seed=3)
    made, other = cut(analysis, kept), cut(twin, kept)
    assert made.channels == other.channels
    image = np.random.default_rng(0).normal(size=(3, 9, 9, 3)).astype("float32")
    ours = np.asarray(answer(made.model, [image.transpose(0, 3, 1, 2)]))
    np.testing.assert_allclose(ours, np.asarray(other.model(image)), atol=1e-5)
    assert self_check(analysis, made).max_abs_error <= 1e-5
    flops = sum(
        layer.flops_cost.value({g.id: len(kept.get(g.id, range(g.channels))) for g in twin.groups})
        for layer in analysis.profile.layers
    )
    assert flops == flops_of(made.model, analysis.framework)


@BOTH
def test_such_a_model_is_loaded(family: str, tmp_path: Path) -> None:
    model = _model(keras_of(family), "channels_first")
    randomize(model)
    model.save(tmp_path / "model.keras")
    loaded = model_file.load(tmp_path / "model.keras")
    assert needs_compiler(loaded.model)
    assert not needs_compiler(build("plain", family))
