"""How the columns of tables write names and numbers: numbers as everywhere else, sorted as numbers.

Streamlit's ``compact`` writes 544K where the studio writes 544 k, and ``localized`` follows the
browser's language: 9,248 becomes 9.248 in a German one, beside captions that say 9,248. So does
``percent``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd

#: Counts in a table have all of their digits, thousands separated: they are exact, and told apart
#: by their length at a glance.
COUNT = "%,d"

#: Of a column in percent, not in fractions. Of 1,000 layers, each has a tenth of a percent.
PERCENT = "%.2f %%"

#: Of a column of names that stays in sight: a phone has room for the figures beside it.
NAME_WIDTH = 205  # pixels
NAME_CELL = 30  # characters that fit into it: both ends are seen

#: Milliseconds: where no latency is longer, all of a table or chart are written in microseconds.
SHORT = 1.0


def share_bar(label: str, words: str) -> Any:
    """A narrow column of bars for shares, in percent.

    Args:
        label: Its heading.
        words: Shown on hover over that.
    """
    return st.column_config.ProgressColumn(
        label, min_value=0, max_value=100, format="%.0f %%", help=words, width=84
    )


def latency_unit(frame: pd.DataFrame, columns: Iterable[str]) -> tuple[pd.DataFrame, str]:
    """Latencies in the unit that suits the longest of them, for all are compared and sorted.

    Args:
        frame: With these columns in milliseconds.
        columns: Those of them that hold latencies.

    Returns:
        The frame in that unit, and the format of these columns: all the digits that a latency is
        measured with.
    """
    names = list(columns)
    if not frame[names].max().max() < SHORT:
        return frame, "%,.4f ms"
    return frame.assign(**{name: 1000 * frame[name] for name in names}), "%,.1f µs"
