"""Two runs side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components import figures, heading, state
from pages.components.text import visible
from pruning import quantities
from pruning.comparison.result import Comparison
from pruning.runs import library
from pruning.runs.library import Row, RunSummary

_RATIO = "plan.ratios."
_LATENCY = "result.latency"
_NAMES = {"model.name": "model"}
# What came out stands first, then what was asked for. Labels and units by the name's beginning.
_RESULTS: dict[str, tuple[str, figures.Unit]] = {
    "result.accuracy": ("", "accuracy"),  # labelled by the run's metric
    _LATENCY: ("Latency", "ms"),
    "result.flops": ("FLOPs", "flops"),
    "result.params": ("Parameters", "params"),
    "result.bytes": ("File", "bytes"),
    "result.gzip_bytes": ("gzip", "bytes"),
}
_SECONDS = "result.seconds."
_FRACTIONS = (
    "plan.target.value",
    "plan.schedule.initial_sparsity",
    "plan.schedule.begin",
    "plan.schedule.end",
    "plan.training.distillation",
    "result.sparsity",
)
_DIGITS = 6  # of a digest, to tell two apart
# Names of files, and what each run proves for itself.
_HIDDEN = ("result.model", "result.channels", "result.masks", "result.layers", "result.self_check")


def show(left: RunSummary, right: RunSummary) -> None:
    """Draw plans and figures of two runs, by default only what differs."""
    heading.section("Two runs side by side")
    only = st.toggle("Only what differs", True, key="only_differences")
    compared = [*library.compare_two(left, right), *_latencies(left, right)]
    rows = [row for row in compared if (row.differs or not only) and not _hidden(row, left, right)]
    if not rows:
        st.info("These two runs do not differ in anything recorded.", icon=":material/info:")
        return
    data = _data_names(left, right)
    metrics = [str(run.results.get("metric") or "accuracy") for run in (left, right)]
    names = [left.id, right.id]
    st.dataframe(
        pd.DataFrame(
            [
                [
                    _words(row.name, metrics),
                    *(data if row.name == "data" else _values(row, metrics)),
                ]
                for row in sorted(rows, key=_place)
            ],
            columns=["", *names] if names[0] != names[1] else ["", "first", "second"],
        ),
        hide_index=True,
    )


def _latencies(left: RunSummary, right: RunSummary) -> list[Row]:
    """Medians as measured in each run: its two models by turns, so only those are comparable."""
    sides = [_latency(run) for run in (left, right)]
    return [
        Row(f"{_LATENCY}.{name}", *(side[place] for side in sides))
        for place, name in enumerate(("before", "after"))
    ]


def _latency(run: RunSummary) -> tuple[float | None, float | None]:
    path = run.folder.comparison
    if run.state != "done" or not path.exists():
        return None, None
    result = Comparison.load(path)
    return result.latency_before.median_ms, result.latency_after.median_ms


def _data_names(left: RunSummary, right: RunSummary) -> list[str]:
    """Names of both runs' data; with a digest where one file was prepared in two ways."""
    manifests = [state.manifest(run.data) for run in (left, right)]
    runs = zip(manifests, (left, right), strict=True)
    names = [visible(m.name if m else run.data or "none", 40) for m, run in runs]
    if names[0] != names[1] or left.data == right.data:
        return names
    return [
        f"{name}, prepared as {run.data.rpartition('-')[2][:_DIGITS]}"
        for name, run in zip(names, (left, right), strict=True)
    ]


def _hidden(row: Row, left: RunSummary, right: RunSummary) -> bool:
    """A model's digest says something only where two models have one name."""
    if row.name == "model":
        return left.model_name != right.model_name or left.model == right.model
    return row.name.startswith(_HIDDEN)


def _place(row: Row) -> int:
    """Where a row stands: state and model, figures, the plan, its ratios, the rest."""
    parts = [*_RESULTS, "plan.ratios", "result"]
    for place, part in enumerate(parts):
        if row.name.startswith(part):
            return place + (len(parts) if place >= len(_RESULTS) else 0)
    return len(parts) if row.name.startswith("plan") else -1


def _words(name: str, metrics: list[str]) -> str:
    """``result.flops.after`` -> ``FLOPs after``; other names as the plan's file has them."""
    if name.startswith(_RATIO):
        return f"removed from {visible(name.removeprefix(_RATIO), 40)}"
    if name.startswith(_SECONDS):
        return f"time to {name.removeprefix(_SECONDS)}"
    if name in _NAMES:
        return _NAMES[name]
    head, _, side = name.rpartition(".")
    if head == "result.accuracy":
        same = metrics[0] == metrics[1]
        return f"{figures.QUALITY[metrics[0]] if same else 'Test quality'} {side}"
    if head in _RESULTS:
        return f"{_RESULTS[head][0]} {side}"
    return visible(name.replace(".", " › ").replace("_", " "), 60)


def _values(row: Row, metrics: list[str]) -> tuple[str, str]:
    """What both runs have there, latencies in one unit."""
    if row.name.startswith(_LATENCY):
        return (
            figures.written(row.left, "ms", row.right), figures.written(row.right, "ms", row.left)
        )  # fmt: skip
    return _value(row.name, row.left, metrics[0]), _value(row.name, row.right, metrics[1])


def _value(name: str, value: Any, metric: str) -> str:
    if value is None or value == ():
        return "—"
    head = name.rpartition(".")[0]
    if name.startswith(_RATIO) or name in _FRACTIONS:
        return quantities.percent(value)
    if name.startswith(_SECONDS):
        return quantities.duration(value)
    if head == "result.accuracy":
        return figures.written(value, figures.quality_unit(metric))
    if head in _RESULTS and _RESULTS[head][1] == "bytes":
        return quantities.size(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return visible(str(value), 80) if str(value) else "—"
    return f"{value:,}" if isinstance(value, int) else quantities.number(value, 6)
