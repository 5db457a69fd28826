"""Single samples, drawn."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pruning.charts.theme import BEFORE


def waveform(rows: pd.DataFrame, *, height: int = 110) -> alt.Chart:
    """A recording's envelope over time.

    Args:
        rows: Columns ``seconds``, ``low``, ``high`` with values in -1 to 1.
        height: Pixels.
    """
    axis = alt.Axis(grid=False, labels=False, ticks=False, domain=False)
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_area(color=BEFORE, opacity=0.8, interpolate="step")
        .encode(
            x=alt.X(
                "seconds:Q",
                title=None,
                axis=alt.Axis(
                    grid=False, format=".1f", tickCount=3, labelExpr="datum.label + ' s'"
                ),
            ),
            y=alt.Y("low:Q", title=None, axis=axis, scale=alt.Scale(domain=[-1, 1])),
            y2="high:Q",
        )
        .properties(height=height)
    )
    return chart
