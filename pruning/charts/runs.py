"""All runs of a model in one picture."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pruning.charts.theme import AFTER, BEFORE, COUNT_LABEL, PERCENT


def accuracy_against_size(
    rows: pd.DataFrame, *, size_title: str
) -> alt.LayerChart | alt.FacetChart:
    """Scatter of quality against size; the original is drawn as a circle, runs as diamonds.

    Args:
        rows: Columns ``run``, ``size``, ``accuracy``, ``side`` ("before" or "after").
        size_title: Axis title with the unit.
    """
    dots = (
        alt.Chart()
        .mark_point(filled=True, size=110, opacity=0.9)
        .encode(
            x=alt.X(
                "size:Q",
                title=size_title,
                scale=alt.Scale(zero=True, nice=True),
                axis=alt.Axis(labelExpr=COUNT_LABEL, tickCount=8),
            ),
            y=alt.Y(
                "accuracy:Q",
                title="Test accuracy",
                scale=alt.Scale(zero=False, padding=12),
                axis=alt.Axis(format=PERCENT, tickCount=6),
            ),
            color=alt.Color(
                "side:N",
                title=None,
                scale=alt.Scale(domain=["before", "after"], range=[BEFORE, AFTER]),
                legend=alt.Legend(orient="top"),
            ),
            shape=alt.Shape(
                "side:N",
                title=None,
                scale=alt.Scale(domain=["before", "after"], range=["circle", "diamond"]),
            ),
            tooltip=[
                alt.Tooltip("run:N", title="Run"),
                alt.Tooltip("size:Q", title=size_title, format=","),
                alt.Tooltip("accuracy:Q", title="Test accuracy", format=".2%"),
            ],
        )
    )
    return alt.layer(dots, data=rows).properties(height=340)
