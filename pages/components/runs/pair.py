"""Two runs side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components.text import visible
from pruning.runs import library
from pruning.runs.library import RunSummary


def show(left: RunSummary, right: RunSummary) -> None:
    """Draw plans and figures of two runs, by default only what differs."""
    st.markdown("#### Two runs side by side")
    only = st.toggle("Only what differs", True, key="only_differences")
    rows = [row for row in library.compare_two(left, right) if row.differs or not only]
    if not rows:
        st.info("These two runs do not differ in anything recorded.", icon=":material/info:")
        return
    names = [_title(left), _title(right)]
    st.dataframe(
        pd.DataFrame(
            [[_words(row.name), _value(row.left), _value(row.right)] for row in rows],
            columns=["", *names] if names[0] != names[1] else ["", "first", "second"],
        ),
        hide_index=True,
    )


def _title(run: RunSummary) -> str:
    return run.id


def _words(name: str) -> str:
    """``plan.training.epochs`` -> ``plan › training › epochs``."""
    return visible(name.replace(".", " › ").replace("_", " "), 60)


def _value(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return visible(str(value), 80) if str(value) else "—"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
