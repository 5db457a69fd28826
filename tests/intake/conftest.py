"""A home folder of its own for every test, and small files of every kind."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(folder))
    monkeypatch.delenv("PRUNING_STUDIO_MAX_UPLOAD_MB", raising=False)
    return folder
