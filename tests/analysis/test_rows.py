"""Which channels go where branches are stacked, rows picked by number, and sizes read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pruning.intake.model_file import check_forward
from pruning.surgery.channels import cut
from pruning.surgery.self_check import self_check
from tests.models import FAMILIES, keras_of, randomize
from tests.surgery.cases import analysed, build, case
from tests.surgery.topologies_operators import operation

BOTH = pytest.mark.parametrize("family", FAMILIES)
FREE = {
    "selective_kernel": {"stem", "by1", "narrow", "top"},
    "best_tokens": {"tokens", "picked"},
    "each_by_itself": {"conv", "second"},
    "gates_across": {"of_mean"},
}


@BOTH
@pytest.mark.parametrize("name", FREE)
def test_which_channels_can_go(name: str, family: str) -> None:
    groups = case(name, family).analysis.groups
    assert {group.id for group in groups if group.prunable} == FREE[name]


@BOTH
def test_slices_with_written_numbers(family: str) -> None:
    groups = case("written_slices", family).analysis.groups
    more = {"of_places"} if family == "keras3" else {"ends", "every"}
    found = {group.id for group in groups if group.prunable}
    assert {"conv", "front", "back", "top", *more} <= found
    assert not [g.id for g in groups if not g.prunable and g.channels > 1 and g.id != "logits"]


def test_what_is_repeated_to_a_shape() -> None:
    groups = case("broadcast_shapes", "tf_keras").analysis.groups
    assert {group.id for group in groups if group.prunable} == {"conv", "mean", "top"}


def test_what_is_repeated_to_a_fixed_shape() -> None:
    keras = keras_of("keras3")
    layers, ops = keras.layers, keras.ops
    i = keras.Input(batch_shape=(2, 6, 6, 3))
    x = layers.Conv2D(7, 3, padding="same", activation="relu", name="conv")(i)
    gate = ops.broadcast_to(layers.Conv2D(1, 1, name="gate")(x), (2, 6, 6, 7))
    mean = layers.Dense(5, name="mean")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Concatenate()([x * gate, ops.broadcast_to(mean, (2, 6, 6, 5))])
    model = keras.Model(i, layers.Dense(2, name="out")(layers.GlobalMaxPooling2D()(x)))
    randomize(model)
    analysis = analysed(model, "keras3")
    assert {g.id for g in analysis.groups if g.prunable} == {"conv", "mean"}
    made = cut(analysis, {"conv": [0, 2, 3, 6], "mean": [1, 4]})
    assert self_check(analysis, made).max_abs_error < 1e-5


def test_slices_by_an_array_freeze() -> None:
    import tensorflow as tf

    keras = keras_of("tf_keras")
    i = keras.Input((6, 4))
    x = keras.layers.Dense(8, name="made")(i)
    y = tf.slice(x, np.array([0, 0, 2]), [-1, 6, 4])
    y = keras.layers.Dense(2, name="out")(keras.layers.Flatten()(y))
    groups = {g.id: g for g in analysed(keras.Model(i, y), "tf_keras").groups}
    assert "in a way the studio does not know" in groups["made"].reason


def test_a_strided_slice_with_an_ellipsis_and_a_new_axis_is_followed() -> None:
    """``x[..., 2:-1]``, ``x[:, 1, ..., None, :]`` and ``x[..., 3]`` as TensorFlow writes them."""
    import tensorflow as tf

    keras = keras_of("tf_keras")
    i = keras.Input((6, 4))
    x = keras.layers.Dense(8, name="made")(i)
    row = tf.strided_slice(x, [0, 2], [0, -1], [1, 1], 0, 0, ellipsis_mask=1)
    kept = keras.layers.Dense(3, name="row")(row)
    x = keras.layers.Dense(5, name="other")(x)
    at = tf.strided_slice(
        x, [0, 1, 0, 0, 0], [0, 2, 0, 0, 0], [1] * 5, 17, 17,
        ellipsis_mask=4, new_axis_mask=8, shrink_axis_mask=2,
    )  # fmt: skip
    at = keras.layers.Conv1D(4, 1, name="at")(at)
    one = tf.strided_slice(x, [0, 3], [0, 4], [1, 1], ellipsis_mask=1, shrink_axis_mask=2)
    flat = [keras.layers.Flatten()(y) for y in (kept, at, one)]
    out = keras.layers.Dense(2, name="out")(keras.layers.Concatenate()(flat))
    model = keras.Model(i, out)
    randomize(model)
    analysis = analysed(model, "tf_keras")
    free = {g.id: g.channels for g in analysis.groups if g.prunable}
    # Of "made" two before the row and five in it, of "other" three before the picked one.
    assert free == {"made": 2, "made#3": 5, "row": 3, "other": 3, "at": 4}
    made = cut(analysis, {"made": [1], "made#3": [0, 2, 4], "other": [0, 2], "at": [1, 2]})
    assert self_check(analysis, made).max_abs_error < 1e-5


def test_sizes_of_positions_leave_channels_free() -> None:
    groups = case("sizes_read", "tf_keras").analysis.groups
    assert {g.id for g in groups if g.prunable} == {"fine", "coarse", "kept", "rows", "last"}


@BOTH
def test_what_mixes_channels_goes_inexactly(family: str) -> None:
    groups = {g.id: g for g in case("gates_across", family).analysis.groups}
    asked = {name: group.on_request for name, group in groups.items() if group.on_request}
    assert asked == {"conv": "inexact", "other": "inexact"}
    assert "neighbouring channels" in groups["conv"].reason


def test_who_computes_with_the_number_of_channels_freezes_them() -> None:
    import tensorflow as tf

    keras = keras_of("tf_keras")
    layers = keras.layers

    def frozen(read):
        i = keras.Input((6, 6, 3))
        x = layers.Conv2D(5, 3, name="conv")(i)
        x = layers.GlobalAveragePooling2D()(x / tf.cast(read(x), "float32"))
        model = keras.Model(i, layers.Dense(2, name="out")(x))
        (group,) = [g for g in analysed(model, "tf_keras").groups if g.id == "conv"]
        return None if group.prunable else group.reason

    assert frozen(lambda x: tf.shape(x)[1]) is None
    assert frozen(lambda x: tf.unstack(tf.shape(x))[2]) is None
    for read in (
        lambda x: tf.shape(x)[-1],
        lambda x: tf.shape(x)[3],
        lambda x: tf.shape(x)[1:][2],
        lambda x: tf.unstack(tf.shape(x))[3],
        lambda x: tf.reduce_prod(tf.shape(x)),
        lambda x: (tf.shape(x) * 2)[3],
    ):
        assert "computes with the width of a layer" in frozen(read)


def test_neighbours_that_a_channel_is_divided_by_are_cut_inexactly() -> None:
    import tensorflow as tf

    layers = keras_of("tf_keras").layers
    i = layers.Input((6, 6, 3))
    x = tf.nn.local_response_normalization(layers.Conv2D(5, 3, name="conv")(i), 2)
    x = layers.Dense(2, name="out")(layers.Flatten()(x))
    groups = {g.id: g for g in analysed(keras_of("tf_keras").Model(i, x), "tf_keras").groups}
    assert groups["conv"].on_request == "inexact"
    assert "neighbours" in groups["conv"].reason


@BOTH
def test_stacked_branches_are_no_open_dimension_of_the_input(family: str) -> None:
    assert not case("selective_kernel", family).analysis.profile.notes
    assert len(analysed(build("tokens", family), family).profile.notes) == 1


def graph(family: str) -> Any:
    """One graph, its nodes and edges as rows: messages are picked and added up by number."""
    keras, layers = keras_of(family), keras_of(family).layers
    nodes = keras.Input((4,), batch_size=5, name="nodes")
    edges = keras.Input((2,), batch_size=5, dtype="int32", name="edges")
    x = layers.Dense(6, activation="relu", name="first")(nodes)
    message = operation(keras, "take")(x, edges[:, 0], axis=0)
    message = layers.Dense(5, activation="relu", name="message")(message)
    if family == "keras3":
        read = keras.ops.segment_sum(message, edges[:, 1], num_segments=5)
    else:
        read = operation(keras, "math").unsorted_segment_sum(message, edges[:, 1], 5)
    x = layers.Add(name="sum")([x, layers.Dense(6, name="update")(read)])
    return keras.Model([nodes, edges], layers.Dense(3, name="out")(x))


@BOTH
def test_channels_of_nodes_and_of_messages_go_exactly(family: str) -> None:
    model = graph(family)
    randomize(model)
    analysis = analysed(model, family)
    groups = {g.id: g.channels for g in analysis.groups if g.prunable}
    assert groups == {"first": 6, "message": 5}
    made = cut(analysis, {"first": [0, 2, 5], "message": [1, 4]})
    rng = np.random.default_rng(3)
    numbers = [rng.normal(size=(5, 4)), rng.integers(0, 5, (5, 2))]
    self_check(analysis, made, [n.astype(t) for n, t in zip(numbers, ("f4", "i4"), strict=True)])


@BOTH
def test_numbers_of_rows_are_no_larger_than_an_example_has(family: str) -> None:
    """A batch of nodes beside a batch of pairs of them: of one sample there is only row 0."""
    keras = keras_of(family)
    nodes = keras.Input((4,), name="nodes")
    pairs = keras.Input((2,), dtype="int32", name="pairs")
    x = keras.layers.Dense(3, name="dense")(nodes)
    if family == "keras3":
        x = keras.ops.take(x, pairs[:, 1], axis=0)
    else:
        import tensorflow as tf

        x = tf.gather(x, pairs[:, 1])
    model = keras.Model([nodes, pairs], keras.layers.Dense(2, name="out")(x))
    analysis = analysed(model, family)
    assert check_forward(model, analysis.framework) == 128
    assert np.all([group.prunable for group in analysis.groups if group.id == "dense"])
