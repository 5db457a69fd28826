"""The verdict, the strip of figures and the tabs behind it."""

from __future__ import annotations

import streamlit as st

from pages.components import errors, figures, heading, jobs, state
from pages.components.comparison import advice, quality, samples, speed, structure, training
from pages.components.text import plain
from pruning import quantities
from pruning.comparison.result import Comparison, Latency, Scores, Sizes
from pruning.comparison.verdict import verdict
from pruning.runs.folder import RunFolder
from pruning.runs.status import status
from pruning.strategy.description import describe
from pruning.strategy.plan import PruningPlan


def require_done(folder: RunFolder) -> Comparison | None:
    """Return the run's comparison, None when it had no data; stop the page while it is not done.

    Who waits here sees the comparison as soon as there is one.
    """
    current = status(folder)
    if current.state != "done":
        with st.container(border=True, key="missing_result"):
            why = "it made no model to compare" if current.final else "nothing to compare yet"
            st.markdown(f"This run is **{current.state}**: {why}.")
            if not current.final:
                jobs.watch({"This run": str(folder.path)})
            state.link("retraining", "Look at the run", icon=":material/arrow_forward:")
        st.stop()
    return Comparison.load(folder.comparison) if folder.comparison.exists() else None


def show(folder: RunFolder, result: Comparison | None) -> None:
    """Draw the whole comparison of a finished run."""
    if result is None:
        st.info("This run had no data, so quality was not compared.", icon=":material/info:")
        structure.show(folder)
        return
    with st.container(key="verdict"):
        heading.section(plain(verdict(result)))
    st.caption(_done(folder))
    figures.strip(_strip(result), key="figures", columns=3)
    figures.legend()
    advice.show(folder, result)
    for note in result.notes:
        st.caption(f":material/info: {plain(note)}")
    sheets = {
        "Quality": quality.show,
        "Samples": samples.show,
        "Speed": speed.show,
        "Structure": lambda run, _: structure.show(run),
        "Training": training.show,
    }
    tabs = st.tabs(list(sheets), key="sheet", on_change="rerun", bind="query-params")
    for tab, sheet in zip(tabs, sheets.values(), strict=True):
        if tab.open:
            with tab, errors.shown():
                sheet(folder, result)


def _done(folder: RunFolder) -> str:
    """What was done, for who only has the link: the name of the plan, and the plan in words."""
    plan = PruningPlan.from_dict(folder.read(folder.plan))
    named = f"**{plain(plan.name, 80)}** · " if plan.name else ""
    return f"{named}{plain(describe(plan))}"


def _strip(result: Comparison) -> list[figures.Figure]:
    before, after = result.sizes_before, result.sizes_after
    return [
        _parameters(before, after),
        figures.Figure("FLOPs", "flops", after.flops, before.flops, "exact", "For one sample."),
        figures.Figure("File", "bytes", after.bytes, before.bytes, "exact", figures.AS_SAVED),
        figures.Figure("gzip", "bytes", after.gzip_bytes, before.gzip_bytes, "exact", "Level 6."),
        _latency(result.latency_before, result.latency_after),
        _quality(result.before, result.after, result),
    ]


def _parameters(before: Sizes, after: Sizes) -> figures.Figure:
    """Parameters; of a model whose weights were zeroed, those that are not zero."""
    if after.params == before.params and after.nonzero_params < before.nonzero_params:
        return figures.Figure(
            "Nonzero parameters", "params", after.nonzero_params, before.nonzero_params, "exact",
            f"Of {after.params:,} in both models: zeroed weights stay in their place.",
        )  # fmt: skip
    return figures.Figure("Parameters", "params", after.params, before.params, "exact")


def _latency(before: Latency, after: Latency) -> figures.Figure:
    measured = after.median_ms is not None
    detail = f"Median of {after.runs} calls, LiteRT, one thread, one sample." if measured else ""
    return figures.Figure(
        "Latency",
        "ms",
        after.median_ms,
        before.median_ms,
        "measured" if measured else None,
        detail or after.note,
        caption="" if measured else "not measured",
    )


def _quality(before: Scores, after: Scores, result: Comparison) -> figures.Figure:
    value, detail = after.value, f"On {result.samples:,} test samples."
    if after.metric == "mae":
        unit: figures.Unit = "error"
        interval = quantities.number_interval(value.value, value.low, value.high)
    else:
        unit = "accuracy"
        interval = quantities.percent_interval(value.value, value.low, value.high)
    return figures.Figure(
        figures.QUALITY[after.metric],
        unit,
        value.value,
        before.value.value,
        "measured",
        f"{detail} {interval}",
        shown=not result.difference.holds_zero,
    )
