"""Short work that a page needs done: asked for once, shown while it runs, tried again on request.

``follow(Work(…), …)`` returns the results by kind, ``None`` for what is not done yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.components import errors
from pruning import quantities
from pruning.errors import PruningError
from pruning.runs import executor
from pruning.runs.folder import RunFolder, job_folder
from pruning.runs.status import Status, status

REFRESH_SECONDS = 0.5


@dataclass(frozen=True)
class Work:
    """One job.

    Attributes:
        title: What it does, in words: ``Reading the model``.
        kind: ``profile``, ``data``, ``baseline``, ``export``; unique among works followed at once.
        key: With the kind, the job's identity: the same work is done once for everybody.
        request: What the worker is told; JSON.
    """

    title: str
    kind: str
    key: str
    request: Mapping[str, Any]


def follow(*works: Work) -> dict[str, dict[str, Any] | None]:
    """Have the works done. Draws what is unfinished or failed; finished work draws nothing.

    Returns:
        By kind, the job's results, or ``None`` while it is not done. When all unfinished work
        ends, the page runs again by itself.
    """
    results: dict[str, dict[str, Any] | None] = {}
    unfinished: dict[str, str] = {}
    for work in works:
        results[work.kind] = None
        try:
            folder = executor.ensure(work.kind, work.key, dict(work.request))
        except PruningError as error:
            errors.show(error)
            continue
        state = status(folder)
        results[work.kind] = state.results if state.state == "done" else None
        if not state.final:
            unfinished[work.title] = str(folder.path)
        elif state.state != "done":
            _failed(work, state)
    if unfinished:
        watch(unfinished)
    return results


def failed(work: Work) -> bool:
    """Whether a work was done in vain; asking for it does not start it."""
    folder = job_folder(work.kind, work.key)
    return folder.request.exists() and status(folder).state == "failed"


def goes_on(work: Work) -> bool:
    """Whether a work waits or is being done; asking for it does not start it."""
    folder = job_folder(work.kind, work.key)
    return folder.request.exists() and not status(folder).final


@st.fragment(run_every=REFRESH_SECONDS)
def watch(folders: Mapping[str, str]) -> None:
    """Show running jobs until all have ended, then run the page again once.

    Draw it only while something is unfinished, so that the timer stops with the work.

    Args:
        folders: Path of a run or job folder by title.
    """
    work = {title: RunFolder(Path(path)) for title, path in folders.items()}
    states = {title: status(folder) for title, folder in work.items()}
    # A job without a request is gone: what it read was deleted, perhaps by somebody else.
    ended = (states[t].final or not folder.request.exists() for t, folder in work.items())
    if all(ended):
        st.rerun()
    for title, state in states.items():
        progress(title, state)


def progress(title: str, state: Status) -> None:
    """Draw one line: what happens, how far, since when."""
    words = [title, *([state.words] if state.words else [state.stage] if state.stage else [])]
    text = f"{words[0]}{' · ' + words[1] if len(words) > 1 else ''}"
    if state.state == "queued":
        text += " · waiting for a free worker"
    elif state.seconds >= 1:
        text += f" · {quantities.duration(state.seconds)}"
    # Not st.status: Streamlit sleeps 50 ms for each, and a rerun of the page with it.
    st.progress(1.0 if state.final else state.fraction or 0.0, text=text)


def _failed(work: Work, state: Status) -> None:
    error = state.error or PruningError(
        f"“{work.title}” was cancelled.",
        expected="Work that runs to its end.",
        fix="Start it again.",
    )

    def again() -> None:
        executor.ensure(work.kind, work.key, dict(work.request), retry=True)

    errors.show(error, retry=again, key=f"retry_{work.kind}_{work.key}")
