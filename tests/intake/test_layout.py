"""What the files of an archive are to each other."""

import pytest

from pruning.errors import DataFileError
from pruning.intake.files import File
from pruning.intake.layout import Layout, arrange
from pruning.intake.splits import TEST, TRAIN, VAL

SUFFIXES = {"image": (".png", ".jpg"), "audio": (".wav",), "text": ()}


def laid_out(*names: str) -> Layout:
    return arrange("data.zip", [File(name, 1) for name in names], SUFFIXES)


def placed(layout: Layout) -> list[tuple[int | None, str]]:
    return [(sample.split, sample.label) for sample in layout.samples]


def test_class_folders() -> None:
    layout = laid_out("cat/1.png", "dog/2.JPG")
    assert (layout.modality, layout.splits_given) == ("image", False)
    assert placed(layout) == [(None, "cat"), (None, "dog")]


@pytest.mark.parametrize("wrapper", ["data/", "a/b/"])
def test_folders_around_everything_are_peeled(wrapper: str) -> None:
    layout = laid_out(f"{wrapper}cat/1.wav", f"{wrapper}dog/2.wav", f"{wrapper}classes.txt")
    assert layout.modality == "audio"
    assert placed(layout) == [(None, "cat"), (None, "dog")]
    assert list(layout.sides) == ["classes.txt"]


def test_a_single_class_folder_is_not_peeled() -> None:
    assert placed(laid_out("cat/1.png", "cat/2.png")) == [(None, "cat"), (None, "cat")]


def test_split_folders_in_any_usual_spelling() -> None:
    layout = laid_out("Train/cat/1.png", "validation/cat/2.png", "test/dog/deep/3.png")
    assert placed(layout) == [(TRAIN, "cat"), (VAL, "cat"), (TEST, "dog")]
    assert layout.splits_given


def test_classes_may_be_named_like_splits() -> None:
    assert placed(laid_out("train/1.png", "test/2.png", "bus/3.png")) == [
        (None, "train"),
        (None, "test"),
        (None, "bus"),
    ]


def test_deeper_folders_belong_to_their_class() -> None:
    assert placed(laid_out("cat/black/1.png", "dog/1.png")) == [(None, "cat"), (None, "dog")]


def test_texts_in_class_folders() -> None:
    layout = laid_out("train/pos/1.txt", "train/neg/2.txt", "test/pos/3.txt", "README.md")
    assert layout.modality == "text"
    assert placed(layout) == [(TRAIN, "pos"), (TRAIN, "neg"), (TEST, "pos")]


def test_what_is_left_out_is_said() -> None:
    layout = laid_out("cat/1.png", "dog/2.png", "loose.png", "cat/notes.doc", "LICENSE")
    assert layout.notes == (
        "1 samples outside class folders were left out: loose.png",
        "1 files of other kinds were left out.",
    )


def test_a_table_with_what_its_author_fixed() -> None:
    layout = laid_out("x/data.csv", "x/preprocessing.json", "x/vocabulary.txt", "x/LICENCE.md")
    assert (layout.modality, len(layout.tables)) == ("text", 1)
    assert layout.tables[0][1].name == "x/data.csv"
    assert sorted(layout.sides) == ["preprocessing.json", "vocabulary.txt"]


def test_tables_named_after_splits() -> None:
    layout = laid_out("train.tsv", "dev.tsv", "test.tsv")
    assert [split for split, _ in layout.tables] == [TRAIN, VAL, TEST]
    assert layout.splits_given


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["1.png", "2.png"], "not in folders, so their classes are unknown"),
        (["a.csv", "b.csv"], "has 2 tables: a.csv, b.csv"),
        (["a.doc", "b.doc", "c.pdf"], "2 × .doc, 1 × .pdf"),
        (["preprocessing.json"], "holds nothing else"),
    ],
)
def test_layouts_that_cannot_be_used(names: list[str], words: str) -> None:
    with pytest.raises(DataFileError, match=words):
        laid_out(*names)
