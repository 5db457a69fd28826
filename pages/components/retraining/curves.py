"""Curves of a retraining run, with the level of the model before pruning."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import chart, state
from pages.components.retraining.metrics import Progress
from pruning import quantities
from pruning.charts import training as charts
from pruning.runs.folder import RunFolder

_HIDDEN = ("t", "format")  # in the table: when a line was written says little


def show(folder: RunFolder, read: Progress) -> None:
    """Draw each quantity that the metrics hold; draws nothing before the first step."""
    lines = read.shown()
    levels = _levels(folder)
    points = {name: charts.points(lines, name) for name in charts.QUANTITIES}
    drawn = {name: rows for name, rows in points.items() if len(rows)}
    if not drawn:
        return
    with st.container(key="curves"), st.grid(2, min_column_width=320):
        for name, rows in drawn.items():
            chart.show(
                charts.curve,
                rows,
                key=f"curve_{name}",
                alt=f"{charts.QUANTITIES[name]} over {rows['step'].max():,} training steps; "
                f"last value {quantities.number(rows['value'].iloc[-1])}.",
                quantity=name,
                reference=levels.get(name),
            )
    dots = " Dots: its first steps." if _few(drawn) else ""
    thinned = f" One in {read.stride} training steps is drawn." if read.stride > 1 else ""
    level = " Dashed blue: the model before pruning, on the test samples." if levels else ""
    st.caption(f"Thin: training; thick with diamonds: validation.{dots}{level}{thinned}")
    table = st.expander(
        "The numbers as a table", icon=":material/table:", key="numbers", on_change="rerun"
    )
    if table.open:
        frame = pd.DataFrame(lines).drop(columns=list(_HIDDEN), errors="ignore")
        with table:
            st.dataframe(frame, hide_index=True, height=240)
            st.caption(f"{len(lines):,} of {quantities.plural(read.lines, 'line')}.")


def _few(drawn: dict[str, pd.DataFrame]) -> bool:
    """Whether training has so few points that they are drawn as dots beside their line."""
    counts = [(rows["split"] == "training").sum() for rows in drawn.values()]
    return any(0 < count <= charts.DOTS for count in counts)


def _levels(folder: RunFolder) -> dict[str, float]:
    """What the unpruned model reaches, by quantity; empty when it was not evaluated."""
    request = folder.read(folder.request)
    baseline = state.baseline(request.get("model"), request.get("data"))
    if baseline is None:
        return {}
    levels = {"loss": baseline.loss}
    if baseline.metric == "accuracy":
        levels["accuracy"] = baseline.value.value
    return levels
