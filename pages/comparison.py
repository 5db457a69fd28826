"""Comparison: before and after on the same test samples, and the files to take away."""

from __future__ import annotations

import streamlit as st

from pages.components import errors, header
from pages.components.comparison import downloads, view
from pruning.runs import library

DOWNLOADS_WIDTH = 270  # pixels, for the longest label with its size

st.title("Comparison", anchor=False)
opened = header.require(run=True)
with errors.shown():
    folder = library.find(opened.run)
    result = view.require_done(folder)
    # Not columns: those would shrink the buttons until their words are cut off.
    with st.container(horizontal=True, gap="large"):
        with st.container(width="stretch"):
            view.show(folder, result)
        with st.container(width=DOWNLOADS_WIDTH):
            downloads.show(folder)
