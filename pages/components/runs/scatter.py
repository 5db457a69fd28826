"""Quality against size of all finished runs of one model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.components import chart, figures, heading, state
from pages.components.text import visible
from pruning.charts import runs as charts
from pruning.runs.library import RunSummary

_NAME = 26  # characters that fit beside the number of runs
_SIZES = {"flops": "FLOPs", "params": "Parameters", "gzip_bytes": "gzip bytes"}


def show(runs: Sequence[RunSummary]) -> None:
    """Draw the trade-off of the model with the most runs, or of the one that is open."""
    finished = [run for run in runs if run.results.get("accuracy")]
    if not finished:
        return
    counts = Counter(run.model for run in finished)
    models = [model for model, _ in counts.most_common()]
    opened = state.current().model
    heading.section("Quality against size")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {run.model: visible(run.model_name or run.model, _NAME) for run in finished}
        model = st.selectbox(
            "Model",
            models,
            models.index(opened) if opened in models else 0,
            format_func=lambda key: f"{names[key]} ({counts[key]})",
            key="scatter_model",
            width=320,
        )
        size = st.segmented_control(
            "Size",
            list(_SIZES),
            default="flops",
            required=True,
            format_func=_SIZES.__getitem__,
            key="scatter_size",
            wrap=True,
        )
    own = [run for run in finished if run.model == model]
    metric = _metric(own[0])  # the newest run's; others cannot stand on the same axis
    own = [run for run in own if _metric(run) == metric]
    title = figures.QUALITY[metric]
    chart.show(
        charts.quality_against_size,
        _rows(own, size),
        key="scatter",
        size_title=_SIZES[size],
        title=title,
        percent=metric != "mae",
        alt=f"{title} against {_SIZES[size]} of {len(own)} runs and the original.",
    )


def _metric(run: RunSummary) -> str:
    return str(run.results.get("metric") or "accuracy")


def _rows(runs: Sequence[RunSummary], size: str) -> pd.DataFrame:
    rows = [
        {
            "run": run.id,
            "size": run.results[size]["after"],
            "quality": run.results["accuracy"]["after"],
            "side": "after",
        }
        for run in runs
    ]
    first = runs[0].results
    original = {
        "run": "the original",
        "size": first[size]["before"],
        "quality": first["accuracy"]["before"],
        "side": "before",
    }
    return pd.DataFrame([original, *rows])
