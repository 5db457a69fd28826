"""The button that starts a run, with the time it will take."""

from __future__ import annotations

import streamlit as st

from pages.components import errors, state
from pages.components.strategy.priced import Priced
from pruning import quantities
from pruning.errors import PruningError
from pruning.intake.dataset import Manifest
from pruning.runs import executor, pace
from pruning.strategy.library import forget_draft


def show(priced: Priced) -> None:
    """Draw the button; say what is missing when the run cannot start."""
    model, plan, data = priced.model.digest, priced.plan, priced.data
    manifest = state.manifest(data)
    if manifest is None:
        with st.container(border=True, key="missing_data"):
            waiting = state.current().source is not None
            st.markdown(
                "The data has been chosen, and is prepared on the upload page."
                if waiting
                else "To prune, retrain and compare, the studio needs data."
            )
            state.link(
                "upload",
                "Go on with the data" if waiting else "Choose data",
                icon=":material/arrow_forward:",
            )
        return
    executor.expect(model, data or "", plan if plan.touched else None)
    with st.container(horizontal=True, vertical_alignment="center", key="start_row"):
        pressed = st.button(
            "Prune and retrain" if plan.training.epochs else "Prune",
            type="primary",
            icon=":material/content_cut:",
            key="start",
            shortcut="ctrl+enter",
            disabled=not plan.touched,
        )
        st.caption(_time(priced, manifest))
    if pressed:
        try:
            run = executor.start_run(model, data or "", plan)
        except PruningError as error:
            errors.show(error)
        else:
            forget_draft(model)
            state.go("retraining", run=run.id)


def _time(priced: Priced, manifest: Manifest) -> str:
    """Estimate the time from the latest finished run of this model on this data.

    Before there is one, from how fast the model answered the test samples.
    """
    model, plan = priced.model, priced.plan
    if not plan.training.epochs:
        return "No retraining: done within seconds."
    data, samples = manifest.ref, manifest.counts["train"]
    for run in priced.runs:
        same = run.model == model.digest and run.data == data and run.state == "done"
        seconds = (run.results.get("seconds") or {}).get("retrain") if same else None
        if seconds and run.plan and run.plan.training.epochs:
            share = plan.training.epochs / run.plan.training.epochs
            return f"≈ {quantities.duration(seconds * share)} of retraining, as the last run took."
    steps = plan.training.epochs * -(-samples // plan.training.batch_size)
    seconds = state.answer_seconds(model.digest, data)
    if seconds is None:
        return f"{steps:,} training steps; the time is known after the first of them."
    flops = priced.prices.after["flops"].value or 0.0
    share = flops / model.flops if model.flops else 1.0
    low, high = pace.retraining_seconds(seconds, share, samples, plan.training)
    return (
        f"≈ {quantities.duration(low)} to {quantities.duration(high)} for {steps:,} training "
        "steps, estimated from how fast the model answered the test samples."
    )
