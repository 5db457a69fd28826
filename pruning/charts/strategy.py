"""What a plan leaves of each layer."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pruning.charts.theme import AFTER, BEFORE, FROZEN, HOLLOW

#: What becomes of a layer or group, in the order of the legend. Whole ones could have been cut.
STATES = ("cut", "whole", "frozen")
#: The same where whole blocks go, as on the chart of blocks.
BLOCK_STATES = ("removed", "stays")

CROWD = 60  # entries from which on outlines would cover what they surround


def kept_widths(
    rows: pd.DataFrame,
    *,
    unit: str = "channels",
    states: tuple[str, ...] = STATES,
    crowded: bool = False,
) -> alt.LayerChart | alt.FacetChart:
    """Kept over original widths, one bar an entry, in the model's order.

    Args:
        rows: Columns ``name``, ``whole`` (the name unshortened), ``before``, ``after``, ``state``
            (one of ``states``).
        unit: What is counted.
        states: :data:`STATES` or :data:`BLOCK_STATES`.
        crowded: There are more than :data:`CROWD`: bars without outlines and gaps.
    """
    x = alt.X("name:N", sort=None, title=None, axis=alt.Axis(labelAngle=-60, labelLimit=125))
    tooltip = [
        alt.Tooltip("whole:N", title="Group"),
        alt.Tooltip("before:Q", title=f"{unit} before", format=","),
        alt.Tooltip("after:Q", title=f"{unit} after", format=","),
        alt.Tooltip("state:N", title="State"),
    ]
    base = alt.Chart().encode(x=x, tooltip=tooltip)
    # Of what is gone nothing but the outline can show it.
    edge = alt.condition("datum.after == 0", alt.value(AFTER), alt.value(BEFORE))
    outline = base.mark_bar(
        width=alt.RelativeBandSize(1) if crowded else alt.Undefined,
        fillOpacity=0.25 if crowded else 0.15,
        strokeOpacity=0 if crowded else 1,
    ).encode(
        y=alt.Y("before:Q", title=unit.capitalize(), axis=alt.Axis(format=",d")),
        fill=edge,
        stroke=edge,
    )
    named = f"datum.label == '{STATES[2]}' ? '{STATES[2]} (hollow)' : datum.label"
    colours = alt.Scale(domain=list(states), range=[AFTER, BEFORE, FROZEN][: len(states)])
    legend = alt.Legend(orient="top", labelExpr=named)
    frozen = f"datum.state == '{STATES[2]}'"  # told apart without its colour as well
    filled = base.mark_bar(width=alt.RelativeBandSize(1 if crowded else 0.45)).encode(
        y="after:Q",
        color=alt.Color("state:N", title=None, scale=colours, legend=legend),
        fillOpacity=alt.condition(frozen, alt.value(HOLLOW), alt.value(1)),
        stroke=alt.condition(frozen, alt.value(FROZEN), alt.value(None)),
    )
    return alt.layer(outline, filled, data=rows).properties(height=320)
