"""Uploads from earlier: open one of them again, or delete it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from pages.components import state
from pages.components.text import plain, visible
from pages.components.upload import opening
from pruning import quantities
from pruning.demos import is_demo
from pruning.intake import store
from pruning.intake.store import Upload
from pruning.runs import uploads
from pruning.runs.library import RunSummary
from pruning.runs.uploads import Kind
from pruning.strategy.description import describe
from pruning.strategy.library import list_plans

_NAME_LENGTH = 40
_RUNS = 5  # runs that need an upload, by name


def show(kind: Kind, key: str, reopened: Callable[[str], None]) -> None:
    """Draw the list of what was uploaded, and the way to delete one of it.

    Args:
        kind: Models or data.
        key: Of the drop zone above it: with each stored or deleted file all of it begins anew.
        reopened: Callback that opens one again; told the list's key.
    """
    found = store.models() if kind == "model" else store.data()
    if not found:
        return
    broken = uploads.unreadable(kind, [upload.id for upload in found])
    names = {upload.id: _words(upload, broken=upload.id in broken) for upload in found}
    st.selectbox(
        f"Uploaded before ({kind})", list(names), None, key=f"{key}_earlier",
        format_func=lambda identifier: names[identifier],
        placeholder="Open one of them again", on_change=reopened, args=(f"{key}_earlier",),
    )  # fmt: skip
    _deletion(kind, key, found, names)


def _words(upload: Upload, *, broken: bool) -> str:
    """Name, size and time, for names are shared; what cannot be read is marked first."""
    mark = "⚠ cannot be read · " if broken else ""
    size = quantities.size(upload.bytes)
    return f"{mark}{visible(upload.name, _NAME_LENGTH)} · {size} · {_when(upload.uploaded)}"


def _when(seconds: float) -> str:
    """A time as the browser's clock has it. -> ``3 Oct 2026, 14:02``."""
    time = datetime.fromtimestamp(seconds, _zone())
    return f"{time.day} {time:%b %Y, %H:%M}"


def _zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _deletion(kind: Kind, key: str, found: Sequence[Upload], names: Mapping[str, str]) -> None:
    what = "a model" if kind == "model" else "data"
    # In the page, not over it: what it says grows, and over the page's end it would be cut off.
    form = st.expander(
        f"Delete {what} …", icon=":material/delete:", key=f"{key}_delete", on_change="rerun"
    )
    if not form.open:
        return
    own = {upload.id: upload for upload in found if not is_demo(upload.id)}
    with form:
        if not own:
            st.caption("The demos come with the studio and stay; nothing else is here.")
            return
        ids, opened = list(own), opening.uploaded(kind)
        identifier = st.selectbox(
            "Which", ids, ids.index(opened) if opened in ids else None, key=f"{key}_unwanted",
            format_func=lambda identifier: names[identifier],
            placeholder="Choose the one to delete", label_visibility="collapsed",
        )  # fmt: skip
        if identifier is not None:
            _confirm(kind, key, own[identifier])


def _confirm(kind: Kind, key: str, upload: Upload) -> None:
    name = plain(upload.name, _NAME_LENGTH)
    runs = uploads.runs_of(kind, upload.id)
    if runs:
        _needed(name, runs)
        return
    plans = list_plans(upload.id) if kind == "model" else []
    kept = " Its saved plans are kept for when it is uploaded again." if plans else ""
    st.markdown(
        f"Delete **{name}** and everything that the studio has read from it, for good? No run was "
        f"made from it.{kept}"
    )
    st.button(
        "Delete this upload", type="primary", key=f"{key}_delete_confirmed",
        on_click=opening.delete, args=(kind, upload.id),
    )  # fmt: skip


def _needed(name: str, runs: Sequence[RunSummary]) -> None:
    """Say which runs keep an upload, each a link."""
    many = len(runs) > 1
    st.markdown(
        f"**{name}** stays: {f'{len(runs)} runs need' if many else 'a run needs'} it, to show what "
        f"was compared and to be started again. Delete {'them' if many else 'it'} first."
    )
    for run in runs[:_RUNS]:
        words = describe(run.plan) if run.plan else run.damaged
        state.link(
            "retraining", f"{plain(run.id)} {plain(words, 60)}",
            run=run.id, model=run.model or None, data=run.data or None,
        )  # fmt: skip
    state.link("runs", "All runs", icon=":material/history:")
