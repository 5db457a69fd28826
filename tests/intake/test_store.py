"""Uploads: stored once under their digest, refused when empty or too large."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pruning.errors import DataFileError, ModelFileError, NotFoundError, StorageError
from pruning.intake import store

CONTENT = b"not a model, and never opened"
DIGEST = hashlib.sha256(CONTENT).hexdigest()[:20]


def test_the_id_is_the_digest_of_the_content_whatever_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    path.write_bytes(CONTENT)
    ids = {
        store.store_model("a.keras", CONTENT),
        store.store_model("a.keras", path),
        store.store_model("a.keras", io.BytesIO(CONTENT)),
    }
    assert ids == {DIGEST}
    assert store.model_path(DIGEST).read_bytes() == CONTENT
    assert path.exists()


def test_the_same_content_is_kept_once_under_its_first_name(home: Path) -> None:
    store.store_data("first.csv", CONTENT)
    store.store_data("second.zip", CONTENT)
    assert [(upload.name, upload.bytes) for upload in store.data()] == [("first.csv", 29)]
    assert sorted(p.name for p in store.data_folder(DIGEST).iterdir()) == [
        "source.csv",
        "upload.json",
    ]
    assert not list((home / "data").glob(".*"))


def test_the_record_keeps_the_original_name_without_its_folders() -> None:
    store.store_model("C:\\models\\Größe 1.H5", CONTENT)
    record = store.upload_record(store.model_folder(DIGEST))
    assert (record["name"], record["bytes"]) == ("Größe 1.H5", len(CONTENT))
    assert store.model_path(DIGEST).name == "model.h5"


@pytest.mark.parametrize("name", ["../../evil", "a.b/../c", "x.$(rm)", "noext", "..", ""])
def test_a_hostile_name_never_becomes_part_of_a_path(home: Path, name: str) -> None:
    identifier = store.store_data(name, CONTENT)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {path.parent for path in files} == {home / "data" / identifier}
    assert {path.name for path in files} == {"source.bin", "upload.json"}


def test_uploads_are_listed_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 200.0])
    monkeypatch.setattr("pruning.intake.store.time.time", lambda: next(clock))
    store.store_model("old.h5", b"old")
    store.store_model("new.h5", b"new")
    assert [upload.name for upload in store.models()] == ["new.h5", "old.h5"]
    assert store.data() == []


def test_an_empty_file_is_refused_by_the_room_it_is_for(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"a\.keras is empty"):
        store.store_model("a.keras", b"")
    empty = tmp_path / "a.npz"
    empty.touch()
    with pytest.raises(DataFileError, match=r"a\.npz is empty"):
        store.store_data("a.npz", empty)


def test_the_size_limit_comes_from_the_setting(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_MAX_UPLOAD_MB", "1")
    assert store.store_data("fits.npz", bytes(2**20))
    with pytest.raises(DataFileError, match="larger than 1 MB") as caught:
        store.store_data("big.npz", bytes(2**20 + 1))
    assert "PRUNING_STUDIO_MAX_UPLOAD_MB" in caught.value.fix
    assert len(store.data()) == 1
    assert not list((home / "data").glob(".*"))


@pytest.mark.parametrize("value", ["", "0", "-5", "many", "1.5"])
def test_a_setting_that_is_no_number_leaves_the_default(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    from pruning.intake.limits import max_upload_bytes

    monkeypatch.setenv("PRUNING_STUDIO_MAX_UPLOAD_MB", value)
    assert max_upload_bytes() == 2048 * 2**20


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="There is no file"):
        store.store_model("gone.h5", tmp_path / "gone.h5")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always full device")
def test_a_full_disk_is_a_storage_error(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    (home / "data").mkdir(parents=True)
    real = Path.open

    def open_full(path: Path, mode: str = "r", **options: object) -> object:
        return real(Path("/dev/full") if ".upload." in path.name else path, mode)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(StorageError, match="disk is full"):
        store.store_data("a.npz", CONTENT * 100_000)
    assert store.data() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_a_storage_error(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(StorageError, match="could not be written"):
        store.store_data("a.npz", CONTENT)


@pytest.mark.parametrize("record", ["", "{", "[]", "{}", '{"name": "a", "bytes": null}'])
def test_a_damaged_record_hides_no_other_upload(home: Path, record: str) -> None:
    good = store.store_data("a.npz", CONTENT)
    bad = home / "data" / ("b" * 20)
    bad.mkdir()
    (bad / "source.npz").write_bytes(b"x")
    (bad / "upload.json").write_text(record)
    assert [upload.id for upload in store.data()] == [good]


@pytest.mark.parametrize("identifier", ["", "..", "../../etc", DIGEST, DIGEST.upper(), "x" * 20])
def test_unknown_ids_are_not_found(identifier: str) -> None:
    with pytest.raises(NotFoundError):
        store.data_path(identifier)


def test_what_is_stored_is_known_by_its_kind(home: Path) -> None:
    store.store_model("a.keras", CONTENT)
    assert store.has_model(DIGEST)
    assert not store.has_data(DIGEST)
    (home / "models" / DIGEST / "upload.json").unlink()
    assert not store.has_model(DIGEST)
    assert not store.has_model("../models")


def test_what_is_being_deleted_is_not_listed(home: Path) -> None:
    store.store_data("a.csv", CONTENT)
    (home / "data" / DIGEST).rename(home / "data" / f".deleted-{DIGEST}")
    assert store.data() == []


def test_storing_needs_no_tensorflow() -> None:
    code = (
        "import sys, pruning.intake.store, pruning.intake.prepare, pruning.intake.check;"
        "print({'tensorflow', 'keras', 'tf_keras'} & set(sys.modules))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
