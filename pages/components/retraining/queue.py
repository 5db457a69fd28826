"""What else runs or waits on this machine."""

from __future__ import annotations

import streamlit as st

from pages.components import figures, heading, state
from pages.components.badge import badge
from pages.components.text import plain
from pruning import quantities
from pruning.runs import library
from pruning.runs.folder import RunFolder
from pruning.strategy.description import describe

SHOWN = 8
_LENGTH = 36  # characters that fit beside the run


def others(folder: RunFolder) -> None:
    """List the other runs that are not finished, then the latest finished ones."""
    runs = [run for run in library.runs() if run.id != folder.id]
    active = [run for run in runs if run.state in ("queued", "running", "cancelling")]
    heading.section("On this machine")
    if not active:
        st.caption("Nothing else runs or waits.")
    for run in active[:SHOWN]:
        _entry(run)
    finished = [run for run in runs if run not in active][: max(0, SHOWN - len(active))]
    if finished:
        heading.part("Earlier")
    for run in finished:
        _entry(run)
    state.link("runs", "All runs", icon=":material/history:")


def _entry(run: library.RunSummary) -> None:
    words = (run.plan.name or describe(run.plan)) if run.plan else run.damaged
    with st.container(gap=None, key=f"other_{run.id}"):
        st.markdown(f"{badge(run.state)} {plain(run.model_name or run.model, 24)}")
        # A link to the page that is open would be drawn as the chosen one.
        st.button(
            plain(words if len(words) <= _LENGTH else f"{words[: _LENGTH - 1].rstrip(' ·,')}…"),
            key=f"open_{run.id}",
            type="tertiary",
            help=f"Open this run: {plain(words)}",
            on_click=_open,
            args=(run,),
        )
        if came_to := _came_to(run):
            st.caption(came_to)


def _came_to(run: library.RunSummary) -> str:
    """What tells a finished run from the next, when both begin with the same words."""
    results = run.results
    parts = []
    if flops := results.get("flops"):
        parts.append(f"FLOPs {quantities.factor(flops['before'], flops['after'], 'FLOPs')}")
    if quality := results.get("accuracy"):
        unit = figures.quality_unit(results.get("metric"))
        parts.append(figures.written(quality["after"], unit))
    return ", ".join(parts)


def _open(run: library.RunSummary) -> None:
    state.select(run=run.id, model=run.model or None, data=run.data or None, plan=None)
