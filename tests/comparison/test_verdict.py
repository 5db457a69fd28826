from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning import quantities
from pruning.comparison.result import Interval
from pruning.comparison.verdict import lost, verdict
from tests.comparison.records import comparison


def test_interval_over_zero_shows_no_loss() -> None:
    assert verdict(comparison()) == (
        "2.1× fewer FLOPs, 1.8× faster, accuracy −0.3 points (95 %: −0.8 to +0.2): "
        "no loss shown on 2,000 test samples."
    )


def test_a_loss_is_called_a_loss() -> None:
    said = verdict(comparison(difference=Interval(-0.023, -0.031, -0.015)))
    assert said.endswith("accuracy fell by 2.3 points (95 %: −3.1 to −1.5) on 2,000 test samples.")


def test_a_gain_is_called_a_gain() -> None:
    said = verdict(comparison(difference=Interval(0.009, 0.002, 0.016)))
    assert said.endswith(
        "accuracy rose by 0.9 points (95 %: +0.2 to +1.6) on 2,000 test samples: a gain."
    )


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-0.021, -0.0004, "by 1.20 points (95 %: −2.10 to −0.04)"),
        (-0.021, -0.00003, "by 1.200 points (95 %: −2.100 to −0.003)"),
        (-0.021, -0.0006, "by 1.2 points (95 %: −2.1 to −0.1)"),
    ],
)
def test_the_end_of_a_loss_is_never_written_as_none(low: float, high: float, words: str) -> None:
    said = verdict(comparison(difference=Interval(-0.012, low, high)))
    assert said.endswith(f"accuracy fell {words} on 2,000 test samples.")


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_the_verdict_and_the_figures_round_alike(before: int, after: int) -> None:
    # The paired difference and the difference of two shares differ in their last bits.
    paired, shares = (after - before) / 2000, after / 2000 - before / 2000
    said = verdict(comparison(difference=Interval(paired, -1.0, 1.0)))
    assert f"accuracy {quantities.points(shares)} (95 %" in said


def test_regression_errors_that_grow_are_a_loss() -> None:
    shared = {
        "task": "regression",
        "metric": "mae",
        "before": Interval(2.0, 1.9, 2.1),
        "chance": 9.0,
    }
    worse = verdict(comparison(difference=Interval(0.125, 0.05, 0.2), **shared))
    assert worse.endswith(
        "mean absolute error rose by 0.125 (95 %: +0.050 to +0.200) on 2,000 test samples."
    )
    better = verdict(comparison(difference=Interval(-0.125, -0.2, -0.05), **shared))
    assert better.endswith(
        "mean absolute error fell by 0.125 (95 %: −0.200 to −0.050) on 2,000 test samples: a gain."
    )
    same = verdict(comparison(difference=Interval(0.0, -0.2, 0.2), **shared))
    assert same.endswith(
        "mean absolute error ±0.000 (95 %: −0.200 to +0.200): no loss shown on 2,000 test samples."
    )


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (Interval(17.018, 16.57, 17.46), "rose by 17.0 (95 %: +16.6 to +17.5)"),
        (Interval(25_123.0, 24_000.0, 26_250.0), "rose by 25,123 (95 %: +24,000 to +26,250)"),
        (Interval(1.2e-4, 1e-4, 1.4e-4), "rose by 0.000120 (95 %: +0.000100 to +0.000140)"),
    ],
)
def test_an_error_and_its_interval_have_the_same_digits(difference: Interval, words: str) -> None:
    said = verdict(
        comparison(task="regression", metric="mae", before=Interval(2.0, 1.9, 2.1), chance=9.0,
                   difference=difference)
    )  # fmt: skip
    assert words in said


@pytest.mark.parametrize(
    ("metric", "difference", "answer"),
    [
        ("accuracy", Interval(-0.1, -0.2, -0.01), True),
        ("accuracy", Interval(-0.1, -0.2, 0.0), False),
        ("accuracy", Interval(0.1, 0.01, 0.2), False),
        ("mae", Interval(0.1, 0.01, 0.2), True),
        ("mae", Interval(-0.1, -0.2, -0.01), False),
    ],
)
def test_a_loss_is_one_when_the_whole_interval_says_so(metric, difference, answer) -> None:
    assert lost(comparison(metric=metric, difference=difference)) is answer


def test_multilabel_names_its_metric() -> None:
    said = verdict(comparison(task="multilabel", metric="macro_f1", samples=1))
    assert said.endswith(
        "macro F1 −0.3 points (95 %: −0.8 to +0.2): no loss shown on 1 test sample."
    )


def test_zeros_do_not_make_it_faster() -> None:
    said = verdict(
        comparison(
            flops=(420_000, 420_000), params=(1000, 1000), nonzero=(1000, 200), gzip=(4600, 2000),
            latency=(1.8, 1.0),
        )
    )  # fmt: skip
    assert said.startswith(
        "80 % of parameters zero, gzip 2.3× smaller, not faster on x86, accuracy"
    )


@pytest.mark.parametrize(
    ("latency", "words"),
    [
        ((1.0, 1.02), "2.1× fewer FLOPs, no faster, accuracy"),
        ((1.0, 1.3), "2.1× fewer FLOPs, 1.3× slower, accuracy"),
        ((None, None), "2.1× fewer FLOPs, accuracy"),
    ],
)
def test_latency_is_said_as_measured(latency, words) -> None:
    assert verdict(comparison(latency=latency)).startswith(words)


def test_only_parameters_went() -> None:
    said = verdict(comparison(flops=(100, 100), params=(1000, 500), nonzero=(1000, 500)))
    assert said.startswith("2.0× fewer parameters, 1.8× faster, ")


def test_nothing_went() -> None:
    said = verdict(
        comparison(
            flops=(9, 9), params=(9, 9), nonzero=(9, 9), difference=Interval(0, -0.002, 0.002)
        )
    )
    assert said == (
        "same size and FLOPs, 1.8× faster, accuracy ±0.0 points (95 %: −0.2 to +0.2): "
        "no loss shown on 2,000 test samples."
    )


def test_keeping_what_chance_gives_is_no_success() -> None:
    said = verdict(comparison(before=Interval(0.11, 0.09, 0.13)))
    assert "no loss shown" not in said
    assert said.endswith("but the model was no better than chance before.")


@given(st.floats(-0.5, 0.5), st.floats(0, 0.2), st.floats(0, 0.2))
def test_words_follow_the_interval(value: float, below: float, above: float) -> None:
    difference = Interval(value, value - below, value + above)
    said = verdict(comparison(before=Interval(0.5, 0.48, 0.52), difference=difference))
    assert ("fell by" in said) == (difference.high < 0)
    assert ("rose by" in said) == (difference.low > 0)
    assert ("no loss shown" in said) == (difference.low <= 0 <= difference.high)


@pytest.mark.parametrize(
    ("interval", "words", "is_loss"),
    [
        (Interval(-0.02, -0.03, -0.01), "mean IoU fell by 2.0 points (95 %: −3.0 to −1.0).", True),
        (Interval(-0.02, -0.05, 0.01), "mean IoU −2.0 points (95 %: −5.0 to +1.0).", False),
        (Interval(0.02, 0.01, 0.03), "mean IoU rose by 2.0 points (95 %: +1.0 to +3.0).", False),
    ],
)
def test_of_pixels_the_mean_iou_follows_and_its_loss_is_one(
    interval: Interval, words: str, is_loss: bool
) -> None:
    found = replace(comparison(), detail_differences={"mean_iou": interval})
    assert verdict(found).endswith(f": no loss shown on 2,000 test samples; {words}")
    assert lost(found) is is_loss
