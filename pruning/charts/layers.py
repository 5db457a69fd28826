"""Where a model's parameters and FLOPs are, and how a layer's weights and channels look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pruning import quantities
from pruning.charts.theme import (
    AFTER,
    ALTERNATING,
    BEFORE,
    COUNT_LABEL,
    FROZEN,
    HOLLOW,
    INK_EXPRESSION,
    PERCENT_LABEL,
    SELECTED,
    percent_of,
)

SELECTION = "layer"  # name of the charts' selection, and of the field that it returns: "name"
_LABEL_SHARE = 0.045  # a segment narrower than this has no room for a label
_HAIRLINE = 0.002
_APART = 96  # bars: more are drawn overlapping, or the screen would show stripes between them
FATES = ("kept", "removed")
_BARS: dict[str, tuple[str, Callable[[float], str]]] = {
    "params": ("Parameters", lambda value: f"{value:,.0f}"),
    "flops": ("FLOPs", lambda value: f"{value:,.0f}"),
    "latency": ("Latency", quantities.milliseconds),
}
_KINDS = ("shrinks", "shrinks, its neighbour", "keeps its size")
_KEEPS = f"datum.kind == '{_KINDS[2]}'"


def segments(frame: pd.DataFrame, selected: str | None) -> pd.DataFrame:
    """Lay the layers of the bars end to end: parameters, FLOPs, and latency where it is known.

    Args:
        frame: Columns ``full_name``, ``name``, ``cls``, ``params``, ``flops``,
            ``shrinks`` (some of its weights go when channels go), perhaps ``latency`` in ms.
        selected: Full name of the selected layer.

    Returns:
        A row for every segment: ``bar``, ``name`` (full), ``label``, ``cls``, ``amount`` in words,
        ``share``, ``start``, ``end``, ``middle``, ``kind`` and ``selected``. Layers of no cost are
        left out.
    """
    bars = []
    for column, (title, words) in _BARS.items():
        if column not in frame:
            continue
        rows = frame[frame[column] > 0]
        total = float(rows[column].sum()) or 1.0
        share = rows[column] / total
        end = share.cumsum()
        # Hairlines do not count, or the blocks on both sides of one would have the same shade.
        alternate = (share >= _HAIRLINE).cumsum() % 2
        kind = np.where(rows["shrinks"], np.take(_KINDS[:2], alternate), _KINDS[2])
        bars.append(
            pd.DataFrame(
                {
                    "bar": title,
                    "name": rows["full_name"],
                    "label": rows["name"].where(share >= _LABEL_SHARE, ""),
                    "short": rows["name"],
                    "cls": rows["cls"],
                    "amount": [words(value) for value in rows[column]],
                    "share": share,
                    "start": end - share,
                    "end": end,
                    "middle": end - share / 2,
                    "kind": kind,
                    "selected": rows["full_name"] == selected,
                }
            )
        )
    return pd.concat(bars, ignore_index=True)


def cost_bars(rows: pd.DataFrame, selected: str | None) -> alt.LayerChart | alt.FacetChart:
    """A bar each for parameters, FLOPs and latency, a segment a layer; click one to select it.

    Args:
        rows: From :func:`segments`.
        selected: Full name of the layer selected already.
    """
    value = [{"name": selected}] if selected else alt.Undefined
    click = alt.selection_point(name=SELECTION, fields=["name"], value=value, toggle=False)
    base = alt.Chart().encode(
        y=alt.Y(
            "bar:N",
            sort=[title for title, _ in _BARS.values()],
            title=None,
            axis=alt.Axis(ticks=False),
            scale=alt.Scale(paddingInner=0.25, paddingOuter=0.1),
        ),
    )
    blocks = (
        base.transform_calculate(words=percent_of("share"))
        .mark_bar(cursor="pointer")
        .encode(
            x=alt.X("start:Q", title=None,
                    axis=alt.Axis(labelExpr=PERCENT_LABEL, tickCount=5, grid=False),
                    scale=alt.Scale(domain=[0, 1], nice=False)),
            x2="end:Q",
            color=alt.Color("kind:N", legend=None,
                            scale=alt.Scale(domain=list(_KINDS), range=[*ALTERNATING, FROZEN])),
            fillOpacity=alt.condition(_KEEPS, alt.value(HOLLOW), alt.value(1)),
            stroke=alt.condition(_KEEPS, alt.value(FROZEN), alt.value(None)),
            tooltip=[
                alt.Tooltip("short:N", title="Layer"),
                alt.Tooltip("cls:N", title="Type"),
                alt.Tooltip("amount:N", title="Amount"),
                alt.Tooltip("words:N", title="Share"),
            ],
        )
        .add_params(click)
    )  # fmt: skip
    outline = (
        base.transform_filter(alt.datum.selected)
        .mark_bar(fillOpacity=0, stroke=SELECTED, strokeWidth=3)
        .encode(x="start:Q", x2="end:Q")
    )
    return alt.layer(blocks, outline, data=rows).properties(height=alt.Step(46))


def histogram_rows(edges: Sequence[float], counts: Sequence[int]) -> pd.DataFrame:
    """Bins of a histogram. -> columns ``low``, ``high``, ``count``.

    Args:
        edges: Borders of the bins, one more than ``counts``.
        counts: Weights in each bin.
    """
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "count": counts})


def weight_histogram(
    rows: pd.DataFrame, *, threshold: float | None = None
) -> alt.LayerChart | alt.FacetChart:
    """Histogram of one layer's weights.

    Args:
        rows: From :func:`histogram_rows`.
        threshold: Weights of at most this magnitude become zero: drawn as two rules.
    """
    bars = (
        alt.Chart()
        .mark_bar(color=BEFORE, binSpacing=0)
        .encode(
            x=alt.X("low:Q", title="Weight", bin="binned", axis=alt.Axis(format="~g")),
            x2="high:Q",
            y=alt.Y(
                "count:Q", title="Weights", axis=alt.Axis(labelExpr=COUNT_LABEL, tickMinStep=1)
            ),
            tooltip=[
                alt.Tooltip("low:Q", title="From", format=".4~g"),
                alt.Tooltip("high:Q", title="To", format=".4~g"),
                alt.Tooltip("count:Q", title="Weights", format=","),
            ],
        )
    )
    rules = [] if threshold is None else [_cut(alt.datum(side * threshold)) for side in (-1, 1)]
    return alt.layer(bars, *rules, data=rows).properties(height=220)


def score_rows(scores: np.ndarray, kept: np.ndarray | None = None) -> pd.DataFrame:
    """Channels as bars, the weakest first.

    Args:
        scores: (channels,), larger = keep.
        kept: Indices of the channels that stay; all when ``None``.

    Returns:
        Columns ``rank``, ``start`` and ``end`` of the bar, ``score``, ``channel``, ``fate``.
    """
    order = np.argsort(scores, kind="stable")
    stays = np.ones(len(scores), bool) if kept is None else np.isin(np.arange(len(scores)), kept)
    rank = np.arange(1, len(order) + 1)
    return pd.DataFrame(
        {
            "rank": rank,
            "start": rank - 1,
            "end": rank if len(rank) <= _APART else np.minimum(rank + 0.5, len(rank)),
            "score": scores[order],
            "channel": order,
            "fate": np.where(stays[order], *FATES),
        }
    )


def sorted_scores(
    rows: pd.DataFrame, *, unit: str, title: str, planned: bool = False
) -> alt.LayerChart | alt.FacetChart:
    """Channel scores, the weakest first; a rule marks the median, another where the plan cuts.

    Args:
        rows: From :func:`score_rows`.
        unit: What is counted: ``channel``, ``unit`` or ``head``.
        title: Of the scores: ``L1 score``.
        planned: Show what the plan removes.
    """
    base = alt.Chart()
    bars = base.mark_bar().encode(
        x=alt.X("start:Q", title=f"{unit.capitalize()}s, weakest first",
                axis=alt.Axis(tickMinStep=1, grid=False, format=",d"), scale=alt.Scale(nice=False)),
        x2="end:Q",
        y=alt.Y("score:Q", title=title),
        y2=alt.datum(0),
        color=alt.Color(
            "fate:N", title=None, scale=alt.Scale(domain=list(FATES), range=[BEFORE, FROZEN]),
            legend=alt.Legend(orient="top") if planned else None,
        ),
        tooltip=[
            alt.Tooltip("channel:Q", title=f"Index of the {unit}"),
            alt.Tooltip("rank:Q", title="Rank"),
            alt.Tooltip("score:Q", title="Score", format=".4~g"),
            alt.Tooltip("fate:N", title="In the plan"),
        ] if planned else [
            alt.Tooltip("channel:Q", title=f"Index of the {unit}"),
            alt.Tooltip("rank:Q", title="Rank"),
            alt.Tooltip("score:Q", title="Score", format=".4~g"),
        ],
    )  # fmt: skip
    rule = base.mark_rule(color=FROZEN, strokeDash=[5, 4]).encode(y="median(score):Q")
    words = base.mark_text(
        align="left", dx=4, dy=-6, color=alt.ExprRef(INK_EXPRESSION), fontSize=11
    ).encode(x=alt.value(0), y="median(score):Q", text=alt.value("median"))
    layers: list[Any] = [bars, rule, words]
    if planned:
        removed = base.transform_filter(alt.datum.fate == FATES[1])
        layers.append(_cut("max(rank):Q", removed))
    return alt.layer(*layers, data=rows).properties(height=220)


def _cut(where: Any, base: alt.Chart | None = None) -> Any:
    """A rule where the plan cuts."""
    # Aggregated to one row, or a rule would be drawn for each of the rows.
    chart = base if base is not None else alt.Chart().transform_aggregate(n="count()")
    return chart.mark_rule(color=AFTER, strokeDash=[6, 4], strokeWidth=2).encode(x=where)
