"""Previews: one size, small, and in step with the test samples."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.intake import limits
from pruning.intake.draft import Draft
from pruning.intake.preview import PreviewWriter, pictures, thumbnail, thumbnail_shape


def test_a_picture_a_little_brighter_than_1_is_not_black() -> None:
    picture = np.zeros((1, 4, 4, 3), np.float32)
    picture[0, 0, 0] = 1.6
    (shown,) = pictures(picture)
    assert shown[0, 0].tolist() == [255, 255, 255]


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([1, 3]), st.integers(1, 200_000))
def test_thumbnails_are_bounded(height: int, width: int, channels: int, count: int) -> None:
    shape = thumbnail_shape((height, width, channels), count)
    assert 1 <= shape[0] <= min(height, limits.PREVIEW_SIDE)
    assert 1 <= shape[1] <= min(width, limits.PREVIEW_SIDE)
    slack = count * channels * (shape[0] + shape[1] + 1)  # sides of at least one pixel
    assert count * np.prod(shape) <= limits.PREVIEW_BYTES + slack


def test_a_small_picture_keeps_its_size() -> None:
    assert thumbnail_shape((28, 28, 1), 10_000) == (28, 28, 1)
    assert thumbnail_shape((1024, 512, 3), 10) == (256, 128, 3)


def test_a_thumbnail_averages_and_recolours() -> None:
    checks = np.indices((4, 4)).sum(axis=0) % 2 * 200
    picture = np.repeat(checks.astype(np.uint8)[..., np.newaxis], 3, axis=2)
    assert thumbnail(picture, (2, 2, 1)).tolist() == [[[100], [100]], [[100], [100]]]
    grey = np.full((2, 2, 1), 9, np.uint8)
    assert thumbnail(grey, (2, 2, 3)).tolist() == np.full((2, 2, 3), 9).tolist()


def test_pictures_of_different_sizes_get_one(tmp_path: Path) -> None:
    with Draft(tmp_path) as draft:
        writer = PreviewWriter(draft, 2)
        writer.append(np.full((8, 6, 3), 10, np.uint8))
        writer.append(np.full((20, 20, 1), 30, np.uint8))
        writer.close()
    images = np.load(tmp_path / "preview" / "images.npy")
    assert (images.shape, images.dtype) == ((2, 8, 6, 3), np.uint8)
    assert [image.mean() for image in images] == [10, 30]


def test_sounds_get_the_length_of_the_first(tmp_path: Path) -> None:
    with Draft(tmp_path) as draft:
        writer = PreviewWriter(draft, 3)
        for length in (3, 5, 2):
            writer.append(np.ones(length, np.int16))
        writer.close()
    audio = np.load(tmp_path / "preview" / "audio.npy")
    assert audio.tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 0]]


def test_texts_are_cut(tmp_path: Path) -> None:
    with Draft(tmp_path) as draft:
        writer = PreviewWriter(draft, 2)
        writer.append("kurz")
        writer.append("x" * 6000)
        writer.close()
    texts = json.loads((tmp_path / "preview" / "texts.json").read_text())["texts"]
    assert [len(text) for text in texts] == [4, 5000]


@pytest.mark.parametrize(
    ("block", "first"),
    [
        (np.full((2, 8, 8), 7, np.uint8), 7),
        (np.full((2, 8, 8, 3), 7, np.uint8), 7),
        (np.full((2, 8, 8, 1), 0.5, np.float32), 128),
        (np.full((2, 8, 8, 3), -1.0, np.float32), 0),
        (np.full((2, 8, 8, 3), 200.0, np.float64), 200),
        (np.full((2, 8, 8, 3), -80.0, np.float32), None),
        (np.full((2, 8, 8), 0.5, np.float32), None),
        (np.full((2, 8, 8, 5), 7, np.uint8), None),
        (np.full((2, 8), 7, np.uint8), None),
    ],
)
def test_which_arrays_are_pictures(block: np.ndarray, first: int | None) -> None:
    images = pictures(block)
    if first is None:
        assert images is None
    else:
        assert images is not None
        assert (images.dtype, images.ndim, images.flat[0]) == (np.uint8, 4, first)
