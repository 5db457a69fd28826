"""A PruningError on a page: what happened, what was expected, how to fix it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from pages.components.text import plain
from pruning.errors import PruningError


def show(
    error: PruningError,
    *,
    retry: Callable[[], None] | None = None,
    key: str = "retry",
    words: str = "Try again",
) -> None:
    """Show an error, with a button that tries again.

    Args:
        error: Its three sentences may hold names from files: they are shown as text.
        retry: Called by a button, before the page runs again.
        key: Key of the button; unique on the page.
        words: On the button.
    """
    body = f"**Expected:** {plain(error.expected)}\n\n**To fix it:** {plain(error.fix)}"
    st.error(body, title=plain(error.happened, 400), icon=":material/error:")
    if retry is not None:
        st.button(words, icon=":material/refresh:", key=key, on_click=retry)


@contextmanager
def shown() -> Iterator[None]:
    """Show a PruningError of the block instead of breaking the page. Bugs stay loud."""
    try:
        yield
    except PruningError as error:
        show(error)
