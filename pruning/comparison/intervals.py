"""95 % intervals: Wilson for one proportion, Tango for two paired ones, bootstrap for the rest.

All functions are pure NumPy: counts or arrays in, :class:`Interval` out.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist

import numpy as np

from pruning.comparison.result import Interval

Z = NormalDist().inv_cdf(0.975)  # 1.959964: two-sided 95 %
RESAMPLES = 2000
BLOCK_VALUES = 4_000_000  # resampling weights held in memory at once

Statistic = Callable[[np.ndarray], np.ndarray]


def wilson(successes: int, trials: int) -> Interval:
    """Score interval of one proportion.

    Source: E. B. Wilson, JASA 22 (1927) 209-212. Unlike the normal approximation it stays inside
    [0, 1] and keeps a width when all samples are right.

    Args:
        successes: Right answers.
        trials: Independent samples, at least 1.
    """
    share = successes / trials
    spread = Z * sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials))
    middle = share + Z * Z / (2 * trials)
    scale = 1 + Z * Z / trials
    # At 0 and 1 the exact end is the share itself; rounding may miss it by 1e-17.
    low = min(share, max(0.0, (middle - spread) / scale))
    high = max(share, min(1.0, (middle + spread) / scale))
    return Interval(share, low, high)


def paired_proportions(only_before: int, only_after: int, trials: int) -> Interval:
    """Score interval of the difference of two proportions seen on the same samples.

    Source: T. Tango, Statistics in Medicine 17 (1998) 891-908; recommended by Fagerland,
    Lydersen & Laake, Statistics in Medicine 33 (2014) 2850-2875. It leaves out 0 exactly when
    McNemar's test (without correction) rejects at 5 %, and keeps a width when nothing changed.

    Args:
        only_before: Samples that only the model before gets right.
        only_after: Samples that only the model after gets right.
        trials: All samples, at least 1.

    Returns:
        The share right after minus the share right before.
    """
    difference = (only_after - only_before) / trials

    def distance(delta: float) -> float:
        return _tango_score(only_after, only_before, trials, delta)

    # The score falls from +infinity at -1 to -infinity at +1 and is 0 at the difference itself.
    low = _root(lambda delta: distance(delta) - Z, -1.0, difference)
    high = _root(lambda delta: distance(delta) + Z, difference, 1.0)
    return Interval(difference, low, high)


def bootstrap(statistic: Statistic, samples: int, *, seed: int = 0) -> Interval:
    """Percentile bootstrap interval of a statistic of independent samples.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. Two models
    that are judged in one ``statistic`` are resampled together, which keeps their pairing.

    Args:
        statistic: Takes weights (resamples, samples), how often each sample was drawn, and
            returns (resamples,) values.
        samples: Number of samples, at least 1.
        seed: Same seed, same interval.
    """
    value = float(statistic(np.ones((1, samples)))[0])
    generator = np.random.default_rng(seed)
    block = max(1, min(RESAMPLES, BLOCK_VALUES // samples))
    values = []
    for start in range(0, RESAMPLES, block):
        rows = min(block, RESAMPLES - start)
        drawn = generator.integers(0, samples, size=(rows, samples))
        weights = np.stack([np.bincount(row, minlength=samples) for row in drawn])
        values.append(statistic(weights.astype(float)))
    low, high = np.percentile(np.concatenate(values), [2.5, 97.5])
    return Interval(value, min(value, float(low)), max(value, float(high)))


def bootstrap_mean(values: np.ndarray, *, seed: int = 0) -> Interval:
    """Bootstrap interval of the mean. values: (samples,)."""
    return bootstrap(lambda weights: weights @ values / len(values), len(values), seed=seed)


def _tango_score(gained: int, lost: int, trials: int, delta: float) -> float:
    """Tango's statistic for the hypothesis that the difference is ``delta``; (9) of the paper."""
    a = 2 * trials
    b = -gained - lost + (2 * trials - gained + lost) * delta
    c = -lost * delta * (1 - delta)
    share_lost = (sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = trials * (2 * share_lost + delta * (1 - delta))
    distance = gained - lost - trials * delta
    if variance <= 0:
        return 0.0 if distance == 0 else float("inf") if distance > 0 else float("-inf")
    return distance / sqrt(variance)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses 0 in [low, high], by bisection to 1e-12."""
    for _ in range(60):
        middle = (low + high) / 2
        if function(middle) > 0:
            low = middle
        else:
            high = middle
        if high - low < 1e-12:
            break
    return (low + high) / 2
