"""Widths that are cut only when asked for: exact with a factor, or inexact and measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pruning import api
from pruning.errors import PlanError
from pruning.strategy.plan import PruningPlan, Training
from pruning.strategy.selection import kept_channels
from pruning.strategy.validation import check_plan
from pruning.surgery.channels import cut
from pruning.surgery.self_check import self_check
from tests.models import FAMILIES, build, keras_of, outputs, randomize, samples
from tests.surgery.cases import REQUESTED, analysed, case, flops_of

BOTH = pytest.mark.parametrize("family", FAMILIES)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@BOTH
def test_key_width_of_attention_against_numpy(family: str) -> None:
    """Removed key channels add nothing to the scores, whose divisor stays the original's."""
    keras = keras_of(family)
    i = keras.Input((5, 4), name="frames")
    x = keras.layers.MultiHeadAttention(2, 6, value_dim=3, name="attention")(i, i)
    model = keras.Model(i, x)
    randomize(model)
    analysis = analysed(model, family)
    group = next(g for g in analysis.groups if g.on_request == "rescaled")
    assert group.channels == 6
    assert not group.prunable
    kept = [0, 3, 5]
    made = cut(analysis, {group.id: kept})
    frames = samples(model)[0]
    wq, bq, wk, bk, wv, bv, wo, bo = model.get_layer("attention").get_weights()
    q = (np.einsum("btc,chk->bthk", frames, wq) + bq)[..., kept]
    k = (np.einsum("btc,chk->bthk", frames, wk) + bk)[..., kept]
    v = np.einsum("btc,chk->bthk", frames, wv) + bv
    scores = _softmax(np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(6))
    expected = np.einsum("bhts,bshv,hvo->bto", scores, v, wo) + bo
    np.testing.assert_allclose(outputs(made.model, [frames])[0], expected, atol=1e-5)
    assert made.model.get_layer("attention").get_config()["key_dim"] == 3
    factors = {e["weight"]: e.get("factor") for e in made.channels["layers"]["attention"]}
    assert factors == {
        0: pytest.approx(np.sqrt(0.5)),
        1: pytest.approx(np.sqrt(0.5)),
        2: None,
        3: None,
    }


@BOTH
def test_users_and_items_against_numpy(family: str) -> None:
    """A product of two embeddings sums over what is left of both."""
    keras = keras_of(family)
    user, item = keras.Input((4,), name="user"), keras.Input((3,), name="item")
    u, v = keras.layers.Dense(6, name="u")(user), keras.layers.Dense(6, name="v")(item)
    cosine = keras.layers.Dot(axes=1, normalize=True, name="cosine")([u, v])
    model = keras.Model([user, item], cosine)
    randomize(model)
    analysis = analysed(model, family)
    (group,) = analysis.groups
    assert (group.on_request, group.prunable, group.layers) == ("summed", False, ("u", "v"))
    made = cut(analysis, {"u": [0, 3, 5]})
    given = samples(model)
    w, b, w2, b2 = model.get_weights()
    left = (given[0] @ w + b)[:, [0, 3, 5]]
    right = (given[1] @ w2 + b2)[:, [0, 3, 5]]
    length = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    expected = (left * right).sum(1) / length
    np.testing.assert_allclose(outputs(made.model, given)[0][:, 0], expected, atol=1e-5)
    checked = self_check(analysis, made, given)
    assert checked.max_abs_error <= 1e-5
    assert checked.inexact == ()


@BOTH
def test_layer_normalization_normalises_over_what_is_left(family: str) -> None:
    keras = keras_of(family)
    i = keras.Input((4,), name="facts")
    x = keras.layers.Dense(6, name="wide")(i)
    x = keras.layers.LayerNormalization(name="norm")(x)
    model = keras.Model(i, keras.layers.Dense(2, name="out")(x))
    randomize(model)
    analysis = analysed(model, family)
    kept = [1, 2, 5]
    made = cut(analysis, {"wide": kept})
    facts = samples(model)[0]
    w, b, gamma, beta, w2, b2 = model.get_weights()
    wide = (facts @ w + b)[:, kept]
    normal = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-3)
    expected = (normal * gamma[kept] + beta[kept]) @ w2[kept] + b2
    np.testing.assert_allclose(outputs(made.model, [facts])[0], expected, atol=1e-5)
    checked = self_check(analysis, made, [facts])
    assert checked.inexact == ("wide",)
    all_normal = model.get_layer("norm")(facts @ w + b).numpy()
    whole = all_normal[:, kept] @ w2[kept] + b2
    assert checked.change == pytest.approx(np.abs(whole - expected).max(), rel=1e-4)
    assert checked.change > 1e-3
    assert checked.to_dict()["inexact"] == ["wide"]


