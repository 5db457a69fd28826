from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pages.components.text import plain, visible


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
