"""Curves of a retraining run, with the level of the model before pruning."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from pruning.charts import training as charts
from pruning.runs.folder import RunFolder


def show(folder: RunFolder, metrics: list[dict[str, Any]]) -> None:
    """Draw each quantity that the metrics hold; draws nothing before the first step."""
    request = folder.read(folder.request)
    baseline = state.baseline(request.get("model"), request.get("data"))
    references = {}
    if baseline is not None:
        references["loss"] = baseline.loss
        if baseline.metric == "accuracy":
            references["accuracy"] = baseline.value.value
    drawn = [name for name in charts.QUANTITIES if len(charts.points(metrics, name)) > 0]
    if not drawn:
        return
    with st.container(key="curves"), st.grid(2, min_column_width=320):
        for name in drawn:
            points = charts.points(metrics, name)
            st.altair_chart(
                charts.curve(points, name, reference=references.get(name)),
                width="stretch",
                key=f"curve_{name}",
                alt=f"{charts.QUANTITIES[name]} over {points['step'].max():,} training steps; "
                f"last value {points['value'].iloc[-1]:.4g}.",
            )
    if references:
        st.caption("Dashed blue: the model before pruning, on the test samples.")
    with st.expander("The numbers as a table", icon=":material/table:"):
        st.dataframe(metrics, hide_index=True, height=240)
