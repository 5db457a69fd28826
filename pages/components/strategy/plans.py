"""Saved plans of a model: open, upload, save, download."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from pages.components import errors, state
from pages.components.strategy import edits, form
from pages.components.text import visible
from pruning.analysis.profile import ModelProfile
from pruning.errors import MismatchError, NotFoundError, PruningError
from pruning.strategy import library
from pruning.strategy.description import describe
from pruning.strategy.plan import PruningPlan
from pruning.strategy.validation import check_plan

_FILLED = "plan that filled the form"
_NEXT = "plan to begin with"


def open_next(plan: PruningPlan) -> None:
    """Have the strategy page begin with this plan, without a name."""
    st.session_state[_NEXT] = plan


def open_one(profile: ModelProfile) -> None:
    """Fill the form from the plan in the URL, once, and offer the saved ones and an upload."""
    opened = state.current()
    if (coming := st.session_state.pop(_NEXT, None)) is not None:
        with errors.shown():
            check_plan(profile, coming)
            fill(profile, coming)
    if opened.plan and st.session_state.get(_FILLED) != (profile.digest, opened.plan):
        with errors.shown():
            fill(profile, library.load_plan(profile.digest, opened.plan))
        st.session_state[_FILLED] = (profile.digest, opened.plan)
    saved = library.list_plans(profile.digest)
    with st.expander(
        f"Saved plans ({len(saved)})" if saved else "Saved plans", icon=":material/folder_open:"
    ):
        for entry in saved:
            _entry(profile, entry)
        if not saved:
            st.caption("None yet. Save the plan below the table to compare it with others.")
        _upload(profile)


def named(profile: ModelProfile, plan: PruningPlan) -> PruningPlan:
    """The plan under the name of the saved one that is open, as long as it says the same."""
    name = state.current().plan
    if not name:
        return plan
    try:
        saved = library.load_plan(profile.digest, name)
    except PruningError:  # deleted meanwhile
        return plan
    return replace(plan, name=saved.name) if same(plan, saved) else plan


def same(one: PruningPlan, two: PruningPlan) -> bool:
    """Whether two plans say the same, under whatever name."""
    return _said(replace(one, name=two.name)) == _said(two)


def _said(plan: PruningPlan) -> PruningPlan:
    """A plan without what it says of names that it leaves whole anyway."""
    return plan.with_ratios({name: ratio for name, ratio in plan.ratios.items() if ratio > 0})


def keep(profile: ModelProfile, plan: PruningPlan) -> None:
    """Offer to save the plan under a name, and to download it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="keep"):
        name = st.text_input("Save this plan as", key="plan_name", max_chars=80, width=280)
        if st.button("Save plan", icon=":material/save:", disabled=not name.strip(), key="save"):
            try:
                saved = library.save_plan(profile.digest, name, plan)
            except PruningError as error:
                errors.show(error)
            else:
                st.session_state[_FILLED] = (profile.digest, saved.name)
                state.note_plan(profile.digest, saved.plan)
                library.forget_draft(profile.digest)
                state.select(plan=saved.name)
                st.toast(f"Saved as {visible(saved.name, 40)}.")
                st.rerun()
        st.download_button(
            "Download plan",
            json.dumps(plan.to_dict(), indent=1),
            "plan.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            key="download_plan",
        )


def _entry(profile: ModelProfile, entry: library.SavedPlan) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(visible(entry.name, 32))
        st.caption(describe(entry.plan))
        st.button(
            "Open",
            key=f"open_{entry.name}",
            on_click=_open,
            args=(profile, entry),
        )
        st.button(
            "Delete",
            key=f"delete_{entry.name}",
            icon=":material/delete:",
            type="tertiary",
            on_click=_delete,
            args=(profile, entry),
        )


def _open(profile: ModelProfile, entry: library.SavedPlan) -> None:
    fill(profile, entry.plan)
    st.session_state[_FILLED] = (profile.digest, entry.name)
    state.note_plan(profile.digest, entry.plan)
    state.select(plan=entry.name)


def _delete(profile: ModelProfile, entry: library.SavedPlan) -> None:
    with suppress(NotFoundError):  # somebody else was faster
        library.delete_plan(profile.digest, entry.name)
    if state.current().plan == entry.name:
        state.select(plan=None)


def _upload(profile: ModelProfile) -> None:
    file = st.file_uploader(
        "Open a plan from a file",
        type="json",
        key="plan_file",
        max_upload_size=-(-library.MOST_BYTES // 2**20),  # megabytes
    )
    if file is None or st.session_state.get("plan file read") == file.file_id:
        return
    try:
        plan = library.parse_plan(file.getvalue())
        if plan.model != profile.digest:
            raise MismatchError(
                "This plan was made for another model.",
                expected=f"A plan for {profile.name} ({profile.digest}).",
                fix="Open the model that the plan belongs to, or make a new plan here.",
            )
        check_plan(profile, plan)
    except PruningError as error:
        errors.show(error)
        return
    st.session_state["plan file read"] = file.file_id
    fill(profile, plan)
    st.rerun()


def fill(profile: ModelProfile, plan: PruningPlan) -> None:
    """Make form and table say what the plan says."""
    form.fill(plan)
    edits.take(edits.current(profile.digest, plan.method), plan)
