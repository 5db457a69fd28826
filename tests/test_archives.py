"""Tables of contents are counted before they are read, whatever number the archive gives."""

import zipfile
from pathlib import Path

import pytest

from pruning import archives
from pruning.errors import DataFileError, ModelFileError
from pruning.frameworks import container
from pruning.intake import files, limits


def archive(path: Path, entries: int) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for number in range(entries):
            info = zipfile.ZipInfo(f"a/{number}")
            info.comment = b"of the entry"
            made.writestr(info, b"PK\x01\x02 is how entries begin")
    return path


def test_all_that_may_be_inside_is_read(tmp_path: Path) -> None:
    with archives.open_zip(archive(tmp_path / "a.zip", 7), 7) as found:
        assert len(found.infolist()) == 7
        assert found.testzip() is None


def test_a_wrong_number_of_entries_helps_nobody(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", 8)
    content = bytearray(path.read_bytes())
    content[-14:-10] = bytes([1, 0, 1, 0])  # entries on this disk, and in all
    path.write_bytes(content)
    with zipfile.ZipFile(path) as found:
        assert len(found.infolist()) == 8
    with pytest.raises(archives.TooManyEntries), archives.open_zip(path, 7):
        pass


def test_data_and_models_of_too_many_entries_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path / "a.zip", 8)
    monkeypatch.setattr(limits, "MAX_ENTRIES", 3)
    monkeypatch.setattr(container, "MAX_ENTRIES", 3)
    # Where an entry is made an object of, memory is spent already.
    monkeypatch.setattr(zipfile, "ZipInfo", None)
    with pytest.raises(DataFileError, match="more than 6 files"), files.open_zip(path):
        pass
    with pytest.raises(ModelFileError, match="a zip archive of over 3 files"):
        container.open_model_file(path)
