import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.comparison import intervals
from pruning.comparison.intervals import bootstrap, bootstrap_mean, paired_proportions, wilson


@st.composite
def paired_counts(draw: st.DrawFn) -> tuple[int, int, int]:
    trials = draw(st.integers(1, 5000))
    lost = draw(st.integers(0, trials))
    gained = draw(st.integers(0, trials - lost))
    return lost, gained, trials


def test_wilson_equals_newcombes_published_table() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
    for successes, trials, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        interval = wilson(successes, trials)
        assert interval.value == successes / trials
        assert interval.low == pytest.approx(low, abs=5e-5)
        assert interval.high == pytest.approx(high, abs=5e-5)


def test_tango_equals_the_published_example() -> None:
    # Airway hyper-responsiveness, Fagerland, Lydersen & Laake (2014): 1, 1, 7, 12;
    # Tango's interval is printed as -0.517 to -0.026.
    interval = paired_proportions(only_before=7, only_after=1, trials=21)
    assert interval.value == pytest.approx(-6 / 21)
    assert round(interval.low, 3) == -0.517
    assert round(interval.high, 3) == -0.026


def test_nothing_changed_still_has_a_width() -> None:
    # Without a changed answer the limits are +-z^2 / (n + z^2).
    interval = paired_proportions(0, 0, 2000)
    assert interval.value == 0
    assert interval.high == pytest.approx(3.841459 / (2000 + 3.841459), rel=1e-6)
    assert interval.low == pytest.approx(-interval.high, rel=1e-6)


@given(paired_counts())
def test_paired_interval_is_symmetric_and_holds_its_value(counts: tuple[int, int, int]) -> None:
    lost, gained, trials = counts
    interval, mirror = (
        paired_proportions(lost, gained, trials),
        paired_proportions(*counts[1::-1], trials),
    )
    assert -1 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low == pytest.approx(-mirror.high, abs=1e-9)
    assert interval.high == pytest.approx(-mirror.low, abs=1e-9)


@given(paired_counts())
def test_paired_interval_leaves_out_zero_exactly_when_mcnemar_rejects(
    counts: tuple[int, int, int],
) -> None:
    lost, gained, trials = counts
    interval = paired_proportions(lost, gained, trials)
    statistic = (gained - lost) ** 2 / (gained + lost) if gained + lost else 0.0
    if abs(statistic - intervals.Z**2) > 1e-6:
        assert (interval.low > 0 or interval.high < 0) == (statistic > intervals.Z**2)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_stays_inside_and_mirrors(counts: tuple[int, int]) -> None:
    successes, trials = counts
    interval, mirror = wilson(successes, trials), wilson(trials - successes, trials)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low < interval.high
    assert interval.low == pytest.approx(1 - mirror.high, abs=1e-12)


def test_tango_covers_the_truth_as_often_as_it_says() -> None:
    # 95 % of 2,000 draws, give or take three standard errors of the simulation (1.5 %).
    generator = np.random.default_rng(3)
    draws = generator.multinomial(300, [0.04, 0.02, 0.94], size=2000)
    covered = [
        interval.low <= -0.02 <= interval.high
        for interval in (paired_proportions(int(b), int(a), 300) for b, a, _ in draws)
    ]
    assert abs(np.mean(covered) - 0.95) < 0.015


def test_bootstrap_mean_agrees_with_the_normal_theory() -> None:
    values = np.random.default_rng(0).normal(3, 2, size=4000)
    interval = bootstrap_mean(values)
    assert interval.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / np.sqrt(4000)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_bootstrap_is_seeded_and_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).random(500)
    whole = bootstrap_mean(values, seed=7)
    assert bootstrap_mean(values, seed=7) == whole
    assert bootstrap_mean(values, seed=8) != whole
    monkeypatch.setattr(intervals, "BLOCK_VALUES", 500 * 13)
    assert bootstrap_mean(values, seed=7) == whole


def test_bootstrap_hands_out_counts_of_whole_resamples() -> None:
    seen = []

    def statistic(weights: np.ndarray) -> np.ndarray:
        seen.append(weights)
        return weights[:, 0]

    interval = bootstrap(statistic, 5)
    assert interval.value == 1
    assert all((weights.sum(axis=1) == 5).all() for weights in seen)
    assert sum(len(weights) for weights in seen) == 1 + intervals.RESAMPLES
