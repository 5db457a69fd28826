"""Accuracy tab: the paired difference, per class, confusion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components.text import visible
from pruning import quantities
from pruning.charts import comparison as charts
from pruning.comparison.result import Comparison, Scores
from pruning.runs.folder import RunFolder

_NAME = 24


def show(folder: RunFolder, result: Comparison) -> None:
    """Draw quality before and after, overall and by class."""
    st.dataframe(_overall(result), hide_index=True)
    if result.both_right is not None:
        _pairs(result)
    if result.classes:
        _classes(result)
    if result.confusion_before:
        _confusion(result)


def _overall(result: Comparison) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row("before", result.before),
            _row("after", result.after),
            {
                "model": "difference, paired",
                "metric": _number(result.before.metric, result.difference.value, signed=True),
                "95 % interval": _interval(result.before.metric, result.difference, signed=True),
                "loss": f"{result.after.loss - result.before.loss:+.4f}",
            },
        ]
    ).rename(columns={"metric": result.before.metric.replace("_", " ")})


def _row(name: str, scores: Scores) -> dict[str, str]:
    return {
        "model": name,
        "metric": _number(scores.metric, scores.value.value),
        "95 % interval": _interval(scores.metric, scores.value),
        "loss": f"{scores.loss:.4f}",
    }


def _number(metric: str, value: float, *, signed: bool = False) -> str:
    if metric == "mae":
        return f"{value:+.4g}" if signed else f"{value:.4g}"
    return quantities.points(value) if signed else quantities.percent(value)


def _interval(metric: str, interval: object, *, signed: bool = False) -> str:
    low, high = interval.low, interval.high  # type: ignore[attr-defined]
    return f"{_number(metric, low, signed=signed)} to {_number(metric, high, signed=signed)}"


def _pairs(result: Comparison) -> None:
    counts = {
        "Both right": result.both_right,
        "Fixed: only after right": result.only_after,
        "Broken: only before right": result.only_before,
        "Both wrong": result.both_wrong,
    }
    with st.container(key="pairs"), st.grid(4, min_column_width=170):
        for label, number in counts.items():
            share = quantities.percent((number or 0) / result.samples)
            st.metric(
                label,
                f"{number:,}",
                f"{share} of the test samples",
                delta_color="off",
                delta_arrow="off",
                border=True,
            )


def _classes(result: Comparison) -> None:
    rows = pd.DataFrame(
        [
            {
                "name": visible(entry.name, _NAME),
                "count": entry.count,
                "before": entry.before,
                "after": entry.after,
            }
            for entry in result.classes
        ]
    )
    rows["change"] = rows["after"] - rows["before"]
    worst = rows.sort_values("change").iloc[0]
    st.altair_chart(
        charts.class_scores(rows),
        width="stretch",
        key="class_scores",
        alt=f"Accuracy by class before and after; the worst change is {worst['name']}, "
        f"{quantities.points(worst['change'])}.",
    )
    st.caption("Worst change first. Circle: before, diamond: after.")
    with st.expander("The numbers as a table", icon=":material/table:"):
        percent = st.column_config.NumberColumn(format="percent")
        st.dataframe(
            rows.sort_values("change"),
            hide_index=True,
            column_config={"before": percent, "after": percent, "change": percent},
        )


def _confusion(result: Comparison) -> None:
    names = [visible(entry.name, _NAME) for entry in result.classes]
    before, after = np.array(result.confusion_before), np.array(result.confusion_after)
    views = {
        "Difference": (after - before, True),
        "Before": (before, False),
        "After": (after, False),
    }
    choice = st.segmented_control(
        "Confusion matrix", list(views), default="Difference", required=True, key="confusion"
    )
    matrix, difference = views[choice]
    words = {
        "Difference": "Counts after minus before: off the diagonal, more is worse.",
        "Before": "Test samples by truth and prediction, before pruning.",
        "After": "Test samples by truth and prediction, after pruning.",
    }[choice]
    st.caption(words)
    rows = pd.DataFrame(
        [
            {"truth": names[i], "predicted": names[j], "count": int(matrix[i, j])}
            for i in range(len(names))
            for j in range(len(names))
        ]
    )
    st.altair_chart(
        charts.confusion(rows, difference=difference),
        width="content",
        key=f"confusion_{choice}",
        alt=f"Confusion matrix of {len(names)} classes. {words}",
    )
