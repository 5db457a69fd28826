"""Prepared folders appear whole or not at all."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.errors import StorageError
from pruning.intake.draft import Draft, RowWriter, building, check_space


@given(st.lists(st.integers(0, 5), max_size=8), st.sampled_from(["u1", "f4", "i8"]))
def test_rows_appended_are_the_array(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], dtype: str
) -> None:
    blocks = [np.full((n, 2, 3), i, dtype) for i, n in enumerate(sizes)]
    path = tmp_path_factory.mktemp("rows") / "a.npy"
    writer = RowWriter(path, (2, 3), np.dtype(dtype))
    for block in blocks:
        writer.append(block)
    writer.close()
    expected = np.concatenate([np.zeros((0, 2, 3), dtype), *blocks])
    loaded = np.load(path, allow_pickle=False, mmap_mode="r")
    assert loaded.dtype == expected.dtype
    assert np.array_equal(loaded, expected)


def test_rows_of_another_shape_are_a_bug(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path / "a.npy", (2,), np.dtype(np.float32))
    with pytest.raises(ValueError, match="rows of shape"):
        writer.append(np.zeros((1, 3), np.float32))


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "prepared" / "id"
    with building(target) as folder:
        with Draft(folder) as draft:
            draft.append("x_train", np.arange(6, dtype=np.float32).reshape(3, 2))
        assert not target.exists()
    assert np.load(target / "x_train.npy").tolist() == [[0, 1], [2, 3], [4, 5]]
    assert [path.name for path in target.parent.iterdir()] == ["id"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "prepared" / "id"

    def fail() -> None:
        with building(target) as folder:
            (folder / "half").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(target.parent.iterdir()) == []


def test_the_first_of_two_builders_stays(tmp_path: Path) -> None:
    target = tmp_path / "id"
    with building(target) as second:
        with building(target) as first:
            (first / "manifest.json").write_text("first")
        (second / "manifest.json").write_text("second")
    assert (target / "manifest.json").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["id"]


def test_what_a_killed_worker_left_is_swept_after_a_day(tmp_path: Path) -> None:
    old, young = tmp_path / ".id.old", tmp_path / ".id.young"
    for left in (old, young):
        left.mkdir()
    os.utime(old, (0, 0))
    with building(tmp_path / "id"):
        pass
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always full device")
def test_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    def fill() -> None:
        with building(tmp_path / "id") as folder:
            (folder / "x_train.npy").symlink_to("/dev/full")
            with Draft(folder) as draft:
                draft.append("x_train", np.zeros((1, 2**20)))

    with pytest.raises(StorageError, match="disk is full"):
        fill()


def test_too_little_space_is_told_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    check_space(tmp_path / "not" / "yet", 10**9)
    with pytest.raises(StorageError, match=r"need 2\.50 GB; 1\.00 GB are free"):
        check_space(tmp_path / "not" / "yet", 2_500_000_000)
