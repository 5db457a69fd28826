"""Saved plans of a model beside the one on the page: what each of them comes to."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components import figures, heading, state
from pages.components.columns import NAME_CELL, NAME_WIDTH, share_bar
from pages.components.strategy import outcome, plans
from pages.components.strategy.priced import Priced
from pages.components.text import visible
from pruning.analysis.profile import ModelProfile
from pruning.errors import PlanError
from pruning.runs.library import RunSummary
from pruning.strategy import library
from pruning.strategy.description import describe
from pruning.strategy.plan import PruningPlan
from pruning.strategy.prices import Prices
from pruning.strategy.validation import check_plan

_MOST = 20  # plans in the table


def show(priced: Priced) -> None:
    """Draw one row a plan, the page's own first; nothing as long as no plan is saved."""
    model, plan, data = priced.model, priced.plan, priced.data
    saved = library.list_plans(model.digest)
    if not saved:
        return
    heading.section("Plans side by side")
    done = [run for run in priced.runs if run.state == "done" and run.data == (data or "")]
    rows = [] if plan.name else [_row("this one, not saved", plan, priced.prices, done)]
    for entry in saved[:_MOST]:
        name = visible(entry.name, NAME_CELL)
        shown = f"▸ {name}" if entry.name == plan.name else name
        rows.append(_row(shown, entry.plan, _prices(model, entry, data), done))
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")  # no zeros, no run
    frame = frame.fillna({"quality": ""})
    st.dataframe(
        frame,
        hide_index=True,
        key="plans",
        column_config=_columns(),
        alt=f"{len(rows)} plans: what is left of the model by each.",
    )
    if len(saved) > _MOST:
        st.caption(f"The newest {_MOST} of {len(saved)} saved plans.")


def _row(
    name: str, plan: PruningPlan, prices: Prices | None, done: list[RunSummary]
) -> dict[str, Any]:
    if prices is None:
        return {"name": name, "plan": f"{describe(plan)}: no longer a plan for this model"}
    return {
        "name": name,
        "params": _left(prices, "params"),
        "flops": _left(prices, "flops"),
        "bytes": _left(prices, "bytes"),
        "gzip": _left(prices, "gzip_bytes"),
        "latency": _left(prices, "latency_ms"),
        "zeros": 100 * (prices.after["sparsity"].value or 0.0) or None,
        "quality": _quality(plan, done),
        "plan": describe(plan),
    }


def _left(prices: Prices, name: str) -> float | None:
    before, after = prices.before[name].value, prices.after[name].value
    return 100 * after / before if before and after is not None else None


def _quality(plan: PruningPlan, done: list[RunSummary]) -> str | None:
    """What the newest run of exactly this plan came to on the open data."""
    for run in done:
        value = (run.results.get("accuracy") or {}).get("after")
        if value is not None and run.plan is not None and plans.same(run.plan, plan):
            return figures.written(value, figures.quality_unit(run.results.get("metric")))
    return None


def _prices(profile: ModelProfile, entry: library.SavedPlan, data: str | None) -> Prices | None:
    """Priced once a session, until one of the things that the price is made of changes.

    ``None`` for a plan of names that the model, analysed anew, does not have.
    """
    known: dict[Any, Prices | None] = st.session_state.setdefault("prices of saved plans", {})
    key = (
        profile.digest, entry.name, entry.saved, state.profile_changed(profile.digest),
        state.latency(profile.digest), state.gzip_bytes(profile.digest),
    )  # fmt: skip
    if key not in known:
        try:
            check_plan(profile, entry.plan)
            known[key] = outcome.prices(profile, entry.plan, data)
        except PlanError:
            known[key] = None
    return known[key]


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "name": column.TextColumn("Plan", width=NAME_WIDTH, pinned=True),
        "params": share_bar("Params left", "Exact; of the original's."),
        "flops": share_bar("FLOPs left", "Exact; of the original's."),
        "bytes": share_bar("File left", "Of the original's, uncompressed."),
        "gzip": share_bar("≈ gzip left", "Estimated; of the original's gzip size."),
        "latency": share_bar("≈ Latency left", "Estimated from the measured latency before."),
        "zeros": share_bar("Zeros", "Weights that are zero, of those that can be."),
        "quality": column.TextColumn(
            "Test, measured", width=110, help="By the newest run of this plan on the open data."
        ),
        "plan": column.TextColumn("In words", width=430),
    }
