"""Whole files or none, under the ids and permissions that others expect."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from pruning import storage
from pruning.errors import StorageError


@pytest.fixture
def umask():
    """Set the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_have_the_permissions_that_the_umask_gives(tmp_path: Path, umask, mask, mode):
    umask(mask)
    path = tmp_path / "plan.json"
    storage.write_json(path, {"a": 1})
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_failed_write_changes_nothing(tmp_path: Path):
    path = tmp_path / "record.json"
    storage.write_json(path, {"a": 1})

    def write_half() -> None:
        with storage.replacing(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert storage.read_json(path) == {"format": 1, "a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_the_longest_name_can_be_written(tmp_path: Path):
    path = tmp_path / ("ä" * 120 + ".json")
    storage.write_json(path, {})
    assert storage.read_json(path) == {"format": 1}


def test_arrays_are_never_unpickled(tmp_path: Path):
    path = tmp_path / "array.npy"
    with pytest.raises(ValueError, match="allow_pickle"):
        storage.write_array(path, np.array([object()]))
    assert not path.exists()
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        storage.read_array(path)


def test_ids_are_the_start_of_the_sha_256(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert storage.digest(b"abc") == storage.digest_file(path) == "ba7816bf8f01cfea4141"


def test_the_home_folder_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "a" / "home"))
    assert storage.make_home().stat().st_mode & 0o777 == 0o700
    storage.home().chmod(0o750)  # as its owner wants it
    assert storage.make_home().stat().st_mode & 0o777 == 0o750


def test_a_full_disk_is_found_behind_another_librarys_error() -> None:
    saving = RuntimeError("saving failed")
    saving.__cause__ = OSError("Can't write (errno = 28, message = 'No space left on device')")
    assert isinstance(storage.disk_full(saving), StorageError)
    assert storage.disk_full(FileNotFoundError(2, "No such file", "x")) is None
    assert storage.disk_full(RuntimeError("anything")) is None
    circle = RuntimeError("its own cause")
    circle.__cause__ = circle
    assert storage.disk_full(circle) is None
