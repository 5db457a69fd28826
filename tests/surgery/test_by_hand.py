"""Cuts of rarer layers against the original with zeros put by hand, or NumPy: no rule is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pruning.surgery.channels import cut
from tests.models import FAMILIES, keras_of, outputs, randomize, samples
from tests.surgery.cases import analysed
from tests.surgery.topologies_operators import operation

BOTH = pytest.mark.parametrize("family", FAMILIES)


def _zeroed(model: Any, zeros: dict[str, list[tuple[int, int, list[int]]]]) -> Any:
    """The model with these entries of its weights at 0: {layer: [(weight, axis, indices)]}."""
    for name, entries in zeros.items():
        layer = model.get_layer(name)
        weights = layer.get_weights()
        for index, axis, indices in entries:
            np.moveaxis(weights[index], axis, 0)[indices] = 0
        layer.set_weights(weights)
    return model


@BOTH
def test_conv_lstm_filters(family: str) -> None:
    """A removed filter is read by the next step's gates, by BatchNorm's reader, by nobody else."""
    layers = keras_of(family).layers
    i = keras_of(family).Input((3, 6, 6, 2), name="clip")
    x = layers.ConvLSTM2D(4, 3, return_sequences=True, name="lstm")(i)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.TimeDistributed(layers.Conv2D(3, 2), name="conv")(x)
    model = keras_of(family).Model(i, x)
    randomize(model)
    made = cut(analysed(model, family), {"lstm": [0, 2]})
    given = samples(model)
    expected = outputs(_zeroed(model, {"lstm": [(1, 2, [1, 3])], "conv": [(0, 2, [1, 3])]}), given)
    np.testing.assert_allclose(outputs(made.model, given)[0], expected[0], atol=1e-5)
    assert made.model.get_layer("lstm").filters == 2


@BOTH
def test_a_channel_shuffle_takes_the_same_channels_of_both_parts(family: str) -> None:
    layers = keras_of(family).layers
    i = keras_of(family).Input((5, 5, 3), name="image")
    x = layers.Conv2D(6, 1, name="conv")(i)
    x = layers.Reshape((5, 5, 2, 3), name="parts")(x)
    x = layers.Permute((1, 2, 4, 3), name="swap")(x)
    x = layers.Reshape((5, 5, 6), name="joined")(x)
    model = keras_of(family).Model(i, layers.Conv2D(2, 3, name="reader")(x))
    randomize(model)
    made = cut(analysed(model, family), {"conv": [0, 2]})
    # Channels 1 and 4 go; after the shuffle 0 3 1 4 2 5 they are at 2 and 3.
    assert made.channels["layers"]["conv"][0]["kept"] == [0, 2, 3, 5]
    given = samples(model)
    expected = outputs(_zeroed(model, {"reader": [(0, 2, [2, 3])]}), given)
    np.testing.assert_allclose(outputs(made.model, given)[0], expected[0], atol=1e-5)


@BOTH
def test_a_constant_with_a_value_per_channel_is_sliced(family: str) -> None:
    keras = keras_of(family)
    i = keras.Input((4,), name="facts")
    x = keras.layers.Dense(4, name="dense")(i)
    if family == "keras3":
        x = x * np.array([1.0, 2.0, 3.0, 4.0], "float32")
    else:
        import tensorflow as tf

        x = x * tf.constant([1.0, 2.0, 3.0, 4.0])
    model = keras.Model(i, keras.layers.Dense(2, name="reader")(x))
    randomize(model)
    made = cut(analysed(model, family), {"dense": [1, 3]})
    facts = samples(model)[0]
    w, b, w2, b2 = model.get_weights()
    expected = ((facts @ w + b) * [1, 2, 3, 4])[:, [1, 3]] @ w2[[1, 3]] + b2
    np.testing.assert_allclose(outputs(made.model, [facts])[0], expected, atol=1e-5)


@BOTH
def test_a_kernel_as_wide_as_the_embedding_reads_its_channels(family: str) -> None:
    keras = keras_of(family)
    i = keras.Input((7,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(30, 5, name="embedding")(i)
    x = keras.layers.Reshape((7, 5, 1), name="image")(x)
    model = keras.Model(i, keras.layers.Conv2D(3, (2, 5), name="conv")(x))
    randomize(model)
    made = cut(analysed(model, family), {"embedding": [0, 3]})
    tokens = samples(model)[0]
    table, w, b = model.get_weights()
    rows = table[tokens][..., [0, 3]]
    pairs = np.stack([rows[:, :-1], rows[:, 1:]], axis=2)
    expected = np.einsum("ntkc,kcf->ntf", pairs, w[:, [0, 3], 0]) + b
    np.testing.assert_allclose(outputs(made.model, [tokens])[0][:, :, 0], expected, atol=1e-5)
    assert made.model.get_layer("conv").kernel_size == (2, 2)


@BOTH
def test_a_weight_is_repeated_for_the_channels_that_are_left(family: str) -> None:
    keras = keras_of(family)
    i, weights = keras.Input((3, 4), name="frames"), keras.Input((3,), name="weights")
    x = keras.layers.Dense(6, name="dense")(i)
    w = keras.layers.Permute((2, 1))(keras.layers.RepeatVector(6, name="repeated")(weights))
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Multiply()([x, w]))
    model = keras.Model([i, weights], keras.layers.Dense(2, name="reader")(x))
    randomize(model)
    made = cut(analysed(model, family), {"dense": [1, 4]})
    frames, given = samples(model)
    k, b, k2, b2 = model.get_weights()
    mean = ((frames @ k + b)[..., [1, 4]] * given[..., None]).mean(1)
    expected = mean @ k2[[1, 4]] + b2
    np.testing.assert_allclose(outputs(made.model, [frames, given])[0], expected, atol=1e-5)
    assert made.model.get_layer("repeated").n == 2


@BOTH
def test_slices_of_channels_follow_the_cut(family: str) -> None:
    """The numbers in ``x[:, 4:]`` and ``x[:, -4:]`` are what is left before and behind them."""
    keras = keras_of(family)
    i = keras.Input((3,), name="facts")
    x = keras.layers.Dense(8, name="dense")(i)
    x = keras.layers.Concatenate(name="join")([x[:, 4:] * x[:, :4], x[:, -4:]])
    model = keras.Model(i, keras.layers.Dense(2, name="reader")(x))
    randomize(model)
    made = cut(analysed(model, family), {"dense": [0, 2, 3]})
    facts = samples(model)[0]
    w, b, w2, b2 = model.get_weights()
    wide, kept = facts @ w + b, [0, 2, 3]
    first, second = wide[:, :4][:, kept], wide[:, 4:][:, kept]
    expected = np.hstack([second * first, second]) @ w2[[0, 2, 3, 4, 6, 7]] + b2
    np.testing.assert_allclose(outputs(made.model, [facts])[0], expected, atol=1e-5)
    assert made.channels["layers"]["dense"][0]["kept"] == [0, 2, 3, 4, 6, 7]


@BOTH
def test_a_model_repeated_at_every_step(family: str) -> None:
    keras = keras_of(family)
    layers = keras.layers
    j = keras.Input((4,), name="step")
    inner = keras.Model(
        j, layers.Dense(5, name="b")(layers.Dense(6, activation="relu", name="a")(j))
    )
    i = keras.Input((3, 4), name="frames")
    model = keras.Model(i, layers.TimeDistributed(inner, name="each")(i))
    randomize(model)
    made = cut(analysed(model, family), {"each": [0, 4, 5]})
    frames = samples(model)[0]
    w, b, w2, b2 = model.get_weights()
    kept = [0, 4, 5]
    expected = np.maximum(frames @ w + b, 0)[..., kept] @ w2[kept] + b2
    np.testing.assert_allclose(outputs(made.model, [frames])[0], expected, atol=1e-5)


def test_shared_heads_of_grouped_queries_go_with_their_readers() -> None:
    import keras

    i = keras.Input((4, 5), name="frames")
    x = keras.layers.GroupQueryAttention(3, 6, 3, name="attention")(i, i)
    model = keras.Model(i, x)
    randomize(model)
    analysis = analysed(model, "keras3")
    heads = next(g for g in analysis.groups if g.unit == "head")
    made = cut(analysis, {heads.id: [0, 2]})
    frames = samples(model)[0]
    wq, bq, wk, bk, wv, bv, wo, bo = model.get_layer("attention").get_weights()
    q = np.einsum("btc,chk->bthk", frames, wq) + bq
    k = np.repeat(np.einsum("btc,chk->bthk", frames, wk) + bk, 2, axis=2)
    v = np.repeat(np.einsum("btc,chk->bthk", frames, wv) + bv, 2, axis=2)
    scores = np.exp(np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(3))
    scores /= scores.sum(-1, keepdims=True)
    kept = [0, 1, 4, 5]  # two query heads read each shared head
    seen = np.einsum("bhts,bshv->bthv", scores, v)[:, :, kept]
    expected = np.einsum("bthv,hvo->bto", seen, wo[kept]) + bo
    np.testing.assert_allclose(outputs(made.model, [frames])[0], expected, atol=1e-5)
    config = made.model.get_layer("attention").get_config()
    assert (config["num_query_heads"], config["num_key_value_heads"]) == (4, 2)


@BOTH
def test_settings_that_keras_keeps_in_lists_of_its_own(family: str) -> None:
    """Nothing but Keras can copy the list that such a layer, once loaded, gives away."""
    keras = keras_of(family)
    i = keras.Input((6, 6, 3), name="image")
    x = keras.layers.RandomBrightness(0.2, value_range=[0, 1], name="brightness")(i)
    x = keras.layers.Conv2D(4, 3, name="conv")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(i, keras.layers.Dense(2, name="reader")(x))
    randomize(model)
    made = cut(analysed(model, family), {"conv": [1, 3]})
    assert list(made.model.get_layer("brightness").get_config()["value_range"]) == [0, 1]
    given = samples(model)
    expected = outputs(_zeroed(model, {"reader": [(0, 0, [0, 2])]}), given)
    np.testing.assert_allclose(outputs(made.model, given)[0], expected[0], atol=1e-5)


@BOTH
def test_constant_channels_of_a_shortcut_go_with_what_they_are_added_to(family: str) -> None:
    keras = keras_of(family)
    i = keras.Input((4,), name="facts")
    x = keras.layers.Dense(3, name="narrow")(i)
    y = keras.layers.Dense(6, name="wide")(x)
    pad = keras.ops.pad if family == "keras3" else __import__("tensorflow").pad
    x = keras.layers.Add(name="add")([y, pad(x, [[0, 0], [1, 2]])])
    model = keras.Model(i, keras.layers.Dense(2, name="reader")(x))
    randomize(model)
    analysis = analysed(model, family)
    groups = {g.id: g for g in analysis.groups if g.prunable}
    assert sorted(g.channels for g in groups.values()) == [2, 3]
    back = next(g.id for g in groups.values() if g.channels == 2)
    middle = next(g.id for g in groups.values() if g.channels == 3)
    made = cut(analysis, {middle: [0, 2], back: [1]})
    facts = samples(model)[0]
    w, b, w2, b2, w3, b3 = model.get_weights()
    narrow = facts @ w + b
    # Channel 1 of the middle has place 2 of six, channel 0 of the back place 4. Both readers of
    # the middle's channel read zeros.
    total = narrow[:, [0, 2]] @ w2[[0, 2]] + b2 + np.pad(narrow, [(0, 0), (1, 2)])
    kept = [0, 1, 3, 5]
    expected = total[:, kept] @ w3[kept] + b3
    np.testing.assert_allclose(outputs(made.model, [facts])[0], expected, atol=1e-5)


@BOTH
def test_channels_picked_by_number(family: str) -> None:
    """Numbers are counted anew among the channels that stay; a channel is picked twice."""
    keras = keras_of(family)
    i = keras.Input((4,), name="row")
    x = keras.layers.Dense(4, name="wide")(i)
    picked = operation(keras, "take")(x, [3, 1, 0, 2, 2, 1, 0, 3], axis=1)
    model = keras.Model(i, keras.layers.Dense(2, name="reader")(picked))
    randomize(model)
    made = cut(analysed(model, family), {"wide": [1, 3]})
    given = samples(model)
    expected = outputs(_zeroed(model, {"reader": [(0, 0, [2, 3, 4, 6])]}), given)
    np.testing.assert_allclose(outputs(made.model, given)[0], expected[0], atol=1e-5)
    assert made.model.get_layer("reader").get_weights()[0].shape == (4, 2)


@BOTH
def test_units_of_a_decoder_are_the_channels_of_its_image(family: str) -> None:
    """An image of 3 x 3 with 2 channels: without one of them the sides stay as long."""
    layers = keras_of(family).layers
    i = keras_of(family).Input((4,), name="code")
    x = layers.Reshape((3, 3, 2), name="image")(layers.Dense(18, name="units")(i))
    model = keras_of(family).Model(i, layers.Conv2D(2, 2, name="reader")(x))
    randomize(model)
    analysis = analysed(model, family)
    assert next((g.id, g.channels, g.prunable) for g in analysis.groups) == ("units", 2, True)
    made = cut(analysis, {"units": [1]})
    assert made.channels["layers"]["units"][0]["kept"] == list(range(1, 18, 2))
    given = samples(model)
    expected = outputs(_zeroed(model, {"reader": [(0, 2, [0])]}), given)
    np.testing.assert_allclose(outputs(made.model, given)[0], expected[0], atol=1e-5)


@BOTH
def test_sets_of_pooled_channels(family: str) -> None:
    """Maxout by pooling: two channels go with the one value that is made of them."""
    layers = keras_of(family).layers
    i = keras_of(family).Input((4,), name="row")
    x = layers.Reshape((6, 1), name="line")(layers.Dense(6, name="pieces")(i))
    x = layers.Flatten(name="flatten")(layers.MaxPooling1D(2, name="largest")(x))
    model = keras_of(family).Model(i, layers.Dense(2, name="reader")(x))
    randomize(model)
    made = cut(analysed(model, family), {"pieces": [0, 2]})
    assert made.channels["layers"]["pieces"][0]["kept"] == [0, 1, 4, 5]
    given = samples(model)
    expected = outputs(_zeroed(model, {"reader": [(0, 0, [1])]}), given)
    np.testing.assert_allclose(outputs(made.model, given)[0], expected[0], atol=1e-5)
