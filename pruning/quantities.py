"""Numbers as people read them: with a unit, thousands separated, three digits that matter.

The command line, the charts and the pages write every figure through this module, so that the
same number looks the same everywhere. Text in, text out: no widgets, no files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

_THOUSANDS = ("", " k", " M", " G", " T", " P")
_BYTES = (" bytes", " kB", " MB", " GB", " TB", " PB")
_FEWER = {
    "bytes": ("smaller", "larger"),
    "error": ("smaller", "larger"),
    "ms": ("faster", "slower"),
    "s": ("faster", "slower"),
}
MINUS = "\N{MINUS SIGN}"
_LARGEST = 1e15  # beyond it, groups of three digits are no longer counted
_SHORT_MS = 0.1  # shorter latencies are written in microseconds


def minus(written: str) -> str:
    """Write hyphens before numbers as minus signs."""
    return written.replace("-", MINUS)


def count(value: float) -> str:
    """Format a count. ``1_240_000`` -> ``1.24 M``; below 10,000 exactly: ``9,870``."""
    if abs(value) < 10_000:
        return minus(f"{value:,.0f}")
    return _scaled(value, _THOUSANDS)


def size(value: float) -> str:
    """Format a number of bytes, decimal units. ``98_300_000`` -> ``98.3 MB``."""
    if value == 1:
        return "1 byte"
    if abs(value) < 1000:
        return f"{value:.0f} bytes"
    return _scaled(value, _BYTES)


def milliseconds(value: float, *, beside: Iterable[float] = (), short: bool = False) -> str:
    """Format milliseconds with three digits. ``41.2`` -> ``41.2 ms``, ``0.0084`` -> ``8.40 µs``.

    Below a tenth of a millisecond the decimals of one would hide a difference.

    Args:
        value: In milliseconds.
        beside: Others that it is compared with: all have the unit of the shortest.
        short: Whether it stands among microseconds, however long it is.
    """
    if short or in_microseconds((value, *beside)):
        return f"{_three_digits(1000 * value)} µs"
    return f"{_three_digits(value)} ms"


def in_microseconds(milliseconds: Iterable[float]) -> bool:
    """Whether latencies that stand together are written in microseconds: one of them is short."""
    return any(0 < abs(each) < _SHORT_MS for each in milliseconds)


def number(value: float, digits: int = 4, *, signed: bool = False) -> str:
    """Format a number that has no unit of ours, such as a loss or an error in the target's unit.

    ``0.81671`` -> ``0.8167``, ``5_359.4`` -> ``5,359``, ``25_123.4`` -> ``25,123``, never
    ``2.512e+04``; only what is too small to be written out has a power of ten.

    Args:
        value: The number.
        digits: That matter; whole numbers are not rounded further.
        signed: With a plus sign where it is not negative.
    """
    sign = "+" if signed else ""
    if 10**digits <= abs(value) + 0.5 < _LARGEST:
        return minus(f"{value:{sign},.0f}")
    return minus(f"{value:{sign},.{digits}g}")


def common_decimals(values: Iterable[float], digits: int = 3) -> int:
    """How many decimals give the largest of some numbers so many digits that matter."""
    largest = max(abs(value) for value in values)
    return max(0, digits - 1 - _exponent(largest)) if largest else 0


def agreement(largest_error: float) -> str:
    """Say how far two models' outputs agree. ``1.2e-7`` -> ``to 1.2e-07``, ``0`` -> in words."""
    return f"to {largest_error:.1e}" if largest_error else "to the last bit"


def duration(seconds: float) -> str:
    """Format a time span with its two largest units. ``200`` -> ``3 min 20 s``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two_units(whole, 60, "min", "s")
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return _two_units(minutes, 60, "h", "min")
    return _two_units(round(seconds / 3600), 24, "d", "h")


def percent(fraction: float) -> str:
    """Format a fraction of one. ``0.9012`` -> ``90.1 %``.

    What is not quite none or all does not look like it: ``0.9999`` -> ``>99.9 %``.
    """
    if 0 < fraction < 0.0005:
        return "<0.1 %"
    if 0.9995 <= fraction < 1:
        return ">99.9 %"
    return minus(f"{100 * fraction:.1f} %").replace(f"{MINUS}0.0 %", "0.0 %")


def percent_interval(value: float, low: float, high: float) -> str:
    """Format a fraction with its 95 % interval. -> ``90.1 % (95 %: 89.5 to 90.7 %)``."""
    return f"{percent(value)} (95 %: {percent_ends(low, high)})"


def percent_ends(low: float, high: float) -> str:
    """Format the ends of an interval of fractions, the unit once. -> ``89.5 to 90.7 %``."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def number_interval(value: float, low: float, high: float) -> str:
    """Format a number with its 95 % interval. -> ``0.8167 (95 %: 0.79 to 0.84)``."""
    return f"{number(value)} (95 %: {number(low)} to {number(high)})"


