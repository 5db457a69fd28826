"""Opening a model or data: a demo, a dropped file, or one that was uploaded before.

``data=`` in the URL names prepared data. Before there is any, ``source=`` names the uploaded file,
and ``job=`` the preparation that was asked for, so that a reloaded page goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from pages.components import state, works
from pages.components.text import plain
from pruning.demos import Demo
from pruning.errors import PruningError
from pruning.intake import store
from pruning.runs import uploads
from pruning.runs.uploads import Kind

_ERROR = "upload error"
_FORMER = "open before "  # and the kind of what replaced it
_LOCAL = ("127.0.0.1", "localhost", "::1")
_PROXIES = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")
# Counted, so that a stored file's uploader is replaced and its memory freed. Of each kind: a data
# file may be on its way while a model is stored, and would arrive in an uploader that nobody hears.
_DROPS = "drops of "


def open_demo(demo: Demo) -> None:
    """Store a demo's model and data like any upload and open both."""

    def work() -> None:
        model = store.store_model(f"{demo.title}{demo.model.suffix}", demo.model)
        data = store.store_data(f"{demo.title}{demo.data.suffix}", demo.data)
        _open_model(model)
        # A demo's data says how it is to be prepared: no need to wait for the model to be read.
        prepare_again(data, works.start(works.data(data, {})))

    _attempt(work)


def drop_model(key: str) -> None:
    """Callback of the model's drop zone: store the file and open it."""
    _drop("model", key, lambda file: _open_model(store.store_model(file.name, file)))


def drop_data(key: str) -> None:
    """Callback of the data's drop zone."""
    _drop("data", key, lambda file: _open_data(store.store_data(file.name, file)))


def take_path(kind: str, key: str) -> None:
    """Callback of the field for a path on this machine: store that file and open it."""
    words = str(st.session_state.get(key) or "").strip().strip("\"'")
    if not words:
        return
    path = Path(words).expanduser()

    def work() -> None:
        if kind == "model":
            _open_model(store.store_model(path.name, path))
        else:
            _open_data(store.store_data(path.name, path))

    _attempt(work)


def on_this_machine() -> bool:
    """Whether the browser runs where the server does, so that its user may name files there.

    The server must listen to this machine only, and the request must not come through a proxy:
    whoever is behind one must not read the server's files.
    """
    headers = st.context.headers
    host = urlsplit(f"//{headers.get('Host', '')}").hostname
    proxied = any(name in headers for name in _PROXIES)
    return st.get_option("server.address") in _LOCAL and host in _LOCAL and not proxied


def reopen_model(key: str) -> None:
    """Callback of the list of earlier models."""
    if st.session_state[key]:
        _open_model(st.session_state[key])


def reopen_data(key: str) -> None:
    """Callback of the list of earlier data files."""
    if st.session_state[key]:
        _open_data(st.session_state[key])


def delete(kind: Kind, identifier: str) -> None:
    """Callback that deletes an upload; what was open of it is closed."""

    def work() -> None:
        name = plain(str(store.upload_record(uploads.folder(kind, identifier))["name"]), 40)
        uploads.delete(kind, identifier)
        st.toast(f"Deleted {name}.", icon=":material/delete:")
        if identifier == uploaded(kind):
            _close(kind)

    _attempt(work)
    _begin_anew(kind)


def former(kind: Kind) -> state.Current | None:
    """What was open when the last file of a kind was opened, if there was one of that kind."""
    kept: state.Current | None = st.session_state.get(_FORMER + kind)
    was = kept and (kept.model if kind == "model" else kept.data)
    return kept if was else None


def go_back_to(former: state.Current) -> None:
    """Callback: open again what a file that is no good has replaced."""
    state.select(**{key: getattr(former, key) for key in state.KEYS})


def uploaded(kind: Kind) -> str | None:
    """Id of the upload that is open, prepared or not."""
    opened = state.current()
    if kind == "model":
        return opened.model
    return (opened.data or "").partition("-")[0] or opened.source


def prepare_again(source: str, job: str | None = None) -> None:
    """Prepare an uploaded file again: by default settings, or as the job of that key asks."""
    state.select(data=None, run=None, source=source, job=job)


def uploader_key(kind: Kind) -> str:
    """Key of a drop zone; another one after each file that was dropped there."""
    return f"{kind}_drop_{st.session_state.get(_DROPS + kind, 0)}"


def last_error() -> PruningError | None:
    """What went wrong in the last callback, told once."""
    error: PruningError | None = st.session_state.pop(_ERROR, None)
    return error


def _open_model(model: str) -> None:
    """Open a model; data that is open stays, plan and run belong to the model before."""
    _remember("model", model)
    state.select(model=model, plan=None, run=None, layer=None)


def _close(kind: Kind) -> None:
    """Close a model or data, with what belongs to it."""
    if kind == "model":
        state.select(model=None, plan=None, run=None, layer=None)
    else:
        state.select(data=None, source=None, job=None, run=None)


def _open_data(source: str) -> None:
    _remember("data", source)
    prepare_again(source)


def _remember(kind: Kind, identifier: str) -> None:
    """Keep what is open, unless the same file is opened once more or the open one is no good."""
    opened = state.current()
    good = state.profile(opened.model) if kind == "model" else state.manifest(opened.data)
    if good is not None and uploaded(kind) != identifier:
        st.session_state[_FORMER + kind] = opened


def _drop(kind: Kind, key: str, take: Callable[[Any], None]) -> None:
    if key != uploader_key(kind):
        return  # taken already: a request that was under way brings the file once more
    file = st.session_state.get(key)
    if file is not None:
        _attempt(lambda: take(file))
        _begin_anew(kind)


def _begin_anew(kind: Kind) -> None:
    """Have the drop zone and the list of a kind drawn as if for the first time."""
    st.session_state[_DROPS + kind] = st.session_state.get(_DROPS + kind, 0) + 1


def _attempt(work: Callable[[], None]) -> None:
    """Callbacks cannot draw: keep a user's error for the page."""
    try:
        work()
    except PruningError as error:
        st.session_state[_ERROR] = error
