"""Where a model's parameters and FLOPs are, and how a layer's weights and channels look."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from pruning.charts.theme import ALTERNATING, BEFORE, FROZEN, SELECTED

SELECTION = "layer"  # name of the charts' selection, and of the field that it returns: "name"
_LABEL_SHARE = 0.045  # a segment narrower than this has no room for a label
_HAIRLINE = 0.002
_KINDS = ("shrinks", "shrinks, its neighbour", "frozen")


def segments(frame: pd.DataFrame, selected: str | None) -> pd.DataFrame:
    """Lay the layers of two bars end to end.

    Args:
        frame: Columns ``full_name``, ``name``, ``cls``, ``params``, ``flops``,
            ``shrinks`` (some of its weights go when channels go).
        selected: Full name of the selected layer.

    Returns:
        A row for every segment: ``bar``, ``name`` (full), ``label``, ``cls``, ``value``, ``share``,
        ``start``, ``end``, ``middle``, ``kind`` and ``selected``. Layers of no cost are left out.
    """
    bars = []
    for column, title in (("params", "Parameters"), ("flops", "FLOPs")):
        rows = frame[frame[column] > 0]
        total = max(int(rows[column].sum()), 1)
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
                    "value": rows[column],
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
    """One bar for the parameters, one for the FLOPs, a segment a layer; click one to select it.

    Args:
        rows: From :func:`segments`.
        selected: Full name of the layer selected already.
    """
    value = [{"name": selected}] if selected else alt.Undefined
    click = alt.selection_point(name=SELECTION, fields=["name"], value=value, toggle=False)
    base = alt.Chart(rows).encode(
        y=alt.Y(
            "bar:N",
            sort=["Parameters", "FLOPs"],
            title=None,
            axis=alt.Axis(ticks=False),
            scale=alt.Scale(paddingInner=0.25, paddingOuter=0.1),
        ),
    )
    blocks = (
        base.mark_bar(cursor="pointer")
        .encode(
            x=alt.X("start:Q", title=None, axis=alt.Axis(format="%", tickCount=5, grid=False),
                    scale=alt.Scale(domain=[0, 1], nice=False)),
            x2="end:Q",
            color=alt.Color("kind:N", legend=None,
                            scale=alt.Scale(domain=list(_KINDS), range=[*ALTERNATING, FROZEN])),
            tooltip=[
                alt.Tooltip("short:N", title="Layer"),
                alt.Tooltip("cls:N", title="Type"),
                alt.Tooltip("value:Q", title="Amount", format=","),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
        .add_params(click)
    )  # fmt: skip
    outline = (
        base.transform_filter(alt.datum.selected)
        .mark_bar(fillOpacity=0, stroke=SELECTED, strokeWidth=3)
        .encode(x="start:Q", x2="end:Q")
    )
    return alt.layer(blocks, outline).properties(height=132)


def weight_histogram(edges: Sequence[float], counts: Sequence[int]) -> alt.Chart:
    """Histogram of one layer's weights.

    Args:
        edges: Borders of the bins, one more than ``counts``.
        counts: Weights in each bin.
    """
    rows = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "count": counts})
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar(color=BEFORE, binSpacing=0)
        .encode(
            x=alt.X("low:Q", title="Weight", bin="binned", axis=alt.Axis(format="~g")),
            x2="high:Q",
            y=alt.Y("count:Q", title="Weights", axis=alt.Axis(format="~s")),
            tooltip=[
                alt.Tooltip("low:Q", title="From", format=".4~g"),
                alt.Tooltip("high:Q", title="To", format=".4~g"),
                alt.Tooltip("count:Q", title="Weights", format=","),
            ],
        )
        .properties(height=220)
    )
    return chart


def sorted_scores(scores: np.ndarray, unit: str) -> alt.LayerChart | alt.FacetChart:
    """Channel scores, the weakest first; a rule marks the median.

    Args:
        scores: (channels,), larger = keep.
        unit: What is counted: ``channel``, ``unit`` or ``head``.
    """
    order = np.argsort(scores, kind="stable")
    rows = pd.DataFrame(
        {"rank": np.arange(1, len(order) + 1), "score": scores[order], "channel": order}
    )
    bars = (
        alt.Chart(rows)
        .mark_bar(color=BEFORE, width={"band": 0.9})
        .encode(
            x=alt.X("rank:O", title=f"{unit.capitalize()}s, weakest first",
                    axis=alt.Axis(labels=len(order) <= 40, ticks=False, labelAngle=0)),
            y=alt.Y("score:Q", title="L1 score"),
            tooltip=[
                alt.Tooltip("channel:Q", title=f"Index of the {unit}"),
                alt.Tooltip("rank:O", title="Rank"),
                alt.Tooltip("score:Q", title="Score", format=".4~g"),
            ],
        )
    )  # fmt: skip
    median = alt.Chart(pd.DataFrame({"score": [float(np.median(scores))], "text": ["median"]}))
    rule = median.mark_rule(color=FROZEN, strokeDash=[5, 4]).encode(y="score:Q")
    words = median.mark_text(align="left", dx=4, dy=-6, color=FROZEN, fontSize=11).encode(
        x=alt.value(0), y="score:Q", text="text:N"
    )
    return alt.layer(bars, rule, words).properties(height=220)
