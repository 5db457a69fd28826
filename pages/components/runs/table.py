"""The table of all runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import figures, header, state
from pages.components.columns import share_bar
from pages.components.text import visible
from pruning.runs import library
from pruning.runs.library import RunSummary
from pruning.strategy.description import describe

REFRESH_SECONDS = 3.0
_MODEL_CELL = 22  # characters that fit: both ends of a name are seen
_TALLEST = 15  # rows of a table that is shown whole
_SYMBOLS = {
    "queued": "◷",
    "running": "▶",
    "cancelling": "◼",
    "done": "✓",
    "failed": "✗",
    "cancelled": "⊘",
    "killed": "☠",
    "damaged": "⚠",
}


def show(runs: Sequence[RunSummary], tags: Sequence[str] = ()) -> list[RunSummary]:
    """Draw the table and return the selected runs, in the table's order.

    Args:
        runs: Those to show.
        tags: That all of these have: without any run there may be others.
    """
    if not runs and tags:
        st.info("No run has all of these tags.", icon=":material/info:")
        return []
    if not runs:
        with st.container(border=True, key="missing_runs"):
            st.markdown(
                "No run yet. A run prunes a model, retrains it and compares before and after."
            )
            words, page = header.before_a_run()
            state.link(page, words, icon=":material/arrow_forward:")
        return []
    key = "_".join(["runs", *tags])  # a selection is of rows: other rows, another selection
    _keep_selection(key, [run.id for run in runs])
    frame = pd.DataFrame([_row(run) for run in runs])
    selection = st.dataframe(
        frame if library.tags_of(runs) else frame.drop(columns="tags"),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
        height="content" if len(runs) <= _TALLEST else 560,
        column_config=_columns(),
        alt=f"{len(runs)} runs, newest first.",
    )
    rows = selection["selection"]["rows"]
    return [runs[row] for row in sorted(rows) if row < len(runs)]


def _keep_selection(key: str, ids: list[str]) -> None:
    """Have the same runs selected where one came or was deleted, and not their neighbours.

    Args:
        key: Of the table.
        ids: Of the runs that it will show.
    """
    drawn: dict[str, list[str]] = st.session_state.setdefault("runs of each table", {})
    before, drawn[key] = drawn.get(key, ids), ids
    stored = st.session_state.get(key)
    if stored is None or before == ids:
        return
    chosen = {before[row] for row in stored["selection"]["rows"] if row < len(before)}
    rows = [row for row, identifier in enumerate(ids) if identifier in chosen]
    st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}


def follow(runs: Sequence[RunSummary]) -> None:
    """Draw the page again when a run of these has changed its state, or another has come."""
    if any(run.state in ("queued", "running", "cancelling") for run in runs):
        _refresh({run.id: run.state for run in runs})


@st.fragment(run_every=REFRESH_SECONDS)
def _refresh(shown: Mapping[str, str]) -> None:
    if {run.id: run.state for run in library.runs()} != dict(shown):
        st.rerun()


def _row(run: RunSummary) -> dict[str, Any]:
    results = run.results
    return {
        "status": f"{_SYMBOLS[run.state]} {run.state}",
        "started": datetime.fromtimestamp(run.created, UTC),
        "model": visible(run.model_name or run.model, _MODEL_CELL),
        "plan": run.damaged or _plan(run),
        "tags": [visible(tag, library.LONGEST_TAG) for tag in run.tags] or None,
        "params": _left(results.get("params")),
        "flops": _left(results.get("flops")),
        "gzip": _left(results.get("gzip_bytes")),
        "quality": _quality(run),
        "curve": list(run.accuracy) if len(run.accuracy) > 1 else None,
        "note": visible(run.note, 60) if run.note else "",
        "run": run.id,
    }


def _plan(run: RunSummary) -> str:
    return visible(run.plan.name or describe(run.plan), 80) if run.plan else ""


def _quality(run: RunSummary) -> str:
    """Before → after of the run's metric; empty without data."""
    pair = run.results.get("accuracy")
    if not pair:
        return ""
    unit = figures.quality_unit(run.results.get("metric"))
    return f"{figures.written(pair['before'], unit)} → {figures.written(pair['after'], unit)}"


def _left(pair: Mapping[str, float] | None) -> float | None:
    """Share that is left, in percent."""
    return 100 * pair["after"] / pair["before"] if pair and pair.get("before") else None


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "status": column.TextColumn("Status", width=90),
        "started": column.DatetimeColumn("Started", format="distance", width=110),
        "model": column.TextColumn("Model", width=170),
        "plan": column.TextColumn("Plan", width=425),
        "tags": column.ListColumn("Tags", width=150),
        "params": share_bar("Params left", "Of the original's."),
        "flops": share_bar("FLOPs left", "Of the original's."),
        "gzip": share_bar("gzip left", "Of the original's gzip size."),
        "quality": column.TextColumn(
            "Test before → after", width=125, help="Measured on the same samples."
        ),
        "curve": column.LineChartColumn("Validation", width=80, help="Accuracy while retraining."),
        "note": column.TextColumn("Note", width=95),
        "run": column.TextColumn("Run", width=175),
    }
