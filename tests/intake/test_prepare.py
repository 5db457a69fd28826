"""From files to prepared data, whole; and every kind of bad file gets its words."""

import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pruning.errors import DataFileError, MismatchError, NotFoundError, PruningError
from pruning.intake import modalities, store
from pruning.intake.check import check_fits
from pruning.intake.dataset import SPLITS, Dataset, prepared_folder
from pruning.intake.modalities._base import Modality, ModelInput, Sample
from pruning.intake.prepare import look, open_data, prepare
from tests.intake.make_files import csv_text, picture_files, png, wav, zip_of

PICTURE = ModelInput((8, 8, 1))


def values_of(data: Dataset, split: str) -> set[int]:
    """Pictures of one value each, as that value."""
    return set(np.round(data.x(split)[:, 0, 0, 0] * 255).astype(int).tolist())


def test_pictures_in_class_folders(tmp_path: Path) -> None:
    data = prepare(zip_of(tmp_path / "p.zip", picture_files()), model_input=PICTURE)
    manifest = data.manifest
    assert (manifest.modality, manifest.task) == ("image", "classification")
    assert manifest.classes == ("dark", "light")
    assert manifest.counts == {"train": 28, "val": 6, "test": 6}
    assert manifest.class_counts == {"train": [14, 14], "val": [3, 3], "test": [3, 3]}
    found: set[int] = set()
    for split in SPLITS:
        x, y = data.x(split), data.y(split)
        assert x.shape == (manifest.counts[split], 8, 8, 1)
        assert np.array_equal(y, (x[:, 0, 0, 0] * 255 > 50).astype(int))
        assert not found & values_of(data, split)
        found |= values_of(data, split)
    assert found == {*range(20), *range(100, 120)}
    images = np.load(data.folder / "preview" / "images.npy")
    assert np.array_equal(images, np.round(data.x("test") * 255).astype(np.uint8))


def test_the_same_file_and_settings_are_prepared_once(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", picture_files())
    first = prepare(path, model_input=PICTURE, options={"seed": 1})
    written = (first.folder / "x_test.npy").stat().st_mtime_ns
    again = prepare(path, model_input=PICTURE, options={"seed": 1})
    assert again.folder == first.folder == prepared_folder(first.manifest.ref)
    assert (again.folder / "x_test.npy").stat().st_mtime_ns == written
    other = prepare(path, model_input=PICTURE, options={"seed": 2})
    assert other.folder != first.folder
    assert values_of(other, "test") != values_of(first, "test")


def test_the_same_seed_gives_the_same_arrays_in_another_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zip_of(tmp_path / "p.zip", picture_files())
    first = prepare(path, model_input=PICTURE, options={"seed": 5})
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "other"))
    second = prepare(path, model_input=PICTURE, options={"seed": 5})
    assert first.manifest == second.manifest
    for split in SPLITS:
        assert np.array_equal(first.x(split), second.x(split))


def test_an_upload_keeps_its_id_and_name(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "my pets.zip", picture_files())
    identifier = store.store_data("my pets.zip", path)
    manifest = prepare(store.data_path(identifier), model_input=PICTURE).manifest
    assert manifest.ref.startswith(f"{identifier}-")
    assert manifest.name == "my pets.zip"
    assert prepare(path, model_input=PICTURE).manifest.ref == manifest.ref


def test_a_folder_gives_the_same_arrays_as_its_zip(tmp_path: Path) -> None:
    files = picture_files(prefix="pets/")
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    zipped = prepare(zip_of(tmp_path / "p.zip", files), model_input=PICTURE)
    folder = prepare(tmp_path / "pets", model_input=PICTURE)
    assert np.array_equal(zipped.x("train"), folder.x("train"))
    assert prepare(tmp_path / "pets", model_input=PICTURE).folder == folder.folder


