"""Writing a demo's ``data.zip`` in the form in which a user would upload it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pruning import storage

_DATE = (1980, 1, 1, 0, 0, 0)  # fixed: the same files give the same archive


def write(path: Path, files: Iterable[tuple[str, bytes]], preprocessing: dict[str, Any]) -> None:
    """Write a zip of ``(name, content)`` with ``preprocessing.json`` at its root."""
    settings = json.dumps(preprocessing, indent=1, ensure_ascii=False).encode()
    with storage.replacing(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, content in [("preprocessing.json", settings), *files]:
            entry = zipfile.ZipInfo(name, date_time=_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, compresslevel=9)
    path.chmod(0o644)
