"""Headings below a page's title: one level for its sections, one for the parts of a section.

A screen reader lists them, and jumps from one to the next; bold words it does not find.
"""

from __future__ import annotations

import streamlit as st


def section(words: str, *, help: str | None = None) -> None:
    """Draw the heading of a section.

    Args:
        words: Markdown; text from files goes through ``text.plain`` first.
        help: Shown on hover.
    """
    st.header(words, anchor=False, help=help)


def part(words: str) -> None:
    """Draw the heading of a part of a section. Markdown, as in :func:`section`."""
    st.subheader(words, anchor=False)
