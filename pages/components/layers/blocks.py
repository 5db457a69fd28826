"""The section of the layers page on blocks that could be left out whole."""

from __future__ import annotations

import streamlit as st

from pages.components import heading
from pages.components.block_table import COLUMNS, block_table
from pruning.analysis.profile import ModelProfile

_TALLEST = 12  # rows of a table that is shown whole


def show(profile: ModelProfile) -> None:
    """Draw the blocks of a model; draws nothing where there are none."""
    if not profile.blocks:
        return
    can = len(profile.removable_blocks)
    heading.section("Blocks")
    st.caption(
        f"{can} of {len(profile.blocks)} could be left out whole: what follows would read what "
        "went in, or what a shortcut makes of it. That is the method *Remove layers* of the "
        "strategy page."
    )
    st.dataframe(
        block_table(profile.blocks),
        hide_index=True,
        height="content" if len(profile.blocks) <= _TALLEST else 420,
        column_config=COLUMNS,
        key="blocks",
    )
