"""Blocks found in the graph: which, what they hold, why some cannot go."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from pruning.analysis import liveness
from pruning.analysis.block_search import NO_SHORTCUT
from pruning.analysis.blocks import MAKES_ONE_OUTPUT, MAKES_OUTPUT, READ_ASIDE
from pruning.analysis.profile import ModelProfile
from tests import models
from tests.models import deep
from tests.surgery.cases import analysed

FAMILIES = pytest.mark.parametrize("family", models.FAMILIES)


def profile_of(name: str, family: str) -> ModelProfile:
    builder = deep.BUILDERS.get(name) or models.BUILDERS[name]
    return analysed(builder(models.keras_of(family)), family).profile


@FAMILIES
def test_residual_blocks_with_what_they_hold(family: str) -> None:
    profile = profile_of("residual_deep", family)
    block = profile.block("a_add")
    assert (block.kind, block.source, block.target) == ("residual", "stem", "a_add")
    assert block.layers == ("a_conv1", "a_bn", "a_conv2", "a_conv3", "a_add")
    # By hand: 1x1 4 to 3, BatchNorm of 3, 3x3 3 to 4 and 4 to 4 with biases.
    assert block.params == 12 + 12 + (108 + 4) + (144 + 4)
    assert block.flops == 2 * 64 * (12 + 108 + 144)
    assert (block.shape, block.axis, block.within) == ((8, 8, 4), 3, ())
    inner = profile.block("a_conv3")
    assert (inner.kind, inner.layers, inner.within) == ("layer", ("a_conv3",), ("a_add",))
    assert inner.flops == 2 * 64 * 144
    assert profile.block("same").layers == ("same", "drop")


@FAMILIES
def test_a_branch_beside_a_projection_or_a_pooled_shortcut_goes_alone(family: str) -> None:
    profile = profile_of("residual_deep", family)
    projected, pooled = profile.block("c_add"), profile.block("d_add")
    assert (projected.kind, projected.source) == ("residual", "c_short")
    assert (pooled.kind, pooled.source) == ("residual", "d_pool")
    assert projected.layers == ("c_conv", "c_add")
    assert pooled.layers == ("d_conv", "d_add")
    # By hand: 3x3 convolutions, 4 to 6 and 6 to 6 with biases, at 4x4 and 2x2 positions.
    assert (projected.params, pooled.params) == (216 + 6, 324 + 6)
    assert (projected.flops, pooled.flops) == (2 * 16 * 216, 2 * 4 * 324)
    assert all(block.removable for block in profile.blocks)


@FAMILIES
@pytest.mark.parametrize(
    ("branch", "shortcut", "reason"),
    [
        ((6, 3), (6, 3), NO_SHORTCUT),
        (
            (6, 3),
            (1, 1),
            "Its shortcut passes 'short', which makes 8×8×1 where the sum has 8×8×6. "
            "Nothing could be read in place of the block's output.",
        ),
    ],
)
def test_a_sum_without_a_shortcut_of_its_form_is_told_of(family, branch, shortcut, reason) -> None:
    keras = models.keras_of(family)
    i = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 1, name="stem")(i)
    y, z = (
        keras.layers.Conv2D(filters, kernel, padding="same", name=name)(x)
        for name, (filters, kernel) in (("long", branch), ("short", shortcut))
    )
    x = keras.layers.Flatten()(keras.layers.Add(name="sum")([y, z]))
    profile = analysed(keras.Model(i, keras.layers.Dense(2, name="out")(x)), family).profile
    block = profile.block("sum")
    assert (block.removable, block.reason) == (False, reason)
    assert block.layers == ("long", "short", "sum")


@FAMILIES
@pytest.mark.parametrize(("name", "last"), [("pre", "add2"), ("post", "norm2")])
def test_transformer_blocks_and_their_branches(family: str, name: str, last: str) -> None:
    profile = profile_of(f"transformer_{name}", family)
    for block in ("first", "second"):
        whole = profile.block(f"{block}_add1..{block}_add2")
        assert (whole.kind, whole.target) == ("transformer", f"{block}_{last}")
        # Attention: 3 x (6x2x3 + 6) + 6x6 + 6; dense: 6x7 + 7 + 7x6 + 6; two LayerNorms of 12.
        assert whole.params == 3 * (36 + 6) + 36 + 6 + 42 + 7 + 42 + 6 + 24
        for branch in ("add1", "add2"):
            assert profile.block(f"{block}_{branch}").within == (whole.id,)
    assert len(profile.blocks) == 6
    assert profile.block("first_add2").layers[-3:] == ("first_dense1", "first_dense2", "first_add2")


@FAMILIES
def test_operators_make_blocks_too(family: str) -> None:
    profile = profile_of("operator_blocks", family)
    assert [(b.kind, b.source, len(b.layers)) for b in profile.blocks] == [
        ("residual", "entry", 3),
        ("gate", profile.blocks[0].id, 3),
    ]
    assert [b.params for b in profile.blocks] == [5 * 4 + 4 + 4 * 5 + 5, 5 * 2 + 2 + 2 * 5 + 5]


@FAMILIES
def test_a_block_of_a_nested_model_goes_in_all_its_calls(family: str) -> None:
    profile = profile_of("nested_twice", family)
    assert [b.id for b in profile.blocks] == ["shared/sum", "shared/last", "branch/same", "around"]
    block = profile.block("shared/sum")
    assert len(block.bypasses) == 2
    assert block.params == 5 * 4 + 4 + 4 * 5 + 5
    assert block.flops == 2 * 2 * (20 + 20)


@FAMILIES
def test_what_makes_the_output_stays(family: str) -> None:
    keras = models.keras_of(family)
    i = keras.Input((3,))
    x = keras.layers.Dense(3, activation="relu", name="hidden")(i)
    y = keras.layers.Dense(3, name="last")(x)
    profile = analysed(keras.Model(i, y), family).profile
    assert {b.id: b.reason for b in profile.blocks} == {"hidden": None, "last": MAKES_OUTPUT}


@FAMILIES
def test_an_input_that_only_a_block_reads_keeps_it(family: str) -> None:
    keras = models.keras_of(family)
    i, j = keras.Input((4,), name="facts"), keras.Input((5, 4), name="memory")
    x = keras.layers.Reshape((1, 4), name="one")(i)
    y = keras.layers.MultiHeadAttention(2, 2, name="cross")(x, j)
    x = keras.layers.Flatten(name="flat")(keras.layers.Add(name="sum")([x, y]))
    profile = analysed(keras.Model([i, j], keras.layers.Dense(2)(x)), family).profile
    assert [b.reason for b in profile.blocks] == ["Nothing else reads the model's input 'memory'."]


@FAMILIES
@pytest.mark.parametrize("middle", [False, True])
def test_a_block_stays_when_an_answer_nobody_reads_is_computed_from_its_middle(
    family: str, middle: bool
) -> None:
    keras = models.keras_of(family)
    i = keras.Input((4,), name="inner")
    x = keras.layers.Dense(5, name="wide")(i)
    y = keras.layers.Add(name="sum")([i, keras.layers.Dense(4, name="narrow")(x)])
    unread = keras.layers.Dense(2, name="unread")(x if middle else y)
    encoder = keras.Model(i, [y, unread], name="encoder")
    j = keras.Input((4,), name="values")
    model = keras.Model(j, keras.layers.Dense(3, name="logits")(encoder(j)[0]))
    profile = analysed(model, family).profile
    (block,) = profile.blocks
    assert block.reason == (READ_ASIDE if middle else None)
    assert block.params == (4 * 5 + 5) + (5 * 4 + 4)
    assert profile.params == model.count_params()
    # What nobody reads has weights and no work, and stays in the nested model.
    assert (profile.layer("encoder/unread").params, profile.layer("encoder/unread").flops) == (
        ((5 if middle else 4) * 2 + 2), 0
    )  # fmt: skip
    if not middle:
        params, _ = liveness.left(profile, (block.id,))
        assert sum(params.values()) == profile.params - block.params


@FAMILIES
def test_blocks_come_back_from_json(family: str) -> None:
    profile = profile_of("nested_twice", family)
    again = ModelProfile.from_dict(json.loads(json.dumps(profile.to_dict())))
    assert again == profile
    old = {k: v for k, v in profile.to_dict().items() if k not in ("calls", "ends", "blocks")}
    assert ModelProfile.from_dict(old).blocks == ()


@FAMILIES
@pytest.mark.parametrize("name", ["residual_deep", "nested_twice", "lstm", "attention"])
def test_calls_add_up_to_the_profile(family: str, name: str) -> None:
    profile = profile_of(name, family)
    params, flops = liveness.left(profile, ())
    assert params == {layer.name: layer.params for layer in profile.layers}
    assert flops == {layer.name: layer.flops for layer in profile.layers}


@FAMILIES
def test_resnet50v2_and_mobilenetv2(family: str) -> None:
    """16 blocks, of which 4 have a projection and 3 a pooled shortcut; 10 of 17 with an addition.

    Of a block with a projection the branch goes, and the projection stays. Blocks and layers of
    the published architectures, counted by hand.
    """
    applications = models.keras_of(family).applications
    resnet = analysed(applications.ResNet50V2(weights=None, input_shape=(32, 32, 3)), family)
    blocks = resnet.profile.blocks
    kinds = Counter((block.kind, block.removable) for block in blocks)
    assert kinds["residual", True] == 16
    assert kinds["residual", False] == 0
    mobile = analysed(applications.MobileNetV2(weights=None, input_shape=(32, 32, 3)), family)
    kinds = Counter((block.kind, block.removable) for block in mobile.profile.blocks)
    # Depthwise convolutions of stride 1: the first, and 12 of the 16 that follow an expansion.
    assert kinds == {("residual", True): 10, ("layer", True): 13}


@FAMILIES
@pytest.mark.parametrize("merge", ["difference", "mean", "maximum", "minimum"])
def test_a_branch_that_is_subtracted_averaged_or_compared_is_residual(
    family: str, merge: str
) -> None:
    keras = models.keras_of(family)
    i = keras.Input((4,))
    x = keras.layers.Dense(5, name="entry")(i)
    y = keras.layers.Dense(5, name="branch")(x)
    if merge == "difference":
        out = keras.layers.Subtract(name="sum")([x, y])
        other = keras.layers.Subtract(name="turned")([keras.layers.Dense(5, name="d")(out), out])
    else:
        layer = {"mean": "Average", "maximum": "Maximum", "minimum": "Minimum"}[merge]
        out = getattr(keras.layers, layer)(name="sum")([y, x])
        d = keras.layers.Dense(5, name="d")(out)
        other = getattr(keras.layers, layer)(name="turned")([out, d])
    profile = analysed(keras.Model(i, keras.layers.Dense(2, name="out")(other)), family).profile
    assert (profile.block("sum").kind, profile.block("sum").source) == ("residual", "entry")
    assert profile.block("sum").layers == ("branch", "sum")
    # What is taken from a branch is no shortcut: without the branch its sign would be another.
    names = ["sum", "d"] if merge == "difference" else ["sum", "turned"]
    assert [block.id for block in profile.blocks] == names


@FAMILIES
def test_a_highway_block_begins_where_its_gate_does(family: str) -> None:
    """A gate t that opens the branch as it closes the shortcut: neither term can stay alone."""
    block = analysed(deep.highway(models.keras_of(family)), family).profile.block("sum")
    assert (block.kind, block.source, block.removable) == ("residual", "entry", True)
    assert block.params == 2 * (5 * 5 + 5)


@FAMILIES
def test_branches_that_do_equal_work_go_together_where_their_origin_has_the_sums_form(
    family: str,
) -> None:
    keras = models.keras_of(family)
    i = keras.Input((4,))
    x = keras.layers.Dense(5, name="entry")(i)
    pair = [keras.layers.Dense(5, name=name)(x) for name in ("one", "other")]
    x = keras.layers.Add(name="sum")(pair)
    profile = analysed(keras.Model(i, keras.layers.Dense(2, name="out")(x)), family).profile
    block = profile.block("sum")
    assert (block.source, block.layers) == ("entry", ("one", "other", "sum"))


@FAMILIES
def test_a_sum_of_one_layers_answers_is_no_block(family: str) -> None:
    """Rotated positions: all work is done before the ways part, so that no branch has any."""
    keras = models.keras_of(family)
    i = keras.Input((3, 4))
    x = keras.layers.Dense(4, name="entry")(i)
    q = keras.layers.Dense(4, name="query")(x)
    turned = keras.layers.Concatenate()([-1.0 * q[..., 2:], q[..., :2]])
    x = keras.layers.Add(name="sum")([0.6 * q, 0.8 * turned])
    x = keras.layers.Flatten()(x)
    profile = analysed(keras.Model(i, keras.layers.Dense(2, name="out")(x)), family).profile
    assert [block.id for block in profile.blocks] == ["entry", "query"]


@FAMILIES
@pytest.mark.parametrize(("settings", "found"), [({"strides": 2}, False), ({}, True)])
def test_an_open_dimension_that_becomes_another_is_no_form_that_is_kept(
    family: str, settings: dict, found: bool
) -> None:
    keras = models.keras_of(family)
    i = keras.Input((None, 3))
    x = keras.layers.Conv1D(4, 3, padding="same", name="entry")(i)
    x = keras.layers.Conv1D(4, 3, padding="same", name="half", **settings)(x)
    model = keras.Model(i, keras.layers.Dense(2, name="out")(x))
    assert [b.id for b in analysed(model, family).profile.blocks] == ["half"] * found


@FAMILIES
def test_what_makes_one_of_several_outputs_stays(family: str) -> None:
    keras = models.keras_of(family)
    i = keras.Input((4,))
    x = keras.layers.Dense(5, name="entry")(i)
    x = keras.layers.Add(name="sum")([x, keras.layers.Dense(5, name="branch")(x)])
    profile = analysed(keras.Model(i, [x, keras.layers.Dense(2, name="out")(x)]), family).profile
    assert {b.id: b.reason for b in profile.blocks} == {"sum": MAKES_ONE_OUTPUT}
