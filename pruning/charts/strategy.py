"""What a plan leaves of each layer."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pruning.charts.theme import AFTER, BEFORE, FROZEN


def kept_widths(rows: pd.DataFrame, *, unit: str = "channels") -> alt.LayerChart | alt.FacetChart:
    """Kept over original widths, one bar an entry, in the model's order.

    Args:
        rows: Columns ``name``, ``before``, ``after``, ``state`` ("cut", "whole", "frozen").
        unit: What is counted.
    """
    x = alt.X("name:N", sort=None, title=None, axis=alt.Axis(labelAngle=-60, labelLimit=125))
    tooltip = [
        alt.Tooltip("name:N", title="Group"),
        alt.Tooltip("before:Q", title=f"{unit} before", format=","),
        alt.Tooltip("after:Q", title=f"{unit} after", format=","),
        alt.Tooltip("state:N", title="State"),
    ]
    base = alt.Chart().encode(x=x, tooltip=tooltip)
    outline = base.mark_bar(fillOpacity=0.15, stroke=BEFORE, color=BEFORE).encode(
        y=alt.Y("before:Q", title=unit.capitalize(), axis=alt.Axis(format=",d"))
    )
    color = alt.Color(
        "state:N",
        title=None,
        scale=alt.Scale(domain=["cut", "whole", "frozen"], range=[AFTER, BEFORE, FROZEN]),
        legend=alt.Legend(orient="top"),
    )
    filled = base.mark_bar(width=alt.RelativeBandSize(0.45)).encode(y="after:Q", color=color)
    return alt.layer(outline, filled, data=rows).properties(height=320)
