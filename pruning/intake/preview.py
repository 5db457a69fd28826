"""What a person sees of the test samples, kept small: pictures as thumbnails, sound, texts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

from pruning import storage
from pruning.intake import limits
from pruning.intake.draft import Draft

_BRIGHT = 8.0  # a picture of bytes with nothing brighter than this would be as black


class PreviewWriter:
    """Adds previews to a draft as test samples come; all of one kind get one shape.

    Args:
        draft: Where they are written.
        expected: About how many test samples there will be; bounds the size of each.
    """

    def __init__(self, draft: Draft, expected: int) -> None:
        self._draft = draft
        self._expected = max(1, expected)
        self._shape: tuple[int, ...] | None = None
        self._texts: list[str] = []

    def append(self, preview: Any) -> None:
        """Add one preview: text, sound int16 (samples,), or picture uint8 (h, w, 1|3)."""
        if isinstance(preview, str):
            self._texts.append(preview[: limits.PREVIEW_CHARACTERS])
        elif preview.ndim == 1:
            self._append_sound(preview)
        else:
            self._append_picture(preview)

    def close(self) -> None:
        """Write what was held back."""
        if self._texts:
            folder = self._draft.folder / "preview"
            storage.write_json(folder / "texts.json", {"texts": self._texts})

    def _append_sound(self, sound: np.ndarray) -> None:
        if self._shape is None:
            self._shape = sound.shape
        (length,) = self._shape
        row = np.zeros(length, np.int16)
        row[: min(length, len(sound))] = sound[:length]
        self._draft.append("preview/audio", row[np.newaxis])

    def _append_picture(self, picture: np.ndarray) -> None:
        if self._shape is None:
            self._shape = thumbnail_shape(picture.shape, self._expected)
        self._draft.append("preview/images", thumbnail(picture, self._shape)[np.newaxis])


class Thumbnails:
    """Thumbnails of arrays: of the first input whose values are pictures, if there is one.

    Args:
        draft: Where they are written.
        tests: How many test samples there are.
    """

    def __init__(self, draft: Draft, tests: int) -> None:
        self._draft = draft
        self._tests = tests
        self._place: int | None = None
        self._shape: tuple[int, ...] = ()
        self._others: set[int] = set()

    def add(self, place: int, block: np.ndarray) -> None:
        """Add test samples of an input, as stored. block: (rows, …)."""
        if not len(block) or place in self._others or self._place not in (None, place):
            return
        images = pictures(block)
        if self._place is None:
            if images is None:
                self._others.add(place)
                return
            self._place, self._shape = place, thumbnail_shape(images.shape[1:], self._tests)
        if images is None:  # keeps pictures and samples in step when a later block is none
            rows = np.zeros((len(block), *self._shape), np.uint8)
        else:
            rows = np.stack([thumbnail(image, self._shape) for image in images])
        self._draft.append("preview/images", rows)


def thumbnail_shape(shape: tuple[int, ...], count: int) -> tuple[int, int, int]:
    """Size for ``count`` thumbnails of pictures of ``shape`` (h, w, channels), never enlarged."""
    height, width, channels = shape
    bound = math.sqrt(limits.PREVIEW_BYTES / (count * channels) / max(1, height * width))
    scale = min(1.0, limits.PREVIEW_SIDE / max(height, width), bound)
    return max(1, int(height * scale)), max(1, int(width * scale)), channels


def thumbnail(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Resize and recolour a picture. uint8 (h, w, 1|3) -> uint8 ``shape``."""
    height, width, channels = shape
    if picture.shape == tuple(shape):
        return picture
    values = picture[:, :, 0] if picture.shape[2] == 1 else picture
    image = Image.fromarray(values).convert("L" if channels == 1 else "RGB")
    image = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(image, np.uint8).reshape(height, width, channels)


def pictures(block: np.ndarray) -> np.ndarray | None:
    """Rows of an array as pictures, when they are some: uint8 (n, h, w, 1|3), else ``None``.

    Bytes of shape (n, h, w) or (n, h, w, 1|3) are; floats only with a channel axis and values in
    0…1, -1…1 or 0…255, because (n, h, w) of floats are more often spectrograms. Up to
    ``_BRIGHT`` they are 0…1 and a little more: as bytes they would be black.
    """
    if block.dtype == np.uint8 and block.ndim == 3:
        return block[..., np.newaxis]
    if block.ndim != 4 or block.shape[3] not in (1, 3) or min(block.shape[1:3]) < 4:
        return None
    if block.dtype == np.uint8:
        return block
    low, high = float(block.min()), float(block.max())
    if low >= 0 and high <= 1:
        return np.round(block * 255).astype(np.uint8)
    if low >= -1 and high <= 1:
        return np.round((block + 1) * 127.5).astype(np.uint8)
    if low >= 0 and high <= _BRIGHT:
        return np.round(block * (255 / high)).astype(np.uint8)
    if low >= 0 and high <= 255:
        return np.round(block).astype(np.uint8)
    return None
