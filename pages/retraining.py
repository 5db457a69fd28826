"""Retraining: what a run is doing, live; it can be left and come back to."""

from __future__ import annotations

import streamlit as st

from pages.components import errors, header
from pages.components.retraining import progress, queue
from pruning.runs import library

st.title("Retraining", anchor=False)
opened = header.require(run=True)
with errors.shown():
    folder = library.find(opened.run)
    main, side = st.columns([3, 1], gap="large")
    with main:
        progress.follow(folder)
    with side:
        queue.others(folder)
