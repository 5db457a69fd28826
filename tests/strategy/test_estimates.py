"""Prices by hand; nothing invented."""

from __future__ import annotations

import pytest

from pruning.strategy.estimates import Timed, price
from pruning.strategy.patterns import kept_weights
from pruning.strategy.plan import PruningPlan, Target
from pruning.strategy.planner import make_plan
from tests.strategy.profiles import CONTAINER, MODEL, small_profile, write_arrays

PROFILE = small_profile()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_arrays(tmp_path_factory.mktemp("arrays"))


def test_channels_by_hand(folder):
    priced = price(PROFILE, folder, PruningPlan(MODEL, ratios={"a": 0.5, "b": 0.5}))
    assert priced.kept == {"a": 4, "b": 8}
    assert priced.after["params"].value == 112 + 296 + 5130
    assert priced.after["params"].basis == "exact"
    assert priced.before["params"].value == 11642
    assert priced.after["flops"].value == 128 * (27 * 4 + 9 * 4 * 8) + 1280 * 8
    assert priced.after["bytes"].value == CONTAINER + 4 * 5538
    assert priced.before["bytes"].value == CONTAINER + 4 * 11642
    conv2 = priced.layers[1]
    assert (conv2.params_before, conv2.params_after) == (1168, 296)
    assert (conv2.width, conv2.kept_width, conv2.kept) == (16, 8, 0.5)
    flatten = priced.layers[2]
    assert (flatten.width, flatten.kept) == (0, 1.0)
    assert priced.achieved is None


def test_accuracy_is_never_guessed_and_latency_only_scaled(folder):
    plan = PruningPlan(MODEL, ratios={"a": 0.5, "b": 0.5})
    blank = price(PROFILE, folder, plan)
    for name in ("latency_ms", "accuracy"):
        assert blank.before[name].value is blank.after[name].value is None
        assert blank.before[name].basis is blank.after[name].basis is None
    known = price(PROFILE, folder, plan, latency=Timed(10.0), accuracy=0.9)
    assert known.before["accuracy"].value == 0.9
    assert known.before["accuracy"].basis == "measured"
    assert known.after["accuracy"].value is None
    share = known.after["flops"].value / known.before["flops"].value
    assert known.after["latency_ms"].value == pytest.approx(10 * share)
    assert known.after["latency_ms"].basis == "estimated"
    fixed = price(PROFILE, folder, plan, latency=Timed(10.0, fixed=0.4))
    assert fixed.before["latency_ms"].value == 10.0
    assert fixed.after["latency_ms"].value == pytest.approx(4 + 6 * share)


@pytest.mark.parametrize("changes", [
    {"ratios": {"a": 0.5}},
    {"method": "weights", "criterion": "magnitude", "ratios": {"dense": 0.75}},
])  # fmt: skip
def test_a_measured_gzip_size_replaces_the_estimate_and_scales_what_is_left(folder, changes):
    plan = PruningPlan(MODEL, **changes)
    guess = price(PROFILE, folder, plan)
    known = price(PROFILE, folder, plan, gzip_bytes=40_000)
    assert (known.before["gzip_bytes"].value, known.before["gzip_bytes"].basis) == (40_000, "exact")
    share = guess.after["gzip_bytes"].value / guess.before["gzip_bytes"].value
    assert share < 1
    assert known.after["gzip_bytes"].value == round(40_000 * share)
    assert known.after["gzip_bytes"].basis == "estimated"
    assert known.after["bytes"] == guess.after["bytes"]


def test_weights_by_hand(folder):
    plan = PruningPlan(
        MODEL, method="weights", criterion="magnitude", ratios={"dense": 0.75, "conv2": 0.5}
    )
    priced = price(PROFILE, folder, plan, latency=Timed(10.0))
    assert priced.after["params"] == priced.after["params"].__class__(
        11642, "exact", "Zeros are stored like any other weight."
    )
    assert priced.after["flops"].value == priced.before["flops"].value
    assert priced.kept["dense"] == kept_weights(10240, 0.75) == 2560
    assert priced.kept["conv1"] == 216
    assert priced.after["nonzero_params"].value == 11642 - 7680 - 576
    assert priced.after["sparsity"].value == pytest.approx(8256 / 11608)
    assert priced.after["bytes"].value == priced.before["bytes"].value
    assert priced.after["gzip_bytes"].value < 0.6 * priced.before["gzip_bytes"].value
    assert priced.after["gzip_bytes"].basis == "estimated"
    assert priced.after["latency_ms"].value == 10.0


def test_zeros_that_are_already_there_count(folder):
    layers = tuple(
        layer.__class__(**{**vars(layer), "zeros": 0.5 if layer.name == "dense" else 0.0})
        for layer in PROFILE.layers
    )
    profile = PROFILE.__class__(**{**vars(PROFILE), "layers": layers})
    plan = PruningPlan(MODEL, method="weights", criterion="magnitude", ratios={"dense": 0.25})
    priced = price(profile, folder, plan)
    assert priced.before["sparsity"].value == pytest.approx(5120 / 11608)
    assert priced.after["sparsity"].value == pytest.approx(5120 / 11608)
    assert priced.before["nonzero_params"].value == 11642 - 5120


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("channels", Target("params", 0.6)),
        ("channels", Target("flops", 0.4)),
        ("channels", Target("bytes", 0.7)),
        ("weights", Target("sparsity", 0.8)),
        ("weights", Target("params", 0.3)),
        ("weights", Target("bytes", 0.5)),
    ],
)
@pytest.mark.parametrize("scope", ["uniform", "layer", "global"])
def test_a_plan_achieves_its_target(folder, method, target, scope):
    plan = make_plan(PROFILE, folder, PruningPlan(method=method, target=target, scope=scope))
    achieved = price(PROFILE, folder, plan).achieved
    if method == "channels":
        assert target.value - 0.12 < achieved <= target.value  # eight channels are coarse
    else:
        assert achieved == pytest.approx(target.value, abs=2e-3)


def test_the_command_lines_form(folder):
    expected = price(PROFILE, folder, PruningPlan(MODEL)).expected()
    assert list(expected) == ["params", "flops", "bytes", "latency_ms", "accuracy"]
    assert expected["params"]["value"] == 11642
    assert expected["params"]["basis"] == "exact"


def test_equal_scores_are_noted(tmp_path):
    import numpy as np

    folder = write_arrays(tmp_path, np.concatenate([np.ones(8), np.arange(16.0)]))
    priced = price(PROFILE, folder, PruningPlan(MODEL, ratios={"a": 0.5, "b": 0.5}))
    assert len(priced.notes) == 1
    assert "All channels of a have the same score" in priced.notes[0]
    assert price(PROFILE, folder, PruningPlan(MODEL, ratios={"b": 0.5})).notes == ()
