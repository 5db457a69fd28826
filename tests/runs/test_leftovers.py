import os
from pathlib import Path

import pytest

from pruning.runs import leftovers

DAY = 24 * 3600


@pytest.mark.parametrize(("days", "stays"), [(0, True), (2, False)])
def test_what_a_killed_process_left_goes_after_a_day(home: Path, days: int, stays: bool) -> None:
    upload = home / "models" / ".upload.x1y2"
    folders = [home / "runs" / ".new-20260101", home / "data" / ".deleted-abc-0123"]
    for folder in folders:
        (folder / "inside").mkdir(parents=True)
    upload.parent.mkdir()
    upload.write_bytes(b"half")
    written = upload.stat().st_mtime - days * DAY
    for path in (upload, *folders):
        os.utime(path, (written, written))
    leftovers.clear()
    assert [path.exists() for path in (upload, *folders)] == [stays] * 3


def test_all_else_stays(home: Path) -> None:
    kept = [home / "runs" / "20260101-000000-abc", home / "jobs" / ".hidden", home / "temp"]
    for path in kept:
        path.mkdir(parents=True)
        os.utime(path, (0, 0))
    leftovers.clear()
    assert all(path.is_dir() for path in kept)


def test_no_home_is_no_trouble(home: Path) -> None:
    leftovers.clear()
