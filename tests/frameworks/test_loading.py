"""What both Kerases share on the way from a file to a model."""

from __future__ import annotations

import zipfile

import pytest

from pruning.errors import ModelFileError
from pruning.frameworks import _loading
from pruning.frameworks.container import ModelFile


def steps_back(path) -> int:
    """Read an archive's member back and forth. -> how often the archive itself was asked."""
    with zipfile.ZipFile(path) as archive, archive.open("weights") as member:
        raw, asked = member._fileobj, []
        read = raw.read
        raw.read = lambda size: asked.append(size) or read(size)
        for place in (90_000, 10, 50_000, 20):
            member.seek(place)
            assert member.read(2) == bytes([place % 251, (place + 1) % 251])
        return len(asked)


def test_a_member_is_read_once_however_often_one_goes_back(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights", bytes(i % 251 for i in range(100_000)))
    usual = zipfile.ZipExtFile.MIN_READ_SIZE
    with _loading.read_at_once(path):
        assert steps_back(path) <= 2  # from Python 3.13 on one may start in the middle
    assert usual == zipfile.ZipExtFile.MIN_READ_SIZE


def test_the_limit_and_errors_leave_things_as_they_were(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    path.write_bytes(bytes(100_000))
    usual = zipfile.ZipExtFile.MIN_READ_SIZE
    with pytest.raises(OSError), _loading.read_at_once(path):
        raise OSError
    assert usual == zipfile.ZipExtFile.MIN_READ_SIZE
    monkeypatch.setattr(_loading, "_AT_ONCE", 99_999)
    with _loading.read_at_once(path):
        assert usual == zipfile.ZipExtFile.MIN_READ_SIZE


@pytest.mark.parametrize("kind", ["MemoryError", "ResourceExhaustedError"])
def test_layers_too_large_for_the_memory_are_told_as_such(tmp_path, kind):
    import tensorflow as tf

    errors = {
        "MemoryError": MemoryError("Unable to allocate 8 TiB"),
        "ResourceExhaustedError": tf.errors.ResourceExhaustedError(None, None, "OOM when …"),
    }
    file = ModelFile(tmp_path / "huge.keras", "keras3", "keras", "Keras 3.15.1", {})
    words = r"huge\.keras declares need more memory"
    with pytest.raises(ModelFileError, match=words) as caught, _loading.rebuilding(file):
        raise errors[kind]
    assert "fits into this machine's memory" in caught.value.expected
