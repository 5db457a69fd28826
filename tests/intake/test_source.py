"""A look into a file tells what it is without decoding a sample."""

import json
from pathlib import Path

import numpy as np
import pytest

from pruning.errors import DataFileError
from pruning.intake import store
from pruning.intake.kind import kind_of
from pruning.intake.source import Source, look
from tests.intake.make_files import csv_text, picture_files, zip_of


def test_a_zip_of_pictures(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", {**picture_files(3), "notes.doc": "x"})
    source = look(path)
    assert (source.kind, source.modality, source.files) == ("zip", "image", 6)
    assert source.classes == ("dark", "light")
    assert source.class_counts == {"dark": 3, "light": 3}
    assert source.columns is None
    assert not source.splits_given
    assert source.notes == ("1 files of other kinds were left out.",)


def test_a_folder_with_splits_and_what_its_author_fixed(tmp_path: Path) -> None:
    files = picture_files(2, "train/") | picture_files(1, "test/")
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    fixed = {"modality": "image", "height": 8}
    (tmp_path / "preprocessing.json").write_text(json.dumps({"format": 1, **fixed}))
    source = look(tmp_path)
    assert (source.kind, source.splits_given, source.preprocessing) == ("folder", True, fixed)
    assert source.class_counts == {"dark": 3, "light": 3}


def test_a_table(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text(csv_text(10).replace(",", "\t"))
    source = look(path)
    assert (source.kind, source.modality, source.files) == ("table", "text", 10)
    assert (source.columns, source.delimiter, source.header) == (("text", "label"), "\t", True)
    assert (source.text_column, source.label_column, source.split_column) == ("text", "label", None)
    assert source.rows[1] == ("the text number 1 is here", "good")
    assert source.class_counts == {"bad": 5, "good": 5}


def test_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    y = np.zeros(5, np.int64)
    np.savez(path, x=np.zeros((5, 4, 4), np.uint8), y=y, classes=np.array(["a", "b"]))
    source = look(path)
    assert (source.kind, source.modality, source.files) == ("npz", "arrays", 5)
    assert source.arrays["x"] == {"shape": [5, 4, 4], "dtype": "uint8"}
    assert (source.classes, source.splits_given) == (("a", "b"), False)


def test_it_goes_through_json(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(csv_text(10))
    for source in (look(path), look(zip_of(tmp_path / "p.zip", picture_files(3)))):
        assert Source.from_dict(json.loads(json.dumps(source.to_dict()))) == source


def test_the_kind_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", x=np.zeros(2), y=np.zeros(2))
    wrong = (tmp_path / "arrays.npz").rename(tmp_path / "arrays.csv")
    assert kind_of(wrong) == "npz"
    assert kind_of(zip_of(tmp_path / "p.npz", picture_files(1))) == "zip"
    (tmp_path / "t.zip").write_text(csv_text(3))
    assert kind_of(tmp_path / "t.zip") == "table"


def test_messages_name_an_upload_as_its_user_does() -> None:
    identifier = store.store_data("Umfrage 2024.npz", b"\x80\x04pickled")
    with pytest.raises(DataFileError, match=r"Umfrage 2024\.npz is a pickle"):
        look(store.data_path(identifier))
