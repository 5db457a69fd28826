"""What can be done with the selected runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import errors, state
from pages.components.badge import badge
from pages.components.runs import tags
from pages.components.text import plain
from pruning.errors import PruningError
from pruning.runs import executor, library
from pruning.runs.library import RunSummary
from pruning.strategy.description import describe


def show(chosen: Sequence[RunSummary], known_tags: Sequence[str]) -> None:
    """Draw the buttons that fit the selection.

    Args:
        chosen: The selected runs.
        known_tags: Tags of all runs.
    """
    if not chosen:
        st.caption("Select a run to open, annotate, tag or delete it; select two to compare them.")
        return
    if len(chosen) == 1:
        _one(chosen[0], known_tags)
    elif len(chosen) > 2:
        st.caption(f"{len(chosen)} runs selected. Select exactly two to compare them.")
    _delete(chosen)


def _one(run: RunSummary, known_tags: Sequence[str]) -> None:
    words = describe(run.plan) if run.plan else run.damaged
    st.markdown(f"{badge(run.state)} **{plain(run.model_name or run.model, 40)}** {plain(words)}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = {
            "run": run.id, "model": run.model or None, "data": run.data or None, "plan": None
        }  # fmt: skip
        if run.state == "done":
            state.link("comparison", "Open the comparison", icon=":material/compare:", **named)
        if run.state != "damaged":
            state.link("retraining", "Open the run", icon=":material/model_training:", **named)
        if run.state in ("queued", "running"):
            st.button(
                "Cancel this run",
                icon=":material/stop_circle:",
                on_click=executor.cancel,
                args=(run.folder,),
                key=f"cancel_{run.id}",
            )
    key = f"note_{run.id}"
    note, words_to_find = st.columns(2)
    with note:
        st.text_input(
            "Note",
            run.note,
            key=key,
            max_chars=500,
            placeholder="What was this run for?",
            on_change=lambda: library.set_note(run.id, st.session_state[key]),
        )
    with words_to_find:
        tags.edit(run, known_tags)


def _delete(chosen: Sequence[RunSummary]) -> None:
    many = f"{len(chosen)} runs" if len(chosen) > 1 else "this run"
    with st.popover(f"Delete {many} …", icon=":material/delete:", type="tertiary", key="delete"):
        what = (
            "models and everything else in them" if len(chosen) > 1 else "model and all its files"
        )
        st.markdown(f"Delete {many} with the pruned {what}, for good?")
        if st.button(f"Delete {many}", type="primary", key="delete_confirmed"):
            try:
                for run in chosen:
                    library.delete(run.id)
            except PruningError as error:
                errors.show(error)
            else:
                if state.current().run in {run.id for run in chosen}:
                    state.select(run=None)
                st.rerun()