def test_given_splits_are_kept_and_a_missing_one_is_taken_from_training(tmp_path: Path) -> None:
    files = picture_files(20, "train/") | {
        f"test/{name}/{i}.png": png(value)
        for name, first in (("dark", 50), ("light", 150))
        for i, value in enumerate(range(first, first + 4))
    }
    data = prepare(zip_of(tmp_path / "p.zip", files), model_input=PICTURE)
    assert values_of(data, "test") == {*range(50, 54), *range(150, 154)}
    assert data.manifest.counts == {"train": 34, "val": 6, "test": 8}
    assert "No val samples were given" in data.manifest.notes[0]


def test_the_authors_settings_win_over_suggestions_and_the_users_over_both(tmp_path: Path) -> None:
    fixed = {"modality": "image", "height": 4, "width": 4, "channels": 1, "scaling": "raw"}
    extra = {
        "preprocessing.json": json.dumps({**fixed, "classes": ["light", "dark"], "licence": "MIT"})
    }
    path = zip_of(tmp_path / "p.zip", picture_files() | extra)
    manifest = prepare(path, model_input=PICTURE).manifest
    assert (manifest.x_shape, manifest.preprocessing) == ((4, 4, 1), fixed)
    assert (manifest.classes, manifest.licence) == (("light", "dark"), "MIT")
    manifest = prepare(path, model_input=PICTURE, preprocessing={"height": 6}).manifest
    assert manifest.x_shape == (6, 4, 1)


