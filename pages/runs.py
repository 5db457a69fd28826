"""Runs: all of them, newest first; open, compare two, annotate, delete."""

from __future__ import annotations

import streamlit as st

from pages.components import errors
from pages.components.runs import actions, pair, scatter, table
from pruning.runs import library

st.title("Runs", anchor=False)
runs = library.runs()
with errors.shown():
    chosen = table.show(runs)
    if runs:
        actions.show(chosen)
    if len(chosen) == 2:
        pair.show(*chosen)
    scatter.show(runs)
