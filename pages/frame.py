"""The frame: navigation in the order of the five steps, the line of what is open, the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components import header, memory, state

memory.settle()
# Our own file: Streamlit fetches emoji and material icons for the browser's tab from the network.
ICON = str(Path(__file__).with_name("icon.svg"))
STYLE = Path(__file__).with_name("frame.css")
st.set_page_config(page_title="Pruning Studio", page_icon=ICON, layout="wide")
st.logo(ICON, size="large")
st.html(STYLE)

# Before the navigation: the browser makes one step of its history of both only when it knows the
# parameters first; else "back" leads to the page without them, which leads here again.
state.synchronise()
page = st.navigation(
    [
        st.Page(
            "upload.py",
            title="Upload",
            icon=":material/upload_file:",
            default=True,
            help="Open a demo, or bring a model and the data it is judged on.",
        ),
        st.Page(
            "layers.py",
            title="Layers",
            icon=":material/layers:",
            url_path="layers",
            help="Where the parameters and FLOPs are, and what can be removed.",
        ),
        st.Page(
            "strategy.py",
            title="Strategy",
            icon=":material/tune:",
            url_path="strategy",
            help="Choose what to remove and see the price at once.",
        ),
        st.Page(
            "retraining.py",
            title="Retraining",
            icon=":material/model_training:",
            url_path="retraining",
            help="Prune, retrain, and watch.",
        ),
        st.Page(
            "comparison.py",
            title="Comparison",
            icon=":material/compare:",
            url_path="comparison",
            help="Before and after on the same test samples, and the files to take away.",
        ),
        st.Page(
            "runs.py",
            title="Runs",
            icon=":material/history:",
            url_path="runs",
            help="All runs: open, compare, delete.",
        ),
    ],
    position="top",
)
header.line()
page.run()
