"""One way to draw a chart, for all pages: its specification made once, its data sent each time.

Altair checks every part of a specification against a schema, which takes longer than all else on
a page. A specification depends on the columns and on a few settings, never on the rows: it is
made from an empty frame, kept as JSON, and the rows go beside it. Streamlit's own toolbar on each
chart shows the rows as a table and saves table and picture.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, Literal

import pandas as pd
import streamlit as st

_KEPT = 256  # specifications; some hold a setting of one layer or run


def show(
    build: Callable[..., Any],
    rows: pd.DataFrame,
    *,
    key: str,
    alt: str,
    on_select: Callable[[], None] | Literal["ignore"] = "ignore",
    selection: str | None = None,
    width: Literal["stretch", "content"] = "stretch",
    **settings: Hashable,
) -> None:
    """Draw ``build(rows, **settings)``.

    Args:
        build: A function of ``pruning.charts`` with one source of data.
        rows: That data.
        key: Key of the element; with ``on_select`` the selection is in the session under it.
        alt: What a screen reader says; text from files goes through ``text.visible`` first.
        on_select: Called when a mark is clicked.
        selection: Name of the chart's selection, needed with ``on_select``.
        width: ``content`` keeps the chart's own width.
        **settings: Passed on to ``build``; a new value makes a new specification.
    """
    spec = json.loads(_specification(build, tuple(rows.columns), tuple(settings.items())))
    more: dict[str, Any] = {} if selection is None else {"selection_mode": selection}
    st.vega_lite_chart(rows, spec, key=key, alt=alt, width=width, on_select=on_select, **more)


@lru_cache(maxsize=_KEPT)
def _specification(
    build: Callable[..., Any], columns: tuple[str, ...], settings: tuple[tuple[str, Any], ...]
) -> str:
    spec = build(pd.DataFrame(columns=list(columns)), **dict(settings)).to_dict()
    if len(spec.pop("datasets", {})) > 1:
        raise ValueError(f"{build.__name__} draws more than its rows")
    spec.pop("data", None)
    # A screen reader hears the chart's name, ``alt``, and has its table: marks without names, or
    # hundreds of them with one each, would only be in the way.
    config = spec.setdefault("config", {})
    config.update(aria=False, mark={**config.get("mark", {}), "aria": False})
    return json.dumps(spec)