def points(difference: float, decimals: int = 1) -> str:
    """Format a difference of two fractions in points of percent. ``-0.003`` -> ``−0.3 points``."""
    rounded = round(in_points(difference), decimals)
    sign = "±" if rounded == 0 else "+" if rounded > 0 else MINUS
    return f"{sign}{abs(rounded):.{decimals}f} points"


def decimals_of_points(low: float, high: float) -> int:
    """How many decimals tell the ends of an interval of differences from 0: one, as a rule.

    More where the interval does not hold 0, but its end would be written as 0.
    """
    if low * high <= 0:
        return 1
    nearest = in_points(min(abs(low), abs(high)))
    return next((decimals for decimals in (1, 2, 3) if round(nearest, decimals)), 4)


def in_points(difference: float) -> float:
    """Percent points without the noise of a subtraction.

    ``0.8995 - 0.909`` and ``-0.0095`` are the same 19 of 2,000 samples, and shall be written alike.
    """
    return round(100 * difference, 6)


def change(before: float, after: float, unit: str) -> str:
    """Say before, after and by how much.

    ``change(4.12e9, 1.98e9, "FLOPs")`` -> ``4.12 G → 1.98 G FLOPs (2.1× fewer)``.

    Args:
        before: The value of the original.
        after: The value after pruning.
        unit: ``bytes`` or ``error`` (smaller), ``ms`` or ``s`` (faster), or the name of what is
            counted (fewer).
    """
    if unit == "bytes":
        values = f"{size(before)} → {size(after)}"
    elif unit == "ms":
        values = f"{milliseconds(before, beside=[after])} → {milliseconds(after, beside=[before])}"
    elif unit == "s":
        values = f"{duration(before)} → {duration(after)}"
    else:
        values = f"{count(before)} → {count(after)} {unit}"
    return f"{values} ({factor(before, after, unit)})"


def factor(before: float, after: float, unit: str) -> str:
    """Say by how much ``after`` differs from ``before``. -> ``2.1× fewer``, ``unchanged``.

    Differences under a tenth are given in percent: ``1.04×`` says little.
    """
    less, more = _FEWER.get(unit, ("fewer", "more"))
    if before == after:
        return "unchanged"
    word = less if after < before else more
    small, large = sorted((before, after))
    if small <= 0:
        return f"all gone, {word}" if after <= 0 else word
    if large / small < 1.1:
        return f"{percent(abs(after - before) / before)} {word}"
    return f"{_ratio(large / small)}× {word}"


def middle(text: str, length: int) -> str:
    """Shorten ``text`` to ``length`` characters by leaving out its middle.

    Both ends of a layer's path tell layers apart; the middle rarely does.
    """
    if len(text) <= length:
        return text
    head = length // 2
    tail = length - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :]}"


def listed(words: Sequence[str], most: int, between: str = ", ") -> str:
    """The first ``most`` words, and how many more there are. -> ``a, b and 3 more``."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return between.join(words[:most]) + more


def plural(number: int, noun: str, many: str | None = None) -> str:
    """Format a count with its noun. ``(1, "layer")`` -> ``1 layer``, ``(3, …)`` -> ``3 layers``."""
    return f"{count(number)} {noun if number == 1 else many or noun + 's'}"


def shape(dimensions: tuple[int | None, ...] | list[int | None]) -> str:
    """Format a shape. ``(28, 28, 1)`` -> ``28×28×1``; open dimensions as ``?``."""
    if not dimensions:
        return "scalar"
    return "×".join("?" if size is None else f"{size}" for size in dimensions)


def _scaled(value: float, units: tuple[str, ...]) -> str:
    # Rounding first keeps 999,999 from becoming "1000 k".
    exponent = min(_exponent(value) // 3, len(units) - 1)
    return f"{_three_digits(value / 1000**exponent)}{units[exponent]}"


def _exponent(value: float) -> int:
    """Power of ten of ``value`` after rounding to three digits."""
    return int(f"{abs(value):.2e}".partition("e")[2])


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    decimals = max(0, min(3, 2 - _exponent(value)))
    return minus(f"{value:,.{decimals}f}")


def _two_units(whole: int, base: int, large: str, small: str) -> str:
    first, second = divmod(whole, base)
    return f"{first} {large} {second} {small}" if second else f"{first} {large}"


def _ratio(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{math.floor(value * 10 + 0.5) / 10:.1f}"