def test_classes_txt_orders_the_classes(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", picture_files() | {"classes.txt": "light\r\ndark\r\n"})
    data = prepare(path, model_input=PICTURE)
    assert data.manifest.classes == ("light", "dark")
    assert np.array_equal(data.y("test") == 0, data.x("test")[:, 0, 0, 0] * 255 > 50)


def test_sounds_in_class_folders(tmp_path: Path) -> None:
    files = {
        f"{name}/{i}.wav": wav(hertz + i)
        for name, hertz in (("high", 2000), ("low", 200))
        for i in range(10)
    }
    settings = {
        "modality": "audio",
        "sample_rate": 8000,
        "seconds": 0.25,
        "features": "raw",
        "channel_axis": False,
    }
    path = zip_of(tmp_path / "s.zip", files | {"preprocessing.json": json.dumps(settings)})
    data = prepare(path, model_input=ModelInput((2000,)))
    assert (data.manifest.modality, data.manifest.sample_rate) == ("audio", 8000)
    assert data.x("test").shape == (4, 2000)
    crossings = (np.diff(np.sign(data.x("test")), axis=1) != 0).sum(axis=1)
    assert np.array_equal(data.y("test"), (crossings < 500).astype(int))
    audio = np.load(data.folder / "preview" / "audio.npy")
    assert (audio.shape, audio.dtype) == ((4, 2000), np.int16)


def test_a_table_of_texts(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(csv_text())
    data = prepare(path, model_input=ModelInput((6,), vocabulary=500))
    manifest = data.manifest
    assert (manifest.modality, manifest.classes) == ("text", ("bad", "good"))
    texts = json.loads((data.folder / "preview" / "texts.json").read_text())["texts"]
    numbers = [int(text.split()[3]) for text in texts]
    assert np.array_equal(data.y("test"), np.array(numbers) % 2)
    vocabulary = manifest.preprocessing["vocabulary"]
    decoded = [[([None, None, *vocabulary])[token] for token in row[:3]] for row in data.x("test")]
    assert decoded == [["the", "text", "number"]] * len(texts)


def test_the_vocabulary_is_learned_from_the_training_texts_only(tmp_path: Path) -> None:
    lines = ["text,label,split"]
    lines += [f"common {'red' if i % 2 else 'blue'},{i % 2},train" for i in range(20)]
    lines += [f"common secret,{i % 2},test" for i in range(4)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    data = prepare(path, model_input=ModelInput((2,), vocabulary=500))
    assert data.manifest.preprocessing["vocabulary"] == ["common", "blue", "red"]
    assert data.x("test").tolist() == [[2, 1]] * 4
    assert data.manifest.counts["test"] == 4


def test_a_table_in_an_archive_with_its_vocabulary(tmp_path: Path) -> None:
    files = {"d/data.csv": csv_text(), "d/vocabulary.txt": "number\ntext\n", "d/LICENCE.md": "x"}
    path = zip_of(tmp_path / "t.zip", files)
    data = prepare(path, model_input=ModelInput((3,), vocabulary=500))
    assert data.x("test")[0].tolist() == [1, 3, 2]


def test_tables_for_each_split(tmp_path: Path) -> None:
    files = {f"{split}.csv": csv_text(rows) for split, rows in (("train", 40), ("test", 10))}
    data = prepare(zip_of(tmp_path / "t.zip", files), model_input=ModelInput((6,), vocabulary=500))
    assert data.manifest.counts == {"train": 34, "val": 6, "test": 10}
    assert "8 of 10 test samples are also among the training" in " ".join(data.manifest.notes)


def test_columns_and_task_are_the_users_choice(tmp_path: Path) -> None:
    rows = [f"{i},words about {i},{i % 3},{i / 10}" for i in range(40)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["id,about,grade,price", *rows]))
    text = ModelInput((4,), vocabulary=500)
    chosen: dict[str, Any] = {"text_column": "about", "label_column": "price"}
    prices = prepare(path, model_input=text, options=chosen)
    assert (prices.manifest.task, prices.y("test").dtype) == ("regression", np.float32)
    grades = prepare(path, model_input=text, options={**chosen, "label_column": "grade"})
    assert grades.manifest.classes == ("0", "1", "2")
    asked = {**chosen, "label_column": "grade", "task": "regression"}
    assert prepare(path, model_input=text, options=asked).manifest.task == "regression"


def test_texts_in_class_folders(tmp_path: Path) -> None:
    files = {
        f"{name}/{i}.txt": f"{word} größe {i}".encode("latin-1")
        for name, word in (("pos", "good"), ("neg", "bad"))
        for i in range(12)
    }
    data = prepare(zip_of(tmp_path / "t.zip", files), model_input=ModelInput((3,), vocabulary=500))
    assert data.manifest.modality == "text"
    assert "größe" in data.manifest.preprocessing["vocabulary"]


def test_arrays_to_be_split(tmp_path: Path) -> None:
    x = np.arange(200, dtype=np.float64).reshape(100, 2)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(100) % 4, classes=np.array(list("abcd")))
    data = prepare(tmp_path / "a.npz", model_input=ModelInput((2,)))
    assert data.manifest.classes == tuple("abcd")
    assert data.manifest.counts == {"train": 68, "val": 16, "test": 16}
    rows = np.concatenate([data.x(split) for split in SPLITS])
    assert np.array_equal(rows[np.argsort(rows[:, 0])], x)
    for split in SPLITS:
        assert np.array_equal(data.y(split), data.x(split)[:, 0] / 2 % 4)


def test_arrays_with_splits_keep_every_row_in_its_place(tmp_path: Path) -> None:
    arrays = {}
    for split, count in (("train", 30), ("val", 10), ("test", 12)):
        arrays[f"x_{split}"] = np.random.default_rng(count).integers(0, 256, (count, 8, 8), "uint8")
        arrays[f"y_{split}"] = np.eye(3)[np.arange(count) % 3]
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    data = prepare(tmp_path / "a.npz", model_input=PICTURE)
    for split in SPLITS:
        expected = arrays[f"x_{split}"][..., np.newaxis] / np.float32(255)
        assert np.allclose(data.x(split), expected, atol=1e-7)
        assert np.array_equal(data.y(split), np.arange(len(expected)) % 3)
    assert data.manifest.pipeline == ("reshape (8, 8) to (8, 8, 1)", "divide by 255")
    images = np.load(data.folder / "preview" / "images.npy")
    assert np.array_equal(images[..., 0], arrays["x_test"])


def test_progress_is_reported(tmp_path: Path) -> None:
    heard: list[tuple[float, str]] = []
    path = zip_of(tmp_path / "p.zip", picture_files(60))
    prepare(
        path, model_input=PICTURE, report=lambda fraction, words: heard.append((fraction, words))
    )
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    assert heard[-1] == (100 / 120, "Reading samples: 100 of 120")


def test_one_bad_sample_in_a_hundred_is_skipped_and_named(tmp_path: Path) -> None:
    files = picture_files(50) | {"dark/broken.png": b"no picture"}
    data = prepare(zip_of(tmp_path / "p.zip", files), model_input=PICTURE)
    assert sum(data.manifest.counts.values()) == 100
    (note,) = data.manifest.notes
    assert note.startswith("1 sample could not be read and was left out: dark/broken.png")


def test_more_bad_samples_are_refused_and_named(tmp_path: Path) -> None:
    files = picture_files(20) | {f"dark/broken{i}.png": b"no picture" for i in range(2)}
    with pytest.raises(DataFileError, match=r"(?s)At least 2 of 42 .*broken0.*") as caught:
        prepare(zip_of(tmp_path / "p.zip", files), model_input=PICTURE)
    assert "broken1.png" in caught.value.happened


def test_failing_leaves_no_half_prepared_folder(tmp_path: Path, home: Path) -> None:
    files = picture_files(20) | {f"dark/broken{i}.png": b"no picture" for i in range(9)}
    with pytest.raises(DataFileError):
        prepare(zip_of(tmp_path / "p.zip", files), model_input=PICTURE)
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_new_modality_needs_nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(name: str, content: Any, preprocessing: dict[str, Any]) -> Sample:
        return Sample(np.full(2, content[0] * preprocessing["factor"], np.float32), "a scent")

    scent = Modality(
        name="scent",
        title="Scents",
        suffixes=(".scent",),
        suggest=lambda model_input: {"modality": "scent", "factor": 2},
        fit=lambda preprocessing, samples: {**preprocessing, "most": max(s[0] for s in samples)},
        decode=decode,
        describe=lambda preprocessing: ("sniff",),
        output_shape=lambda preprocessing: (2,),
    )
    monkeypatch.setattr(modalities, "modalities", lambda: {"scent": scent})
    monkeypatch.setattr("pruning.intake.samples.modalities", lambda: {"scent": scent})
    files = {f"{name}/{i}.scent": bytes([i]) for name in ("rose", "smoke") for i in range(1, 11)}
    data = prepare(zip_of(tmp_path / "s.zip", files), model_input=ModelInput((2,)))
    assert (data.manifest.modality, data.manifest.pipeline) == ("scent", ("sniff",))
    assert data.manifest.preprocessing["most"] <= 10
    assert set(data.x("train").ravel() / 2) <= set(range(1, 11))


def test_open_data_takes_a_path_or_says_what_it_takes(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", picture_files())
    data = open_data(str(path), model_input=PICTURE, seed=4)
    assert data.manifest.seed == 4
    assert data.folder == prepare(path, model_input=PICTURE, options={"seed": 4}).folder
    with pytest.raises(NotFoundError, match="no data 'nowhere'"):
        open_data("nowhere", model_input=PICTURE, seed=0)


@dataclass(frozen=True)
class Bad:
    """A bad file: how to make it, and words of its error."""

    name: str
    make: Callable[[Path], object]
    words: str


def _npz(**arrays: np.ndarray) -> Callable[[Path], object]:
    return lambda path: np.savez(path.open("wb"), **arrays)


def _zip(files: dict[str, bytes | str]) -> Callable[[Path], object]:
    return lambda path: zip_of(path, files)


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _locked(path: Path) -> None:
    zip_of(path, picture_files())
    with zipfile.ZipFile(path) as archive:
        places = [info.header_offset for info in archive.infolist()]
    content = bytearray(path.read_bytes())
    for place in places:
        content[place + 6] |= 1
    start = 0
    while (start := content.find(b"PK\x01\x02", start)) >= 0:
        content[start + 8] |= 1
        start += 4
    path.write_bytes(content)


def _huge_png() -> bytes:
    """A few bytes that claim to be a picture of 40,000 × 40,000 pixels."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(5001) * 100)  # the rest of the rows never has to be read
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


HUGE = _huge_png()
X, Y = np.zeros((40, 8, 8, 1), np.float32), np.arange(40) % 2
BAD = [
    Bad("a.npz", _bytes(b""), "a.npz is empty"),
    Bad("a.zip", _bytes(b"PK\x03\x04 cut off"), "damaged or incomplete archive"),
    Bad("a.npz", _bytes(b"\x89HDF\r\n\x1a\n..."), "a.npz is an HDF5 file"),
    Bad("a.zip", _bytes(b"Rar!\x1a\x07"), "a.zip is a RAR archive"),
    Bad("a.csv", _zip({"[Content_Types].xml": "x", "xl/a.xml": "x"}), "is an Office document"),
    Bad("a.npz", _bytes(b"\x80\x04\x95pickle"), "is a pickle"),
    Bad("a.zip", _zip({"config.json": "{}", "model.weights.h5": "x"}), "is a Keras model"),
    Bad("a.zip", _locked, "protected by a password"),
    Bad("a.zip", _zip({"a.zip": "PK"}), "no files to use"),
    Bad("a.npz", _npz(x=np.array([{}], object), y=Y), "pickled Python objects"),
    Bad("a.npz", _npz(x=np.zeros((40, 9, 9)), y=Y), r"\(9, 9\), the model reads \(8, 8, 1\)"),
    Bad("a.npz", _npz(x=X, y=Y[1:]), "40 samples in x and 39 labels"),
    Bad("a.npz", _npz(x=X, y=Y - 1), "label -1 is out of range"),
    Bad("a.npz", _npz(x=X, y=Y * 0), "belong to one class"),
    Bad("a.npz", _npz(x=X, y=Y * 9, classes=np.array(["a", "b"])), "label 9 is out of range"),
    Bad("a.npz", _npz(x=X * np.nan, y=Y), "NaN or infinite"),
    Bad("a.npz", _npz(x=X + np.inf, y=Y), "NaN or infinite"),
    Bad("a.npz", _npz(x=X[:2], y=Y[:2]), "No samples are left for val and test"),
    Bad("a.npz", _npz(x_train=X, y_train=Y * 0, x_test=X, y_test=Y), "belong to one class"),
    Bad(
        "a.npz",
        _npz(x_train=X, y_train=Y, x_test=X[:, 1:], y_test=Y),
        "Samples in x_train, x_t",
    ),
    Bad("a.npz", _npz(x_train=X, y_train=Y, x_test=X, y_test=np.eye(2)[Y]), "different shapes"),
    Bad("a.npz", _npz(x=np.full(40, "text"), y=Y), "values of the type <U4"),
    Bad("a.zip", _zip({"a/1.png": png(1), "a/2.png": png(2)}), "belong to one class, 'a'"),
    Bad("a.zip", _zip({"1.png": png(1), "2.png": png(2)}), "classes are unknown"),
    Bad("a.zip", _zip({"a/1.png": png(1), "b/2.png": png(2)}), "No samples are left"),
    Bad("a.zip", _zip({f"{c}/{i}.png": b"RIFF" for c in "ab" for i in range(9)}), "picture"),
    Bad("a.zip", _zip({f"{c}/{i}.wav": b"RIFF" for c in "ab" for i in range(9)}), "sound|reads"),
    Bad("a.zip", _zip({f"{c}/{i}.png": HUGE for c in "ab" for i in range(9)}), "megapixels"),
    Bad("a.zip", _zip({f"{c}/{i}.png": png(1)[:45] for c in "ab" for i in range(9)}), "picture"),
    Bad("a.zip", _zip(picture_files() | {"preprocessing.json": "{"}), "is not valid JSON"),
    Bad("a.zip", _zip(picture_files() | {"preprocessing.json": "[]"}), "is not a JSON object"),
    Bad("a.zip", _zip(picture_files() | {"classes.txt": "dark\n"}), "'light' is not among the 1"),
    *(
        Bad("a.zip", _zip(picture_files() | {"preprocessing.json": json.dumps(given)}), words)
        for given, words in (
            ({"classes": 5}, "option classes is 5"),
            ({"classes": "ab"}, "option classes is 'ab'"),
            ({"encoding": 5}, "option encoding is 5"),
            ({"header": "no"}, "option header is 'no'"),
            ({"source": {"a": 1}}, "option source is"),
        )
    ),
    Bad("a.csv", _bytes("текст,метка\nхорошо,да\nплохо,нет\n".encode("cp1251")), "encoding"),
    Bad("a.csv", _bytes(b"text,label\n" + b"a,\n" * 9), "has no value in the column 'label'"),
    Bad("a.csv", _bytes(b"text,label\n" + b"words,x\n" * 9), "belong to one class, 'x'"),
    Bad("a.csv", _bytes(b"1,2,3\n4,5,6\n7,8,9\n"), "The table holds numbers only"),
    Bad("a.csv", _bytes(b"one column\nonly\n"), "only one column"),
    Bad("gone.csv", lambda path: None, "There is no file or folder"),
]


@pytest.mark.parametrize("bad", BAD, ids=[f"{i}-{bad.name}" for i, bad in enumerate(BAD)])
def test_bad_files_get_three_sentences(tmp_path: Path, home: Path, bad: Bad) -> None:
    path = tmp_path / bad.name
    bad.make(path)
    with pytest.raises((DataFileError, MismatchError), match=bad.words) as caught:
        prepare(path, model_input=PICTURE)
    error: PruningError = caught.value
    for sentence in (error.happened, error.expected, error.fix):
        assert sentence.endswith((".", "…", ")."))
        assert str(tmp_path) not in sentence or bad.name == "gone.csv"
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_text_model_with_too_small_an_embedding(tmp_path: Path) -> None:
    settings = {"modality": "text", "length": 6, "max_tokens": 500}
    files = {"data.csv": csv_text(), "preprocessing.json": json.dumps(settings)}
    path = zip_of(tmp_path / "t.zip", files)
    with pytest.raises(MismatchError, match="embedding has 4 entries"):
        prepare(path, model_input=ModelInput((6,), vocabulary=4))


def test_data_of_another_shape_is_left_to_the_check_against_the_model(tmp_path: Path) -> None:
    settings = {"modality": "image", "height": 8, "width": 8, "channels": 1, "scaling": "-1..1"}
    files = picture_files() | {"preprocessing.json": json.dumps(settings)}
    data = prepare(zip_of(tmp_path / "p.zip", files), model_input=ModelInput((6,), vocabulary=9))
    inputs = (SimpleNamespace(name="tokens", shape=(6,), dtype="int32"),)
    outputs = (SimpleNamespace(shape=(2,), dtype="float32"),)
    with pytest.raises(MismatchError, match=r"reads samples of shape \(6\), the data has"):
        check_fits(data.manifest, inputs, outputs, "softmax")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"val": 0.6, "test": 0.6}, "is impossible"),
        ({"task": "clustering"}, "task 'clustering' does not exist"),
        ({"delimiter": "::"}, "'::' cannot separate"),
        ({"sed": 3}, "no option 'sed'"),
        ({"seed": 0.5}, "option seed is 0.5"),
        ({"val": "0.1"}, "option val is '0.1'"),
        ({"classes": ["a", "a"]}, "a name twice"),
        ({"text_column": "body"}, "no column 'body'"),
        ({"split_column": "text", "text_column": "text"}, "is not the name of a split"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(csv_text())
    with pytest.raises(DataFileError, match=words):
        prepare(path, model_input=ModelInput((6,)), options=options)


def test_settings_of_another_modality_are_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", picture_files())
    with pytest.raises(DataFileError, match="preprocessing is for audio, the data is image"):
        prepare(path, preprocessing={"modality": "audio"})
    assert look(path).modality == "image"
