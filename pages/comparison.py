"""Comparison: before and after on the same test samples, and the files to take away."""

from __future__ import annotations

import streamlit as st

from pages.components import errors, header
from pages.components.comparison import downloads, view
from pruning.runs import library

st.title("Comparison", anchor=False)
opened = header.require(run=True)
with errors.shown():
    folder = library.find(opened.run)
    result = view.require_done(folder)
    main, side = st.columns([3, 1], gap="large")
    with main:
        view.show(folder, result)
    with side:
        downloads.show(folder)
