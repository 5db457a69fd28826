"""The app in memory, a home folder of its own, and an executor that starts no processes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.components.upload import demo_cards
from pruning import storage
from pruning.demos import Demo
from pruning.errors import PruningError
from pruning.runs import executor, processes
from pruning.runs.folder import RunFolder, jobs_folder

FRAME = Path(__file__).parents[2] / "pages" / "frame.py"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty home folder."""
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    st.cache_resource.clear()
    st.cache_data.clear()
    return tmp_path


@pytest.fixture
def demos(tmp_path_factory, monkeypatch) -> list[Demo]:
    """Three demos of a few bytes in place of the real ones."""
    folder = tmp_path_factory.mktemp("demos")
    found = [_demo(folder, name, kind) for name, kind in
             (("image", "image"), ("speech", "audio"), ("text", "text"))]  # fmt: skip
    monkeypatch.setattr(demo_cards, "demos", lambda: found)
    return found


def _demo(folder: Path, name: str, modality: str) -> Demo:
    model, data = folder / f"{name}.keras", folder / f"{name}.zip"
    model.write_bytes(f"model of {name}".encode())
    data.write_bytes(f"data of {name}".encode())
    return Demo(
        name=name, title=f"Demo {name}", task=f"What is in the {name}?", modality=modality,
        family="keras3", model=model, data=data, classes=("a", "b"), params=1234, accuracy=0.912,
        test_samples=2000, train_samples=12_000, bytes=9_900_000, limits=(), licence="MIT",
        source="made up", attribution=folder / "LICENCE.md",
    )  # fmt: skip


@pytest.fixture
def app(home, demos) -> AppTest:
    """The whole app, not run yet."""
    return AppTest.from_file(str(FRAME), default_timeout=30)


@dataclass
class FakeExecutor:
    """Answers ``executor.ensure`` with folders in the state that a test asks for.

    Attributes:
        states: By job kind: ``running`` (the default), ``done`` or ``failed``.
        results: By job kind, when done.
        errors: By job kind, when failed.
        asked: Every call: kind, key, request, whether it was to be done again.
    """

    states: dict[str, str] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, PruningError] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, Any], bool]] = field(default_factory=list)

    def ensure(
        self, kind: str, key: str, request, *, retry: bool = False, anew: bool = False
    ) -> RunFolder:
        """As ``executor.ensure``, without a worker."""
        self.asked.append((kind, key, dict(request), retry or anew))
        folder = RunFolder(jobs_folder() / f"{kind}-{key}")
        storage.write_json(folder.request, {**request, "kind": kind, "created": time.time()})
        error = self.errors.get(kind)
        record = {
            "pid": os.getpid(),
            "process_started": processes.started(os.getpid()),
            "state": self.states.get(kind, "running"),
            "stages": [{"name": "work", "state": "running", "seconds": None}],
            "error": error.to_dict() if error else None,
            "results": self.results.get(kind, {}),
            "started": time.time(),
            "finished": None,
        }
        storage.write_json(folder.record, record)
        return folder

    def kinds(self) -> list[str]:
        """Kinds of the jobs asked for, in order, each once."""
        return list(dict.fromkeys(kind for kind, *_ in self.asked))


@pytest.fixture
def jobs(monkeypatch) -> FakeExecutor:
    """Replace ``executor.ensure``."""
    fake = FakeExecutor()
    monkeypatch.setattr(executor, "ensure", fake.ensure)
    return fake


def words(app: AppTest) -> str:
    """Every visible text of the main area, for finding sentences."""
    parts = [element.value for kind in ("markdown", "caption", "text") for element in app.get(kind)]
    parts += [f"{alert.proto.title} {alert.value}" for kind in ("error", "warning", "info")
              for alert in app.get(kind)]  # fmt: skip
    parts += [link.proto.label for link in app.get("page_link")]
    return "\n".join(str(part) for part in parts)
