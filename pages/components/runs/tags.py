"""Tags of runs: words of the user's own, to find runs by."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import errors
from pruning.errors import PruningError
from pruning.runs import library
from pruning.runs.library import RunSummary

PARAMETER = "tag"  # in the URL
_WIDTH = 420  # pixels


def chosen(runs: Sequence[RunSummary]) -> list[str]:
    """Draw a choice of the tags there are and return the chosen ones; none without any tag."""
    known = library.tags_of(runs)
    if not known:
        return []
    return st.multiselect(
        "Only runs tagged",
        known,
        key=PARAMETER,
        placeholder="All runs",
        width=_WIDTH,
        bind="query-params",
    )


def edit(run: RunSummary, known: Sequence[str]) -> None:
    """Draw the tags of one run, to be changed.

    Args:
        run: The run.
        known: Tags of all runs, its own among them, to be chosen again.
    """
    key = f"tags_{run.id}"
    st.session_state.setdefault(key, list(run.tags))
    st.multiselect(
        "Tags",
        known,
        key=key,
        accept_new_options=True,
        max_selections=library.MOST_TAGS,
        placeholder="Type a word to find this run by",
        on_change=_keep,
        args=(run.id, key),
    )


def _keep(identifier: str, key: str) -> None:
    """Before the page is drawn again: the table above has the tags as well."""
    try:
        tags = library.set_tags(identifier, st.session_state[key])
    except PruningError as error:
        errors.show(error)
        tags = library.summary(library.find(identifier)).tags
    st.session_state[key] = list(tags)
