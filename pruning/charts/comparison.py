"""Before and after, drawn."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pruning.charts.theme import AFTER, BEFORE

FRAME = 110  # pixels for axes, titles and legend: Streamlit fits all of them into the height
SIDES = alt.Scale(domain=["before", "after"], range=[BEFORE, AFTER])


def class_scores(rows: pd.DataFrame, *, classes: int) -> alt.LayerChart | alt.FacetChart:
    """Score of each class before and after as two points on a line, in the order of the rows.

    Args:
        rows: Columns ``name``, ``count``, ``before``, ``after``.
        classes: How many rows there are.
    """
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=160))
    line = (
        alt.Chart()
        .mark_rule(opacity=0.5)
        .encode(y=y, x=alt.X("before:Q", title="Accuracy of the class"), x2="after:Q")
    )
    dots = (
        alt.Chart()
        .transform_fold(["before", "after"], as_=["side", "score"])
        .mark_point(filled=True, size=90, opacity=1)
        .encode(
            y=y,
            x=alt.X(
                "score:Q", scale=alt.Scale(zero=False), axis=alt.Axis(format=".0%", tickCount=8)
            ),
            color=alt.Color("side:N", scale=SIDES, title=None, legend=alt.Legend(orient="top")),
            shape=alt.Shape(
                "side:N",
                scale=alt.Scale(domain=["before", "after"], range=["circle", "diamond"]),
                title=None,
            ),
            tooltip=[
                alt.Tooltip("name:N", title="Class"),
                alt.Tooltip("count:Q", title="Test samples", format=","),
                alt.Tooltip("side:N", title="Model"),
                alt.Tooltip("score:Q", title="Accuracy", format=".1%"),
            ],
        )
    )
    return alt.layer(line, dots, data=rows).properties(height=FRAME + 26 * classes)


def confusion(
    rows: pd.DataFrame, *, classes: int, limit: int, difference: bool = False
) -> alt.LayerChart | alt.FacetChart:
    """A confusion matrix as a heat map with its counts written in the cells.

    Args:
        rows: Columns ``truth``, ``predicted``, ``count``, row by row of the matrix.
        classes: How many there are.
        limit: Largest absolute count, at least 1: the end of the colour scale.
        difference: Draw signed counts on a diverging scale centred on zero.
    """
    if difference:
        scale = alt.Scale(scheme="purpleorange", domain=[-limit, 0, limit])
    else:
        scale = alt.Scale(scheme="blues", domain=[0, limit])
    base = alt.Chart().encode(
        x=alt.X("predicted:N", sort=None, title="Predicted", axis=alt.Axis(labelLimit=90)),
        y=alt.Y("truth:N", sort=None, title="Truth", axis=alt.Axis(labelLimit=90)),
        tooltip=[
            alt.Tooltip("truth:N", title="Truth"),
            alt.Tooltip("predicted:N", title="Predicted"),
            alt.Tooltip("count:Q", title="Change" if difference else "Samples", format=","),
        ],
    )
    cells = base.mark_rect().encode(color=alt.Color("count:Q", scale=scale, legend=None))
    layers = [cells]
    if classes <= 20:
        dark = f"abs(datum.count) > {limit * 0.55}"
        text = base.transform_filter(alt.datum.count != 0).mark_text(fontSize=10)
        layers.append(
            text.encode(
                text=alt.Text("count:Q", format="+d" if difference else ",d"),
                color=alt.condition(dark, alt.value("white"), alt.value("#333")),
            )
        )
    side = min(560, max(160, 34 * classes))
    return alt.layer(*layers, data=rows).properties(
        height=side + FRAME, width=max(360, side + 2 * FRAME)
    )


def latencies(rows: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Single latency measurements before and after, with the median as a tick.

    Args:
        rows: Columns ``side``, ``milliseconds``.
    """
    y = alt.Y("side:N", sort=["before", "after"], title=None)
    color = alt.Color("side:N", scale=SIDES, legend=None)
    base = alt.Chart()
    dots = base.mark_circle(opacity=0.35, size=36).encode(
        x=alt.X("milliseconds:Q", title="Milliseconds per sample", scale=alt.Scale(zero=True)),
        y=y,
        color=color,
        tooltip=[alt.Tooltip("side:N"), alt.Tooltip("milliseconds:Q", format=".3f")],
    )
    middle = base.mark_tick(thickness=3, size=34).encode(
        x="median(milliseconds):Q", y=y, color=color
    )
    return alt.layer(dots, middle, data=rows).properties(height=170)
