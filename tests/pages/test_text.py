from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.components.text import apart, plain, visible


def test_markup_is_escaped():
    assert plain("<b>x</b>") == r"\<b\>x\<\/b\>"
    assert plain("**bold** `code` $x$") == r"\*\*bold\*\* \`code\` \$x\$"
    assert plain("[a](javascript:b)") == "\\[a\\]\\(javascript\\:\u2060b\\)"
    assert plain(":red[x] :material/home:") == ("\\:\u2060red\\[x\\] \\:\u2060material\\/home\\:")


def test_lines_and_direction_marks_are_flattened():
    assert visible("a\nb\t\u202ec\x00") == "a b c"
    assert visible(" \n ") == "(no name)"
    assert visible("0123456789", 5) == "01…89"


@given(st.text(max_size=80))
def test_no_punctuation_is_left_unescaped(text):
    escaped = plain(text)
    assert "\n" not in escaped
    without_escapes = re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped)
    assert not re.search(r"[!-/:-@\[-`{-~]", without_escapes)


def test_a_terminals_colours_are_left_out():
    assert visible("\x1b[1mvery\x1b[0m \x1b[31;1mbad") == "very bad"


LONG = "a class of an ontology of everything, number {:03d}, that nobody reads to its end"


def test_names_that_would_look_alike_show_where_they_differ():
    names = [LONG.format(number) for number in (0, 1, 22)]
    assert apart([*names, "cat"], 24) == [
        "…, number 000, that nob…",
        "…, number 001, that nob…",
        "…, number 022, that nob…",
        "cat",
    ]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["cat", "dog"], ["cat", "dog"]),
        (["same", "same"], ["same (1)", "same (2)"]),
        (["x" * 30 + "1", "x" * 30 + "2"], ["xxxxx…xxx1", "xxxxx…xxx2"]),
        (["ab" + "x" * 9, "ab" + "x" * 19], None),
        (["ab" + "x" * 12, "ab" + "x" * 19 + "\n"], None),
        ([], []),
    ],
)
def test_names_are_all_different_and_no_longer_than_asked(names, shown):
    found = apart(names, 10)
    assert len(set(found)) == len(names)
    assert shown is None or found == shown


@pytest.mark.parametrize("name", ["שלום עולם", "مرحبا 3"])
def test_figures_behind_a_name_written_from_right_to_left_stay_behind_it(name):
    """The browser drew "67.7 שלום עולם %"."""
    assert plain(name) == f"\u2068{name}\u2069"
    assert plain("é 3") == "é 3"


def test_names_that_differ_in_the_middle_and_at_the_end_show_both():
    """Two layers of one stage had a number in place of what tells them apart."""
    long = "backbone_network_stage_{:02d}_residual_bottleneck_block_branch_two_convolution_{}_3x3"
    told = apart([long.format(stage, place) for stage in range(1, 4) for place in (1, 2)], 30)
    assert len(set(told)) == 6
    assert told[2:4] == ["…tage_02_resid…nvolution_1_3x3", "…tage_02_resid…nvolution_2_3x3"]
