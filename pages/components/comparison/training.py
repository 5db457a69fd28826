"""Training tab: the curves of the run that made the pruned model."""

from __future__ import annotations

import streamlit as st

from pages.components.comparison import speed
from pages.components.retraining import curves, metrics
from pruning.comparison.result import Comparison
from pruning.runs.folder import RunFolder


def show(folder: RunFolder, result: Comparison) -> None:
    """Draw the curves; say so when nothing was retrained."""
    read = metrics.progress(folder)
    if not read.lines:
        st.info("This run did not retrain the model.", icon=":material/info:")
        return
    if result.recalibration is not None:
        st.caption(result.recalibration.describe())
    curves.show(folder, read)
    speed.training(result)
