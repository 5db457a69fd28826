"""All runs of a model in one picture."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pruning.charts.theme import (
    AFTER,
    BEFORE,
    COUNT_LABEL,
    NUMBER_LABEL,
    PERCENT_LABEL,
    number_of,
    percent_of,
)


def quality_against_size(
    rows: pd.DataFrame, *, size_title: str, title: str = "Test accuracy", percent: bool = True
) -> alt.LayerChart | alt.FacetChart:
    """Scatter of quality against size; the original is drawn as a circle, runs as diamonds.

    Args:
        rows: Columns ``run``, ``size``, ``quality``, ``side`` ("before" or "after").
        size_title: Axis title with the unit.
        title: Of what the models are judged by.
        percent: It is a fraction of one; otherwise it is in the target's own unit.
    """
    words = percent_of("quality", 2) if percent else number_of("quality")
    dots = (
        alt.Chart()
        .transform_calculate(words=words)
        .mark_point(filled=True, size=110, opacity=0.9)
        .encode(
            x=alt.X(
                "size:Q",
                title=size_title,
                scale=alt.Scale(zero=True, nice=True),
                axis=alt.Axis(labelExpr=COUNT_LABEL, tickCount=8),
            ),
            y=alt.Y(
                "quality:Q",
                title=title,
                # Not to round numbers: that would be 110 % above an accuracy of 100 %.
                scale=alt.Scale(zero=False, padding=12, nice=False),
                axis=_quality_axis(percent),
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
                alt.Tooltip("words:N", title=title),
            ],
        )
    )
    return alt.layer(dots, data=rows).properties(height=340)


def _quality_axis(percent: bool) -> alt.Axis:
    return alt.Axis(labelExpr=PERCENT_LABEL if percent else NUMBER_LABEL, tickCount=6)
