"""Runs: all of them, newest first; open, compare two, annotate, delete."""

from __future__ import annotations

import streamlit as st

from pages.components import errors
from pages.components.runs import actions, pair, scatter, table, tags
from pruning.runs import library

st.title("Runs", anchor=False)
runs = library.runs()
with errors.shown():
    wanted = tags.chosen(runs)
    shown = [run for run in runs if set(wanted) <= set(run.tags)]
    chosen = table.show(shown, wanted)
    table.follow(runs)
    if shown:
        actions.show(chosen, library.tags_of(runs))
    if len(chosen) == 2:
        pair.show(*chosen)
    scatter.show(shown)
