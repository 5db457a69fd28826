"""Further figures of a task in words, the same on the page, in the report and in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pruning import quantities
from pruning.comparison.result import Comparison, Interval

NAMES = {
    "mean_iou": "mean IoU",
    "subset_accuracy": "all labels of a sample right",
    "rmse": "root mean squared error",
    "r2": "R²",
}


def in_words(details: Mapping[str, float]) -> dict[str, str]:
    """Figures by name, in the order of :data:`NAMES`."""
    writers: dict[str, Callable[[float], str]] = {
        "rmse": quantities.number,
        "r2": lambda value: quantities.minus(f"{value:.4f}"),
    }
    return {
        name: writers.get(name, quantities.percent)(details[name])
        for name in NAMES
        if name in details
    }


def changes_in_words(comparison: Comparison) -> dict[str, str]:
    """After minus before of each figure, with the interval where there is one."""
    before, after = comparison.before.details, comparison.after.details
    return {
        name: interval_in_points(comparison.detail_differences[name])
        if name in comparison.detail_differences
        else _signed(name, after[name] - before[name])
        for name in NAMES
        if name in before and name in after
    }


def interval_in_points(difference: Interval) -> str:
    """``−0.3 points (95 %: −0.8 to +0.2)``."""
    decimals = quantities.decimals_of_points(difference.low, difference.high)
    value, low, high = (
        quantities.points(number, decimals)
        for number in (difference.value, difference.low, difference.high)
    )
    return f"{value} (95 %: {low.removesuffix(' points')} to {high.removesuffix(' points')})"


def _signed(name: str, change: float) -> str:
    if name == "rmse":
        return quantities.number(change, signed=True)
    if name == "r2":
        return quantities.minus(f"{change:+.4f}")
    return quantities.points(change)
