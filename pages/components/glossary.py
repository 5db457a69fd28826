"""What the words mean: a click away on every page, in nobody's way."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

_FILE = Path(__file__).parents[1] / "glossary.md"


def button() -> None:
    """Draw the button that opens the glossary."""
    with st.popover("Glossary", icon=":material/menu_book:", type="tertiary", key="glossary"):
        st.markdown(text())


@lru_cache(maxsize=1)
def text() -> str:
    """The glossary as Markdown: one paragraph a term."""
    return _FILE.read_text(encoding="utf-8")