@BOTH
def test_whole_groups_of_a_group_normalization_go_exactly(family: str) -> None:
    analysis = case("normalized", family).analysis
    groups = {g.id: g for g in analysis.groups}
    assert (groups["conv1"].channels, groups["conv1"].prunable) == (4, True)
    assert (groups["conv2"].channels, groups["conv2"].prunable) == (6, True)
    asked = [name for name, group in groups.items() if group.on_request == "inexact"]
    assert asked == ["conv3", "conv4", "hidden", "wide"]
    assert "normalises over all its channels" in str(groups["hidden"].reason)
    made = cut(analysis, {"conv1": [1, 3]})
    assert made.model.get_layer("groups").groups == 2
    assert self_check(analysis, made).max_abs_error <= 1e-5


@pytest.mark.parametrize("name", REQUESTED)
@BOTH
def test_a_cut_on_request_is_measured_and_costs_what_was_priced(name: str, family: str) -> None:
    made = case(name, family, True)
    checked = self_check(made.analysis, made.cut)
    assert checked.max_abs_error <= 1e-5
    inexact = [g.id for g in made.analysis.groups if g.on_request == "inexact"]
    assert list(checked.inexact) == inexact
    assert (checked.change is not None) == bool(inexact)
    layers = made.analysis.profile.layers
    counts = {g.id: g.channels for g in made.analysis.groups} | made.counts
    assert sum(x.params_cost.value(counts) for x in layers) == made.cut.model.count_params()
    cost = sum(x.flops_cost.value(counts) for x in layers)
    assert cost == flops_of(made.cut.model, made.analysis.framework)


def test_a_plan_cuts_them_only_when_it_says_so() -> None:
    analysis = case("attention", "keras3").analysis
    profile = analysis.profile
    asked = next(g for g in profile.groups if g.on_request == "inexact")
    plan = PruningPlan(model="digest", ratios={asked.id: 0.5})
    with pytest.raises(PlanError, match="Only on request"):
        check_plan(profile, plan)
    opened = PruningPlan(model="digest", ratios={asked.id: 0.5}, on_request=("inexact",))
    check_plan(profile, opened)
    kept = kept_channels(profile, opened, {asked.id: np.arange(asked.channels)})
    assert len(kept[asked.id]) == asked.channels - asked.channels // 2
    assert PruningPlan.from_dict(opened.to_dict()) == opened
    assert asked.id not in kept_channels(profile, PruningPlan(model="digest"), {})
    with pytest.raises(PlanError, match="nonsense"):
        PruningPlan(model="digest", on_request=("nonsense",))


@BOTH
def test_a_plan_on_request_from_file_to_file(family: str, tmp_path: Path) -> None:
    """The engine's own functions: the answer says what is inexact and by how much."""
    model = build("attention", family)
    path = tmp_path / "model.keras"
    model.save(path)
    usual = api.plan(path, "params=0.8", latency=False)
    opened = api.plan(
        path,
        "params=0.4",
        latency=False,
        on_request=("inexact", "rescaled"),
        training=Training(epochs=0),
    )
    assert set(usual.plan.ratios) < set(opened.plan.ratios)
    pruned = api.prune(path, opened.plan, out=tmp_path / "out").to_dict()
    check = pruned["self_check"]
    assert check["max_abs_error"] <= check["tolerance"]
    assert "embedding" in check["inexact"]
    assert check["change"] > 0
    assert pruned["params"]["after"] <= 0.4 * pruned["params"]["before"]
    assert pruned["params"]["after"] == opened.prices.after["params"].value
