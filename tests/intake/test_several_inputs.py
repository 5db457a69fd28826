"""An .npz with an array for each input of a model becomes one file for each, in its order."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning import storage
from pruning.errors import DataFileError, MismatchError
from pruning.intake.dataset import Dataset, InputArray
from pruning.intake.modalities._base import ModelInput
from pruning.intake.prepare import prepare

TOKENS = ModelInput((4,), "int32", vocabulary=9, name="tokens")
IMAGE = ModelInput((6, 6, 1), name="image")
MODEL = ModelInput((2,), outputs=(2,), activation="softmax", name="facts", others=(IMAGE, TOKENS))
COUNTS = {"train": 6, "val": 2, "test": 4}


def arrays(**changes: Any) -> dict[str, np.ndarray]:
    """Sample i of a split: facts (i, -i), an image of i throughout, tokens i, i+1, i+2, i+3."""
    found: dict[str, np.ndarray] = {}
    for split, count in COUNTS.items():
        rows = np.arange(count)
        found[f"x_{split}_tokens"] = rows[:, None] + np.arange(4)
        found[f"x_{split}_image"] = np.repeat(rows, 36).reshape(count, 6, 6).astype(np.uint8)
        found[f"x_{split}_facts"] = np.stack([rows, -rows], axis=1).astype(np.float64)
        found[f"y_{split}"] = rows % 2
    return {key: value for key, value in (found | changes).items() if value is not None}


def save(folder: Path, content: dict[str, np.ndarray]) -> Path:
    np.savez(folder / "a.npz", **content)
    return folder / "a.npz"


def test_each_input_has_its_file_in_the_models_order(tmp_path: Path) -> None:
    data = prepare(save(tmp_path, arrays()), model_input=MODEL)
    assert data.manifest.inputs == (
        InputArray("facts", (2,), "float32"),
        InputArray("image", (6, 6, 1), "float32"),
        InputArray("tokens", (4,), "int32"),
    )
    assert (data.manifest.x_shape, data.manifest.x_dtype) == ((2,), "float32")
    assert data.manifest.counts == COUNTS
    facts, image, tokens = data.inputs("test")
    assert facts.tolist() == [[0, 0], [1, -1], [2, -2], [3, -3]]
    assert np.array_equal(image[:, 0, 0, 0], np.arange(4, dtype=np.float32) / 255)
    assert tokens.tolist() == [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6]]
    assert data.y("test").tolist() == [0, 1, 0, 1]
    assert sorted(path.name for path in data.folder.glob("x_val*")) == [
        "x_val_0.npy",
        "x_val_1.npy",
        "x_val_2.npy",
    ]
    again = Dataset.open(data.folder)
    assert again.manifest == data.manifest


def test_rows_are_read_from_every_input(tmp_path: Path) -> None:
    data = prepare(save(tmp_path, arrays()), model_input=MODEL)
    facts, image, tokens = data.inputs("train", np.array([1, 5]))
    assert facts.tolist() == [[1, -1], [5, -5]]
    assert image.shape == (2, 6, 6, 1)
    assert tokens[:, 0].tolist() == [1, 5]
    assert [len(array) for array in data.inputs("train", slice(4))] == [4, 4, 4]


def test_bytes_of_pictures_are_scaled_by_input_and_shown(tmp_path: Path) -> None:
    path = save(tmp_path, arrays())
    data = prepare(path, model_input=MODEL)
    assert data.manifest.preprocessing == {
        "modality": "arrays",
        "scaling_facts": "raw",
        "scaling_image": "0..1",
        "scaling_tokens": "raw",
    }
    assert data.manifest.pipeline == ("image: reshape (6, 6) to (6, 6, 1), divide by 255",)
    images = storage.read_array(data.folder / "preview" / "images.npy")
    assert images.shape == (4, 6, 6, 1)
    assert images[:, 2, 2, 0].tolist() == [0, 1, 2, 3]
    raw = prepare(path, model_input=MODEL, preprocessing={"scaling_image": "raw"})
    assert raw.inputs("test")[1].max() == 3
    assert raw.manifest.ref != data.manifest.ref
    every = prepare(path, model_input=MODEL, preprocessing={"scaling": "raw"})
    assert every.inputs("test")[1].max() == 3


def test_unsplit_arrays_are_split_together(tmp_path: Path) -> None:
    rows = np.arange(40)
    content = {"x_0": np.stack([rows, rows], 1), "x_1": np.repeat(rows, 36).reshape(40, 6, 6),
               "x_2": np.repeat(rows % 9, 4).reshape(40, 4), "y": rows % 2}  # fmt: skip
    data = prepare(save(tmp_path, content), model_input=MODEL)
    seen = []
    for split, count in data.manifest.counts.items():
        facts, image, tokens = data.inputs(split)
        assert len(facts) == count
        assert np.array_equal(facts[:, 0], image[:, 3, 3, 0])
        assert np.array_equal(facts[:, 0] % 9, tokens[:, 0])
        assert np.array_equal(facts[:, 0] % 2, data.y(split))
        seen += facts[:, 0].tolist()
    assert sorted(seen) == rows.tolist()


def test_without_a_model_arrays_stay_as_they_are(tmp_path: Path) -> None:
    data = prepare(save(tmp_path, arrays()))
    assert [entry.name for entry in data.manifest.inputs] == ["tokens", "image", "facts"]
    assert data.manifest.inputs[1].shape == (6, 6)
    assert data.manifest.preprocessing["scaling_image"] == "0..1"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"x_val_image": None}, MismatchError, "no array x_val_image"),
        ({"x_train_age": np.zeros(6)}, MismatchError, "has the array x_train_age"),
        ({"x_test_image": np.zeros((3, 6, 6))}, DataFileError, "3 samples in x_test_image and 4"),
        ({"x_test_facts": np.zeros((4, 3))}, DataFileError, "x_train_facts, x_val_facts, x_test_f"),
        ({f"x_{split}_image": np.zeros((n, 5, 6)) for split, n in COUNTS.items()}, MismatchError,
         r"for the input image has the shape \(5, 6\), the model there reads \(6, 6, 1\)"),
        ({"x_val_tokens": np.full((2, 4), 9)}, MismatchError, "x_val_tokens has the token 9"),
        ({"x_val_tokens": np.full((2, 4), 0.5)}, DataFileError, "x_val_tokens has fractions"),
        ({"x_val_facts": np.full((2, 2), np.nan)}, DataFileError, "x_val_facts are NaN"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit(
    tmp_path: Path, home: Path, changes: dict[str, Any], error: type, words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        prepare(save(tmp_path, arrays(**changes)), model_input=MODEL)
    assert caught.value.expected
    assert caught.value.fix
    assert not list(home.glob("data/*/prepared/*/manifest.json"))


def test_files_and_tables_feed_one_input_only(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "some words,x\nother words,y\n" * 10)
    with pytest.raises(MismatchError, match="has 3 inputs: facts, image, tokens") as caught:
        prepare(path, model_input=MODEL)
    assert "x_train_facts, x_train_image, x_train_tokens" in caught.value.expected


def test_one_input_keeps_its_files_and_its_manifest(tmp_path: Path) -> None:
    """Folders that an older studio made are opened, and it opens the new ones."""
    content = {"x": np.arange(40.0).reshape(20, 2), "y": np.arange(20) % 2}
    data = prepare(save(tmp_path, content), model_input=ModelInput((2,), name="facts"))
    assert (data.folder / "x_train.npy").is_file()
    assert data.manifest.inputs == ()
    assert data.manifest.input_arrays == (InputArray("", (2,), "float32"),)
    (only,) = data.inputs("train")
    assert np.array_equal(only, data.x("train"))
    record = json.loads((data.folder / "manifest.json").read_text())
    assert record.pop("inputs") == []
    storage.write_json(data.folder / "manifest.json", record)
    assert Dataset.open(data.folder).manifest == data.manifest


def test_a_single_input_may_be_named(tmp_path: Path) -> None:
    content = {"x_facts": np.arange(40.0).reshape(20, 2), "y": np.arange(20) % 2}
    data = prepare(save(tmp_path, content), model_input=ModelInput((2,), name="facts"))
    assert data.manifest.inputs == ()
    assert data.x("train").shape == (12, 2)
