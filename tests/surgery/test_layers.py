"""Blocks left out: exact against the original with the block's last layer set to zero by hand."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning.analysis import liveness
from pruning.errors import PlanError, SelfCheckError
from pruning.frameworks._base import framework
from pruning.surgery.layers import check_removal, remove
from tests import models
from tests.models import deep
from tests.surgery.cases import analysed, weights_by_path

FAMILIES = pytest.mark.parametrize("family", models.FAMILIES)
NAMES = ("residual_deep", "transformer_pre", "transformer_post", "operator_blocks", "nested_twice")


@cache
def analysis_of(name: str, family: str):
    model = deep.BUILDERS[name](models.keras_of(family))
    models.randomize(model)
    return analysed(model, family)


def zeroed(model, family: str, *names: str):
    """A copy in which layers make zeros: weights 0 (attention: the last projection)."""
    copy = framework(family).copy(model)
    for name in names:
        layer = copy.get_layer(name)
        weights = layer.get_weights()
        keep = 6 if "attention" in name else 0
        layer.set_weights(weights[:keep] + [np.zeros_like(w) for w in weights[keep:]])
    return copy


@FAMILIES
@pytest.mark.parametrize(
    ("name", "blocks", "last"),
    [
        ("residual_deep", ["a_add"], ["a_conv3"]),
        ("residual_deep", ["a_add", "b_add"], ["a_conv3", "b_conv3"]),
        ("residual_deep", ["c_add"], ["c_conv"]),
        ("residual_deep", ["b_add", "c_add", "d_add"], ["b_conv3", "c_conv", "d_conv"]),
        ("transformer_pre", ["first_add1"], ["first_attention"]),
        ("transformer_pre", ["second_add2"], ["second_dense2"]),
        ("transformer_pre", ["first_add1..first_add2"], ["first_attention", "first_dense2"]),
        ("transformer_post", ["first_add2", "second_add2"], ["first_dense2", "second_dense2"]),
        ("operator_blocks", None, ["outer"]),
    ],
)
def test_a_branch_that_answers_zero_can_go_unseen(family, name, blocks, last) -> None:
    analysis = analysis_of(name, family)
    blocks = blocks or [analysis.profile.blocks[0].id]
    x = models.samples(analysis.model, 6)
    if name == "transformer_post":
        x = [np.maximum(x[0], 1)]  # without padding: Keras 3's attention takes masks off its input
    silent = zeroed(analysis.model, family, *last)
    removal = remove(analysis, blocks)
    expected = models.outputs(silent, x)[0]
    np.testing.assert_allclose(models.outputs(removal.model, x)[0], expected, atol=1e-5)
    # With the weights zeroed, nothing at all is seen of the removal.
    again = remove(analysed(silent, family), blocks)
    np.testing.assert_allclose(models.outputs(again.model, x)[0], expected, atol=1e-5)
    assert abs(models.outputs(analysis.model, x)[0] - expected).max() > 1e-3


@FAMILIES
@pytest.mark.parametrize("name", NAMES)
def test_all_blocks_in_turn_and_all_together(family: str, name: str) -> None:
    analysis = analysis_of(name, family)
    before = [weight.copy() for weight in analysis.model.get_weights()]
    names = [block.id for block in analysis.profile.removable_blocks]
    assert names
    for chosen in [*([n] for n in names), names, *list(combinations(names, 2))[:6]]:
        removal = remove(analysis, chosen)
        assert check_removal(analysis, removal).max_abs_error <= 1e-5
        params, _ = liveness.left(analysis.profile, chosen)
        assert removal.model.count_params() == sum(params.values())
        kept = weights_by_path(removal.model, analysis.framework)
        gone = removal.layers["removed"]
        whole = weights_by_path(analysis.model, analysis.framework)
        assert set(whole) - set(kept) - {"branch", "shared"} == set(gone) & set(whole)
        for path, weights in kept.items():
            assert all(map(np.array_equal, weights, whole[path]))
    after = analysed(removal.model, family).profile
    assert after.flops == sum(liveness.left(analysis.profile, chosen)[1].values())
    for one, other in zip(before, analysis.model.get_weights(), strict=True):
        assert np.array_equal(one, other)


@FAMILIES
@pytest.mark.parametrize("name", NAMES)
def test_plain_keras_reads_the_saved_model(family: str, name: str, tmp_path) -> None:
    analysis = analysis_of(name, family)
    names = [block.id for block in analysis.profile.removable_blocks]
    removal = remove(analysis, names)
    path = tmp_path / "model.keras"
    analysis.framework.save(removal.model, path)
    again = models.keras_of(family).models.load_model(path, compile=False)
    x = models.samples(analysis.model)
    np.testing.assert_array_equal(models.outputs(again, x)[0], models.outputs(removal.model, x)[0])


@FAMILIES
def test_a_sequential_model_loses_its_layer(family: str) -> None:
    keras = models.keras_of(family)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, name="entry"),
            keras.layers.Dense(5, name="same"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.ReLU(name="relu"),
            keras.layers.Dense(2, name="last"),
        ]
    )
    models.randomize(model)
    analysis = analysed(model, family)
    removal = remove(analysis, ["same"])
    assert [layer.name for layer in removal.model.layers] == ["entry", "last"]
    x = models.samples(model)[0]
    (a, b), (c, d) = (model.get_layer(name).get_weights() for name in ("entry", "last"))
    np.testing.assert_allclose(
        models.outputs(removal.model, [x])[0], (x @ a + b) @ c + d, atol=1e-5
    )
    assert removal.layers == {
        "format": 1,
        "blocks": [
            {
                "id": "same",
                "kind": "layer",
                "output_of": "relu",
                "replaced_by_output_of": "entry",
                "calls": [{"output_of": "relu", "replaced_by_output_of": "entry"}],
            }
        ],
        "removed": ["same", "norm", "relu"],
    }


@FAMILIES
def test_a_stateful_model_that_ran_before_is_checked_from_its_start(family: str) -> None:
    keras = models.keras_of(family)
    i = keras.Input(batch_shape=(2, 5, 4))
    settings = {"return_sequences": True, "stateful": True}
    x = keras.layers.LSTM(6, **settings, name="entry")(i)
    x = keras.layers.LSTM(6, **settings, name="same")(x)
    x = keras.layers.Add(name="sum")([x, keras.layers.GRU(6, **settings, name="branch")(x)])
    model = keras.Model(i, keras.layers.Dense(2, name="out")(x))
    models.randomize(model)
    analysis = analysed(model, family)
    model(models.samples(model, 2)[0])  # leaves states behind
    for blocks in (["same"], ["sum"], ["same", "sum"]):
        removal = remove(analysis, blocks)
        assert check_removal(analysis, removal).max_abs_error <= 1e-5


@FAMILIES
def test_the_record_says_which_answer_of_a_layer_is_meant(family: str) -> None:
    """The shortcut is the second answer of a layer that is called twice."""
    keras = models.keras_of(family)
    i = keras.Input((4,))
    twice = keras.layers.Dense(5, name="twice")
    x = twice(keras.layers.Dense(4, name="entry")(twice(i)[:, :4]))
    y = keras.layers.Dense(5, name="branch")(x)
    x = keras.layers.Add(name="sum")([x, y])
    model = keras.Model(i, keras.layers.Dense(2, name="out")(x))
    models.randomize(model)
    analysis = analysed(model, family)
    removal = remove(analysis, ["sum"])
    assert removal.layers["blocks"][0]["calls"] == [
        {"output_of": "sum", "replaced_by_output_of": "twice", "replaced_by_output_number": 1}
    ]
    assert check_removal(analysis, removal).max_abs_error <= 1e-6


@FAMILIES
def test_a_highway_block_is_left_out_exactly(family: str) -> None:
    """What is left is the first and the last layer, by hand."""
    model = deep.highway(models.keras_of(family))
    models.randomize(model)
    removal = remove(analysed(model, family), ["sum"])
    x = models.samples(model)[0]
    (a, b), (c, d) = (model.get_layer(name).get_weights() for name in ("entry", "out"))
    np.testing.assert_allclose(
        models.outputs(removal.model, [x])[0], (x @ a + b) @ c + d, atol=1e-5
    )
    assert removal.model.count_params() == 4 * 5 + 5 + 5 * 2 + 2


@FAMILIES
def test_a_whole_block_holds_its_branches(family: str) -> None:
    analysis = analysis_of("transformer_pre", family)
    whole = remove(analysis, ["first_add1..first_add2"])
    both = remove(analysis, ["first_add2", "first_add1..first_add2"])
    assert both.layers["removed"] == whole.layers["removed"]
    x = models.samples(analysis.model)
    assert np.array_equal(models.outputs(both.model, x)[0], models.outputs(whole.model, x)[0])


def test_unknown_and_frozen_blocks_are_refused() -> None:
    analysis = analysis_of("residual_deep", "keras3")
    with pytest.raises(PlanError, match="does not exist"):
        remove(analysis, ["nothing"])
    keras = models.keras_of("keras3")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, name="only")])
    with pytest.raises(PlanError, match="makes the model's output"):
        remove(analysed(model, "keras3"), ["only"])


@FAMILIES
def test_a_wrong_model_does_not_pass_the_check(family: str) -> None:
    analysis = analysis_of("residual_deep", family)
    removal = remove(analysis, ["a_add"])
    kernel, bias = removal.model.get_layer("stem").get_weights()
    removal.model.get_layer("stem").set_weights([kernel, bias + 0.1])
    with pytest.raises(SelfCheckError, match="differs from what it should be"):
        check_removal(analysis, removal)


@settings(max_examples=15)
@given(data=st.data())
def test_any_choice_of_blocks_is_priced_and_proved(data) -> None:
    analysis = analysis_of(
        data.draw(st.sampled_from(NAMES)), data.draw(st.sampled_from(models.FAMILIES))
    )
    names = [block.id for block in analysis.profile.removable_blocks]
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    removal = remove(analysis, chosen)
    assert check_removal(analysis, removal).max_abs_error <= 1e-5
    params, _ = liveness.left(analysis.profile, chosen)
    assert removal.model.count_params() == sum(params.values())
