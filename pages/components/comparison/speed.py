"""Speed tab: LiteRT latency and the time of a training step."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.components import chart, jobs, works
from pages.components.columns import NAME_CELL, NAME_WIDTH, SHORT, latency_unit
from pages.components.text import labels
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
        medians = (before.median_ms, after.median_ms)
        # All of the tab in one unit, as the figures above it when those are in microseconds.
        short = max(medians) < SHORT or quantities.in_microseconds(medians)
        rows = pd.DataFrame(
            [("before", value) for value in before.samples_ms]
            + [("after", value) for value in after.samples_ms],
            columns=["side", "time"],
        )
        rows["time"] *= 1000 if short else 1
        if len(rows):
            drawn = charts.within_reach(rows)
            chart.show(
                charts.latencies,
                drawn,
                key="latencies",
                alt=f"Latency: median {quantities.milliseconds(before.median_ms, short=short)} "
                f"before, {quantities.milliseconds(after.median_ms, short=short)} after.",
                unit="microseconds" if short else "milliseconds",
            )
            _beyond(int(drawn["beyond"].sum()), len(drawn))
        st.caption(
            "LiteRT on this machine, one thread, one sample; before and after measured in turn, "
            "so that a busy machine slows both."
        )
        st.dataframe(_latency_table(result, short=short), hide_index=True)
        _by_layer(folder)
    training(result)


def _beyond(calls: int, of: int) -> None:
    if calls:
        st.caption(
            f"▶ {calls:,} of {quantities.plural(of, 'call')} took longer than the chart is wide; "
            "the table has the slowest."
        )


def _by_layer(folder: RunFolder) -> None:
    """Draw each layer's latency before and after, measured when somebody wants to know."""
    if not st.toggle("Layer by layer", key="by_layer", bind="query-params"):
        return
    model = str(folder.read(folder.request)["model"])
    sides = {}
    for side, work in (
        ("before", works.layer_latency(model)),
        ("after", works.pruned_layer_latency(folder.id)),
    ):
        found = jobs.follow(work)["layer_latency"]
        if found is not None:
            sides[side] = found["layers"]
    if len(sides) == 2:
        table, unit = latency_unit(
            layer_table(sides["before"], sides["after"]), ("before", "after")
        )
        st.dataframe(
            table,
            hide_index=True,
            column_config={
                "layer": st.column_config.TextColumn("Layer", pinned=True, width=NAME_WIDTH),
                "before": st.column_config.NumberColumn("Before", format=unit),
                "after": st.column_config.NumberColumn("After", format=unit),
                "share": st.column_config.NumberColumn("After ÷ before", format="%.2f×"),
            },
        )
        st.caption(
            "Measured: each layer alone on LiteRT, one thread, one sample; the original's and the "
            "pruned model's at different moments, so that a busy machine shows in the last column. "
            "In the whole model neighbours are joined and take less."
        )


def layer_table(
    before: Mapping[str, float | None], after: Mapping[str, float | None]
) -> pd.DataFrame:
    """Layers in the original's order, milliseconds before and after.

    Returns:
        Columns ``layer`` (shortened), ``before``, ``after`` (missing where a layer is gone or could
        not be timed), ``share`` (after ÷ before).
    """
    names = labels(before, NAME_CELL)
    rows = [(names[name], ms, after.get(name)) for name, ms in before.items()]
    frame = pd.DataFrame(rows, columns=["layer", "before", "after"])
    frame = frame.astype({"before": float, "after": float})
    frame["share"] = frame["after"] / frame["before"]
    return frame


def _latency_table(result: Comparison, *, short: bool) -> pd.DataFrame:
    before, after = result.latency_before, result.latency_after
    rows = [
        ("median (p50)", before.median_ms, after.median_ms),
        ("p95", before.p95_ms, after.p95_ms),
        ("slowest", max(before.samples_ms, default=None), max(after.samples_ms, default=None)),
    ]
    return pd.DataFrame(
        [
            {
                "LiteRT": name,
                "before": quantities.milliseconds(old, short=short),
                "after": quantities.milliseconds(new, short=short),
                # Of the slowest call it would say how busy the machine was.
                "change": quantities.factor(old, new, "ms") if name != "slowest" else "",
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
