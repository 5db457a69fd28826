"""Before and after, drawn."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import pandas as pd

from pruning.charts.theme import (
    AFTER,
    BEFORE,
    DARK,
    FROZEN,
    INK_EXPRESSION,
    PERCENT_LABEL,
    percent_of,
)

FRAME = 110  # pixels for axes, titles and legend: Streamlit fits all of them into the height
# Opacity of the largest count, on a dark page or not: a number on it has a contrast of 4.5 to 1.
STRONGEST = {False: 0.8, True: 0.6}
_FAR = 2  # times the 95th percentile: what takes longer is drawn at the chart's end
SIDES = alt.Scale(domain=["before", "after"], range=[BEFORE, AFTER])


def class_scores(
    rows: pd.DataFrame, *, classes: int, score: str = "Accuracy", counted: str = "Test samples"
) -> alt.LayerChart | alt.FacetChart:
    """Score of each class before and after as two points on a line, in the order of the rows.

    Args:
        rows: Columns ``name``, ``whole`` (the name unshortened), ``count``, ``before``, ``after``.
        classes: How many rows there are.
        score: What is drawn of a class.
        counted: What there are ``count`` of.
    """
    y = alt.Y("name:N", sort=None, title=None, axis=_names(160))
    line = (
        alt.Chart()
        .mark_rule(color=FROZEN)
        .encode(y=y, x=alt.X("before:Q", title=f"{score} of the class"), x2="after:Q")
    )
    dots = (
        alt.Chart()
        .transform_fold(["before", "after"], as_=["side", "score"])
        .transform_calculate(words=percent_of("score"))
        .mark_point(filled=True, size=90, opacity=1)
        .encode(
            y=y,
            x=alt.X(
                "score:Q",
                scale=alt.Scale(zero=False),
                axis=alt.Axis(labelExpr=PERCENT_LABEL, tickCount=8),
            ),
            color=alt.Color("side:N", scale=SIDES, title=None, legend=alt.Legend(orient="top")),
            shape=alt.Shape(
                "side:N",
                scale=alt.Scale(domain=["before", "after"], range=["circle", "diamond"]),
                title=None,
            ),
            tooltip=[
                alt.Tooltip("whole:N", title="Class"),
                alt.Tooltip("count:Q", title=counted, format=","),
                alt.Tooltip("side:N", title="Model"),
                alt.Tooltip("words:N", title=score),
            ],
        )
    )
    return alt.layer(line, dots, data=rows).properties(height=FRAME + 26 * classes)


def confusion(
    rows: pd.DataFrame,
    *,
    classes: int,
    limit: int,
    view: Literal["difference", "before", "after"],
) -> alt.LayerChart | alt.FacetChart:
    """A confusion matrix as a heat map with its counts written in the cells.

    The stronger the colour, the more samples: on light and dark alike, nothing is no colour.

    Args:
        rows: Columns ``truth``, ``predicted``, ``count``, row by row of the matrix.
        classes: How many there are.
        limit: Largest absolute count, at least 1: the end of the scale.
        view: ``difference``: signed counts, orange where after has more, blue where it has fewer.
    """
    difference = view == "difference"
    more = BEFORE if view == "before" else AFTER
    base = alt.Chart().encode(
        x=alt.X("predicted:N", sort=None, title="Predicted", axis=_names(110)),
        y=alt.Y("truth:N", sort=None, title="Truth", axis=_names(110)),
        tooltip=[
            alt.Tooltip("truth:N", title="Truth"),
            alt.Tooltip("predicted:N", title="Predicted"),
            alt.Tooltip("count:Q", title="Change" if difference else "Samples", format=","),
        ],
    )
    # The root keeps a few confusions visible beside hundreds of right answers.
    strongest = f"({DARK} ? {STRONGEST[True]} : {STRONGEST[False]})"
    strength = alt.ExprRef(f"{strongest} * sqrt(abs(datum.count) / {limit})")
    cells = base.mark_rect(
        stroke=FROZEN, strokeOpacity=0.25, strokeWidth=0.5, fillOpacity=strength
    ).encode(color=alt.condition("datum.count < 0", alt.value(BEFORE), alt.value(more)))
    layers: list[Any] = [cells]
    if classes <= 20:
        numbers = base.transform_filter(alt.datum.count != 0).mark_text(
            fontSize=11, color=alt.ExprRef(INK_EXPRESSION)
        )
        number = alt.Text("count:Q", format="+,d" if difference else ",d")
        layers.append(numbers.encode(text=number))
    return alt.layer(*layers, data=rows).properties(height=_side(classes) + FRAME)


def _names(limit: int) -> alt.Axis:
    """Names at most ``limit`` pixels long, each beside its row.

    Streamlit's theme moves the first and the last label inwards: good for numbers, wrong for rows.
    """
    return alt.Axis(labelLimit=limit, labelFlush=False)


def confusion_width(classes: int) -> int:
    """Pixels that a confusion matrix of so many classes is best drawn in."""
    return max(360, _side(classes) + 2 * FRAME)


def _side(classes: int) -> int:
    return min(560, max(160, 34 * classes))


def within_reach(rows: pd.DataFrame) -> pd.DataFrame:
    """Put the few calls that took far longer than nearly all others at the chart's end.

    One call that the machine was busy in would otherwise press all others into a corner.

    Args:
        rows: Columns ``side``, ``time``.

    Returns:
        Columns ``side``, ``time``, ``drawn`` (at most twice the slower side's 95th percentile) and
        ``beyond`` (whether ``time`` is more than that).
    """
    end = _FAR * rows.groupby("side")["time"].quantile(0.95).max()
    beyond = rows["time"] > end
    return rows.assign(drawn=rows["time"].mask(beyond, end), beyond=beyond)


def latencies(rows: pd.DataFrame, *, unit: str = "milliseconds") -> alt.LayerChart | alt.FacetChart:
    """Single latency measurements before and after, with the median as a tick.

    Args:
        rows: From :func:`within_reach`; what is beyond is an arrowhead.
        unit: Of the time.
    """
    y = alt.Y("side:N", sort=["before", "after"], title=None, axis=_names(90))
    color = alt.Color("side:N", scale=SIDES, legend=None)
    base = alt.Chart()
    dots = base.mark_point(filled=True).encode(
        x=alt.X(
            "drawn:Q",
            title=f"{unit.capitalize()} per sample, logarithmic",
            scale=alt.Scale(type="log", nice=False),  # or a decade of nothing beside the times
        ),
        y=y,
        color=color,
        opacity=alt.condition(alt.datum.beyond, alt.value(1), alt.value(0.35)),
        size=alt.condition(alt.datum.beyond, alt.value(110), alt.value(36)),
        shape=alt.condition(alt.datum.beyond, alt.value("triangle-right"), alt.value("circle")),
        tooltip=[
            alt.Tooltip("side:N", title="Model"),
            alt.Tooltip("time:Q", title=unit.capitalize(), format=".3r"),
        ],
    )
    middle = base.mark_tick(thickness=3, size=34).encode(x="median(time):Q", y=y, color=color)
    return alt.layer(dots, middle, data=rows).properties(height=170)
