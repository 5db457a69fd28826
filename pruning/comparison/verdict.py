"""The comparison in one line, for someone who will read only that."""

from __future__ import annotations

from pruning import quantities
from pruning.comparison import details
from pruning.comparison.result import Comparison, Interval

SAME_SPEED = 1.05  # medians closer than this are told apart by luck
NOTICED = 0.005  # fewer FLOPs than this share, or fewer new zeros, are not worth a word
NAMES = {"accuracy": "accuracy", "macro_f1": "macro F1", "mae": "mean absolute error"}


def verdict(comparison: Comparison) -> str:
    """Say what was won and what it cost.

    ``2.1× fewer FLOPs, 1.8× faster, accuracy −0.3 points (95 %: −0.8 to +0.2): no loss shown on
    2,000 test samples.``

    A loss is called one only when the whole interval is on its side; ``no loss shown`` is said of
    an interval that holds 0, and says no more than that these samples do not show one. Of pixels
    that have classes, the mean IoU follows: small objects are lost there first.
    """
    won = ", ".join(_savings(comparison))
    return f"{won}, {'; '.join([_quality(comparison), *_further(comparison)])}."


def lost(comparison: Comparison) -> bool:
    """Whether the samples show a loss: the whole interval of a difference is on its side."""
    further = comparison.detail_differences.values()
    return _metric_lost(comparison) or any(difference.high < 0 for difference in further)


def _metric_lost(comparison: Comparison) -> bool:
    difference = comparison.difference
    return difference.low > 0 if comparison.before.metric == "mae" else difference.high < 0


def same_speed(before: float, after: float) -> bool:
    """Whether two median latencies are too close to be told apart."""
    slow, fast = max(before, after), min(before, after)
    return slow == fast or (fast > 0 and slow / fast < SAME_SPEED)


def _savings(comparison: Comparison) -> list[str]:
    before, after = comparison.sizes_before, comparison.sizes_after
    if after.flops < (1 - NOTICED) * before.flops:
        return [_fewer(before.flops, after.flops, "FLOPs"), *_speed(comparison)]
    zeros = 1 - after.nonzero_params / after.params if after.params else 0.0
    zeros_before = 1 - before.nonzero_params / before.params if before.params else 0.0
    if zeros - zeros_before > NOTICED:
        gzip = quantities.factor(before.gzip_bytes, after.gzip_bytes, "bytes")
        # Zeros are multiplied like other numbers: a small measured gain would be chance.
        return [f"{100 * zeros:.0f} % of parameters zero", f"gzip {gzip}", "not faster on x86"]
    if after.params < (1 - NOTICED) * before.params:
        return [_fewer(before.params, after.params, "parameters"), *_speed(comparison)]
    return ["same size and FLOPs", *_speed(comparison)]


def _fewer(before: int, after: int, unit: str) -> str:
    """``2.1× fewer FLOPs``, or ``5.0 % fewer FLOPs`` below a tenth."""
    return f"{quantities.factor(before, after, unit)} {unit}"


def _speed(comparison: Comparison) -> list[str]:
    before, after = comparison.latency_before.median_ms, comparison.latency_after.median_ms
    if before is None or after is None or not before or not after:
        return []
    if same_speed(before, after):
        return ["no faster"]
    return [quantities.factor(before, after, "ms")]


def _quality(comparison: Comparison) -> str:
    metric, difference = comparison.before.metric, comparison.difference
    where = f"on {comparison.samples:,} test {'sample' if comparison.samples == 1 else 'samples'}"
    name, numbers = NAMES[metric], _numbers(metric, difference)
    worse = _metric_lost(comparison)
    better = not worse and not difference.holds_zero
    if worse:
        direction = "rose" if metric == "mae" else "fell"
    elif better:
        direction = "fell" if metric == "mae" else "rose"
    elif comparison.before.near_chance:  # keeping what beats nothing proves nothing
        return f"{name} {numbers} {where}, but the model was no better than chance before"
    else:
        return f"{name} {numbers}: no loss shown {where}"
    amount, rest = numbers.split(" (", 1)
    end = "" if worse else ": a gain"
    return f"{name} {direction} by {amount.lstrip('+' + quantities.MINUS)} ({rest} {where}{end}"


def _further(comparison: Comparison) -> list[str]:
    """``mean IoU fell by 1.2 points (95 %: −2.0 to −0.4)``: whole where it is told from none."""
    said = []
    for name, difference in comparison.detail_differences.items():
        numbers = details.interval_in_points(difference)
        if not difference.holds_zero:
            direction = "fell" if difference.high < 0 else "rose"
            numbers = f"{direction} by {numbers.lstrip('+' + quantities.MINUS)}"
        said.append(f"{details.NAMES[name]} {numbers}")
    return said


def _numbers(metric: str, difference: Interval) -> str:
    """``−0.3 points (95 %: −0.8 to +0.2)``; regression in the target's own unit."""
    if metric == "mae":
        numbers = (difference.value, difference.low, difference.high)
        shared = quantities.common_decimals(numbers)
        value, low, high = (_signed(number, shared) for number in numbers)
        return f"{value} (95 %: {low} to {high})"
    return details.interval_in_points(difference)


def _signed(number: float, decimals: int) -> str:
    """With its sign and so many decimals."""
    text = f"{abs(number):,.{decimals}f}"
    if not text.strip("0.,"):
        return f"±{text}"
    return f"{'+' if number > 0 else quantities.MINUS}{text}"
