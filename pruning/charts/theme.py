"""Colours and marks with one meaning everywhere, legible on light and on dark.

Blue and orange stay apart for every common colour blindness (Okabe and Ito, 2008); charts that
use them also differ by shape, dash or position, never by colour alone.
"""

from __future__ import annotations

BEFORE = "#4C78A8"  # the original
AFTER = "#E1812C"  # the pruned model
FROZEN = "#9AA3AB"  # cannot be changed
SELECTED = "#C4417A"  # what the person has chosen

#: Words inside a chart, on a dark page or not: the page's own, see .streamlit/config.toml.
INK = {False: "#1B2733", True: "#E4EAF0"}

#: Whether the page is dark, in Vega's language: a browser changes it without asking the server.
DARK = "luminance(background) < 0.5"
INK_EXPRESSION = f"{DARK} ? '{INK[True]}' : '{INK[False]}'"

#: Fractions on an axis, with as many digits as neighbouring ticks differ by: 99.5%, 100%.
PERCENT = ".4~p"

#: Counts on an axis as :mod:`pruning.quantities` writes them: 500 k, not 500k.
COUNT_LABEL = "replace(format(datum.value, '~s'), /([kMGTP])$/, ' $1')"

#: Neighbouring blocks of one bar, to be told apart at a glance: before, and a lighter before.
ALTERNATING = ("#4C78A8", "#7FA3C7")

#: A channel group's own colour, reused every so many groups.
GROUPS = (
    "#4C78A8",
    "#5BA08A",
    "#8E6BB0",
    "#B79A3E",
    "#C4617A",
    "#3F8FA8",
    "#7A8F3C",
    "#A8754C",
)


def group_color(position: int) -> str:
    """Colour of the channel group at ``position`` in the model's order."""
    return GROUPS[position % len(GROUPS)]
