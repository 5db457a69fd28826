"""Speed tab: LiteRT latency and the time of a training step."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import chart
from pruning import quantities
from pruning.charts import comparison as charts
from pruning.comparison.result import Comparison
from pruning.runs.folder import RunFolder


def show(folder: RunFolder, result: Comparison) -> None:
    """Draw the latency measurements and the training times."""
    before, after = result.latency_before, result.latency_after
    if before.median_ms is None or after.median_ms is None:
        st.info(f"Latency was not measured. {after.note or before.note}", icon=":material/info:")
    else:
        rows = pd.DataFrame(
            [("before", value) for value in before.samples_ms]
            + [("after", value) for value in after.samples_ms],
            columns=["side", "milliseconds"],
        )
        if len(rows):
            chart.show(
                charts.latencies,
                rows,
                key="latencies",
                alt=f"Latency: median {before.median_ms:.3f} ms before, "
                f"{after.median_ms:.3f} ms after.",
            )
        st.caption(
            "LiteRT on this machine, one thread, one sample; before and after measured in turn, "
            "so that a busy machine slows both."
        )
        st.dataframe(_latency_table(result), hide_index=True)
    training(result)


def _latency_table(result: Comparison) -> pd.DataFrame:
    before, after = result.latency_before, result.latency_after
    rows = [
        ("median (p50)", before.median_ms, after.median_ms),
        ("p95", before.p95_ms, after.p95_ms),
    ]
    return pd.DataFrame(
        [
            {
                "LiteRT": name,
                "before": quantities.milliseconds(old),
                "after": quantities.milliseconds(new),
                "change": quantities.factor(old, new, "ms"),
            }
            for name, old, new in rows
            if old is not None and new is not None
        ]
    )


def training(result: Comparison) -> None:
    """Say how long a step and the whole retraining took."""
    seconds = result.seconds
    old, new = seconds.get("step_before"), seconds.get("step_after")
    if old and new:
        st.markdown(
            f"**One training step:** {quantities.change(1000 * old, 1000 * new, 'ms')}, "
            "measured during this run."
        )
    if seconds.get("train"):
        st.markdown(f"**Retraining took** {quantities.duration(seconds['train'])}.")
