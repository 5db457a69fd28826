"""A run's progress, read as it grows: each line once, and never more points than a chart shows."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from pruning.runs.folder import RunFolder
from pruning.runs.pace import WINDOW

POINTS = 600  # training steps kept at most; a chart is that many pixels wide


@dataclass
class Progress:
    """What is kept of ``metrics.jsonl``: thinned training steps, all validations, the last lines.

    Attributes:
        path: The file.
        read: Bytes read so far.
        lines: Lines read so far.
        stride: Of the training steps, one in so many is kept.
    """

    path: Path
    read: int = 0
    lines: int = 0
    stride: int = 1
    _steps: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    _validations: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    _last: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def update(self) -> None:
        """Read the complete lines that were added."""
        with self._lock:
            try:
                with self.path.open("rb") as stream:
                    stream.seek(self.read)
                    added = stream.read()
            except FileNotFoundError:
                return
            whole = added[: added.rfind(b"\n") + 1]
            self.read += len(whole)
            entries = whole.splitlines()
            self._last += [json.loads(line) for line in entries[-WINDOW:]]
            del self._last[:-WINDOW]
            for line in entries:
                self._take(line)

    def _take(self, line: bytes) -> None:
        number, self.lines = self.lines, self.lines + 1
        if b'"val_' in line:
            self._validations.append((number, json.loads(line)))
        elif number % self.stride == 0:
            self._steps.append((number, json.loads(line)))
            if len(self._steps) > POINTS:
                self.stride *= 2
                self._steps = [entry for entry in self._steps if entry[0] % self.stride == 0]

    def shown(self) -> list[dict[str, Any]]:
        """Lines to draw, in the file's order; the newest is always among them."""
        with self._lock:
            kept = [entry for _, entry in sorted([*self._steps, *self._validations], key=_number)]
            newest = self._last[-1:]
        return kept if kept[-1:] == newest else kept + newest

    def last(self) -> list[dict[str, Any]]:
        """The last lines, enough to tell the pace."""
        with self._lock:
            return list(self._last)


def progress(folder: RunFolder) -> Progress:
    """The progress of a run, up to date; shared by all who watch it."""
    path = folder.metrics
    born = path.stat().st_ino if path.exists() else 0
    found = _progress(str(path), born)
    found.update()
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _progress(path: str, born: int) -> Progress:
    return Progress(Path(path))


def _number(entry: tuple[int, dict[str, Any]]) -> int:
    return entry[0]
