"""Colours and marks with one meaning everywhere, legible on light and on dark.

Blue and orange stay apart for every common colour blindness (Okabe and Ito, 2008); charts that
use them also differ by shape, dash or position, never by colour alone.
"""

from __future__ import annotations

BEFORE = "#4C78A8"  # the original
AFTER = "#E1812C"  # the pruned model
FROZEN = "#9AA3AB"  # cannot be changed
HOLLOW = 0.2  # opacity of what is drawn as an outline: told from the others without its colour
SELECTED = "#C4417A"  # what the person has chosen

#: Words inside a chart, on a dark page or not: the page's own, see .streamlit/config.toml.
INK = {False: "#1B2733", True: "#E4EAF0"}

#: Whether the page is dark, in Vega's language: a browser changes it without asking the server.
DARK = "luminance(background) < 0.5"
INK_EXPRESSION = f"{DARK} ? '{INK[True]}' : '{INK[False]}'"

#: Fractions on an axis, with as many digits as neighbouring ticks differ by, and the space that
#: :mod:`pruning.quantities` writes: 99.5 %, 100 %.
PERCENT_LABEL = "replace(format(datum.value, '.4~p'), '%', ' %')"

#: Counts on an axis as :mod:`pruning.quantities` writes them: 500 k, not 500k.
COUNT_LABEL = "replace(format(datum.value, '~s'), /([kMGTP])$/, ' $1')"

#: Other numbers on an axis: 0.0003, 1,500, 600 M; never 1e+3.
NUMBER_LABEL = (
    "abs(datum.value) < 1e5 ? format(datum.value, ',.12~g') : "
    "replace(format(datum.value, '~s'), /([kMGTP])$/, ' $1')"
)


def number_of(field: str) -> str:
    """A number of the data in words, in Vega's language, for a tooltip: ``0.8167``, ``25,123``."""
    value = f"datum[{field!r}]"
    return f"abs({value}) < 1e4 ? format({value}, ',.4~g') : format({value}, ',.0f')"


def percent_of(field: str, decimals: int = 1) -> str:
    """A fraction of the data in words, in Vega's language, for a tooltip: ``90.1 %``."""
    return f"replace(format(datum[{field!r}], '.{decimals}%'), '%', ' %')"


#: Neighbouring blocks of one bar, to be told apart at a glance: before, and a lighter before.
ALTERNATING = ("#4C78A8", "#7FA3C7")

#: A channel group's own colour, reused every so many groups.
GROUPS = (
    "#4C78A8",
    "#5BA08A",
    "#8663AB",
    "#B79A3E",
    "#CB6E86",
    "#4A9DB7",
    "#7A8F3C",
    "#B07E55",
)


#: Classes of pixels, eight that stay apart for every common colour blindness (M. Okabe and K. Ito,
#: Color Universal Design, 2008); the first is the background more often than not.
CLASSES = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)

#: Pixels that both models answer alike: right, as light as wrong is dark.
BOTH_RIGHT, BOTH_WRONG = "#DDE3E8", "#3A4653"


def group_color(position: int) -> str:
    """Colour of the channel group at ``position`` in the model's order."""
    return GROUPS[position % len(GROUPS)]


def ink_on(fill: str) -> str:
    """Colour of words on a fill: white or nearly black, whichever is told apart better."""
    return max("#FFFFFF", "#14202B", key=lambda ink: contrast(ink, fill))


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it: words need 4.5 (to 1)."""
    dim, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [value / 255 for value in bytes.fromhex(colour[1:])]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
