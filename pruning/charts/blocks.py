"""What the blocks of a model are worth."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pruning.charts.theme import AFTER, BEFORE, FROZEN

INSIDE = "inside a removed block"
_GONE_TOO = "#F2BE8E"  # a lighter after: it goes, though nobody chose it


def influences(rows: pd.DataFrame, *, title: str = "Influence") -> alt.Chart:
    """One bar a block, in the model's order.

    Args:
        rows: Columns ``name``, ``whole`` (the name unshortened), ``influence``, ``state``
            ("removed", :data:`INSIDE`, "stays", "locked").
        title: What is shown.
    """
    bars: alt.Chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("name:N", sort=None, title=None, axis=alt.Axis(labelAngle=-60, labelLimit=125)),
            y=alt.Y("influence:Q", title=title),
            color=alt.Color(
                "state:N",
                title=None,
                scale=alt.Scale(
                    domain=["removed", INSIDE, "stays", "locked"],
                    range=[AFTER, _GONE_TOO, BEFORE, FROZEN],
                ),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[
                alt.Tooltip("whole:N", title="Block"),
                alt.Tooltip("influence:Q", title=title, format=".4f"),
                alt.Tooltip("state:N", title="State"),
            ],
        )
        .properties(height=320)
    )
    return bars
