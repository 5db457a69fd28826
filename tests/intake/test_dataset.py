"""What is stored of pictures, and what is read of them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pruning import storage
from pruning.errors import DataFileError
from pruning.intake.dataset import SPLITS, Dataset
from pruning.intake.modalities._base import ModelInput
from pruning.intake.prepare import prepare

PIXELS = np.random.default_rng(3).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Path of a zip of two classes of pictures; each picture is one of ``PIXELS``."""
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, pixels in enumerate(PIXELS):
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "PNG")
            archive.writestr(f"{'ab'[number % 2]}/{number:02d}.png", stream.getvalue())
    return path


def prepared(path, shape, **settings):
    return prepare(path, model_input=ModelInput(shape), preprocessing=settings)


def of_all_splits(data):
    return np.concatenate([data.x(split) for split in SPLITS])


def in_one_order(values):
    rows = values.reshape(len(values), -1)
    return rows[np.lexsort(rows.T)]


def test_pixels_take_a_byte_each_and_are_read_as_the_model_reads_them(pictures):
    data = prepared(pictures, (4, 4, 3))
    stored = [storage.read_array(data.folder / f"x_{split}.npy") for split in SPLITS]
    # Test samples are stored as the model reads them: others may judge it with that file.
    assert [array.dtype.name for array in stored] == ["uint8", "uint8", "float32"]
    np.testing.assert_array_equal(data.x("test"), stored[2])
    assert data.manifest.x_dtype == "float32"
    expected = PIXELS.astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(in_one_order(of_all_splits(data)), in_one_order(expected))


@pytest.mark.parametrize("shape", [(4, 4, 3), (48,)])
def test_every_layout_is_scaled_by_its_channels(pictures, shape):
    data = prepared(pictures, shape, scaling="caffe")
    expected = PIXELS.astype(np.float32)[..., ::-1] - np.float32([103.939, 116.779, 123.68])
    np.testing.assert_array_equal(in_one_order(of_all_splits(data)), in_one_order(expected))


def test_rows_are_read_when_they_are_taken(pictures):
    data = prepared(pictures, (4, 4, 3), scaling="-1..1")
    (rows,) = data.rows("train")
    everything = data.x("train")
    assert (rows.shape, rows.dtype, len(rows)) == (everything.shape, np.float32, len(everything))
    np.testing.assert_array_equal(rows[2:5], everything[2:5])
    np.testing.assert_array_equal(rows[np.array([4, 0])], everything[[4, 0]])
    np.testing.assert_array_equal(data.inputs("train", slice(3))[0], everything[:3])
    # Nothing was read before: what is on the disk now is what is taken.
    path = data.folder / "x_train.npy"
    stored = storage.read_array(path, mapped=True).copy()
    stored[0] = 255
    with path.open("r+b") as stream:
        stream.seek(-stored.nbytes, io.SEEK_END)
        stream.write(stored.tobytes())
    np.testing.assert_array_equal(rows[:1], np.ones((1, 4, 4, 3), np.float32))


def test_what_an_older_studio_prepared_is_read_as_it_is_stored(pictures):
    data = prepared(pictures, (4, 4, 3))
    values = data.x("train")
    storage.write_array(data.folder / "x_train.npy", values)
    np.testing.assert_array_equal(Dataset.open(data.folder).x("train"), values)


def test_scaling_without_the_channels_for_it_is_refused_as_before(pictures):
    with pytest.raises(DataFileError, match="'torch' is for 3 channels; these pictures get 1"):
        prepared(pictures, (4, 4, 1), scaling="torch")


def test_arrays_are_read_as_they_are_stored(pictures, tmp_path):
    data = prepared(pictures, (4, 4, 3))
    arrays = Dataset(data.folder, replace(data.manifest, modality="arrays", x_dtype="uint8"))
    assert arrays.x("train").dtype == np.uint8
