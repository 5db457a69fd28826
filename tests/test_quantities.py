from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning import quantities as q


def test_an_error_is_smaller_or_larger_never_fewer() -> None:
    assert q.factor(0.5, 0.25, "error") == "2.0× smaller"
    assert q.factor(0.25, 0.5, "error") == "2.0× larger"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 4, "0"),
        (0.81671, 4, "0.8167"),
        (17.84, 4, "17.84"),
        (5_359.4, 4, "5,359"),
        (-1_000, 4, "−1,000"),
        (9_999.7, 4, "10,000"),
        (25_123.4, 4, "25,123"),
        (-631_234_567.8, 4, "−631,234,568"),
        (999.7, 3, "1,000"),
        (1_234.5, 3, "1,234"),
        (3.2e-7, 4, "3.2e−07"),
        (float("nan"), 4, "nan"),
        (float("inf"), 4, "inf"),
    ],
)
def test_numbers_without_a_unit_are_written_out(value, digits, text):
    assert q.number(value, digits) == text


def test_of_many_words_the_first_are_listed():
    assert q.listed(["a", "b", "c"], 3) == "a, b, c"
    assert q.listed(["a", "b", "c"], 2, "; ") == "a; b and 1 more"
    assert q.listed([], 2) == ""


def test_a_change_of_a_number_has_its_sign():
    assert q.number(0.25, signed=True) == "+0.25"
    assert q.number(-25_123.4, signed=True) == "−25,123"
    assert q.number(25_123.4, signed=True) == "+25,123"


@pytest.mark.parametrize(
    ("values", "decimals"), [([17.0, 16.6], 1), ([0.2, -0.05], 3), ([25_000.0], 0), ([0.0], 0)]
)
def test_numbers_side_by_side_share_their_decimals(values, decimals):
    assert q.common_decimals(values) == decimals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (9_870, "9,870"),
        (10_000, "10.0 k"),
        (999_499, "999 k"),
        (999_999, "1.00 M"),
        (1_240_000, "1.24 M"),
        (4_120_000_000, "4.12 G"),
        (-12_345, "−12.3 k"),
    ],
)
def test_counts_keep_three_digits_that_matter(value, text):
    assert q.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (512, "512 bytes"),
        (1_000, "1.00 kB"),
        (98_300_000, "98.3 MB"),
        (999_999_999, "1.00 GB"),
    ],
)
def test_sizes_are_decimal_bytes(value, text):
    assert q.size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(41.2, "41.2 ms"), (0.0421, "42.1 µs"), (0.842, "0.842 ms"), (123.4, "123 ms"), (0, "0 ms"),
     (12_345, "12,345 ms"), (0.0084, "8.40 µs"), (0.0099, "9.90 µs"), (0.000_5, "0.500 µs")],
)  # fmt: skip
def test_milliseconds(value, text):
    assert q.milliseconds(value) == text


def test_latencies_that_are_compared_have_one_unit():
    assert q.milliseconds(0.25, beside=[0.08]) == "250 µs"
    assert q.milliseconds(25, short=True) == "25,000 µs"
    assert q.change(0.12, 0.08, "ms") == "120 µs → 80.0 µs (1.5× faster)"
    assert q.change(1.2, 0.8, "ms") == "1.20 ms → 0.800 ms (1.5× faster)"


def test_a_perfect_agreement_is_said_in_words():
    assert q.agreement(1.234e-7) == "to 1.2e-07"
    assert q.agreement(0.0) == "to the last bit"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.42, "0.4 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3_599.7, "1 h"),
        (7_500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_show_two_units(value, text):
    assert q.duration(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.9012, "90.1 %"), (0, "0.0 %"), (1, "100.0 %"), (0.0001, "<0.1 %"), (0.9999, ">99.9 %")],
)
def test_percent_never_rounds_to_none_or_all(value, text):
    assert q.percent(value) == text


def test_an_interval_that_is_not_quite_all_never_ends_below_its_beginning():
    """The report said "100.0 to >99.9 %"."""
    assert q.percent_ends(0.9996, 0.9999) == ">99.9 to >99.9 %"
    assert q.percent_ends(0.0001, 1) == "<0.1 to 100.0 %"
    assert q.percent_interval(0.9997, 0.9996, 1) == ">99.9 % (95 %: >99.9 to 100.0 %)"


def test_intervals_and_points():
    assert q.percent_interval(0.901, 0.895, 0.907) == "90.1 % (95 %: 89.5 to 90.7 %)"
    assert q.points(-0.003) == "−0.3 points"
    assert q.points(0.0121) == "+1.2 points"
    assert q.points(-0.0002) == "±0.0 points"
    assert q.points(0.8995 - 0.909) == q.points(-19 / 2000) == "−0.9 points"


@pytest.mark.parametrize(
    ("before", "after", "unit", "text"),
    [
        (4.12e9, 1.98e9, "FLOPs", "4.12 G → 1.98 G FLOPs (2.1× fewer)"),
        (98_300_000, 24_100_000, "bytes", "98.3 MB → 24.1 MB (4.1× smaller)"),
        (41.2, 22.9, "ms", "41.2 ms → 22.9 ms (1.8× faster)"),
        (20.0, 40.0, "ms", "20.0 ms → 40.0 ms (2.0× slower)"),
        (0.0084, 0.0079, "ms", "8.40 µs → 7.90 µs (6.0 % faster)"),
        (1000, 960, "parameters", "1,000 → 960 parameters (4.0 % fewer)"),
        (1000, 1000, "parameters", "1,000 → 1,000 parameters (unchanged)"),
        (50, 100, "parameters", "50 → 100 parameters (2.0× more)"),
    ],
)
def test_changes_say_before_after_and_by_how_much(before, after, unit, text):
    assert q.change(before, after, unit) == text


def test_shapes_and_plurals():
    assert q.shape((28, 28, 1)) == "28×28×1"
    assert q.shape((None, 32)) == "?×32"
    assert q.shape(()) == "scalar"
    assert q.plural(1, "layer") == "1 layer"
    assert q.plural(12_000, "class", "classes") == "12.0 k classes"


def test_the_middle_is_left_out():
    assert q.middle("block_3/conv_2/kernel", 11) == "block…ernel"
    assert q.middle("short", 11) == "short"


@given(st.text(max_size=200), st.integers(3, 60))
def test_shortened_text_fits_and_keeps_both_ends(text, length):
    short = q.middle(text, length)
    assert len(short) <= max(length, 0)
    if len(text) > length:
        assert short[0] == text[0]
        assert short[-1] == text[-1]
        assert short.count("…") >= 1


@given(st.integers(10_000, 10**17))
def test_a_count_reads_back_to_within_half_a_percent(value):
    digits, unit = q.count(value).split(" ")
    scale = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}[unit]
    assert float(digits.replace(",", "")) * scale == pytest.approx(value, rel=0.0051)


@pytest.mark.parametrize(
    ("low", "high", "decimals"),
    [
        (-0.02, 0.0004, 1),
        (0.0, 0.0, 1),
        (-0.02, -0.006, 1),
        (-0.02, -0.0004, 2),
        (0.00003, 0.02, 3),
        (1e-9, 0.02, 4),
    ],
)
def test_as_many_decimals_as_tell_an_interval_from_zero(low, high, decimals) -> None:
    assert q.decimals_of_points(low, high) == decimals


def test_points_with_more_decimals() -> None:
    assert q.points(-0.0004) == "±0.0 points"
    assert q.points(-0.0004, 2) == "−0.04 points"
    assert q.points(0.012, 2) == "+1.20 points"
