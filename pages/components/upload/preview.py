"""Test samples as a person sees or hears them, and as the model will."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.components import masks
from pages.components.sample import Gallery
from pages.components.text import apart, plain, visible
from pruning import quantities
from pruning.intake.dataset import Dataset, Manifest, prepared_folder

_SHOWN = {"image": 12, "audio": 3, "text": 4, "arrays": 4}
_TOKENS = 28
_NAME = 16  # characters of a class among others
_LABEL = 100  # of all that is said of a sample: three classes with their shares are never cut
_SPECTROGRAM_HEIGHT = 90
# From the least to the most energy; blue as everything that is "before".
_SHADES = np.array([[16, 26, 38], [60, 108, 149], [130, 174, 211], [250, 252, 255]], np.float32)


def samples(ref: str, manifest: Manifest) -> None:
    """Draw a few test samples, one after another of different classes."""
    dataset = Dataset(prepared_folder(ref), manifest)
    gallery = Gallery(dataset)
    draw = {"image": _pictures, "audio": _sounds, "text": _texts}.get(manifest.modality, _arrays)
    draw(gallery, spread(dataset, _SHOWN.get(manifest.modality, 4)))


def spread(dataset: Dataset, count: int) -> list[int]:
    """Indices of ``count`` test samples, the first of each class, then the second."""
    y = np.asarray(dataset.y("test"))
    if dataset.manifest.task != "classification" or y.ndim != 1:
        return list(range(min(count, len(y))))
    order = np.argsort(y, kind="stable")
    rank = np.empty(len(y), np.int64)
    starts = np.searchsorted(y[order], y[order], side="left")
    rank[order] = np.arange(len(y)) - starts
    return [int(index) for index in np.lexsort((y, rank))[:count]]


def label(dataset: Dataset, index: int) -> str:
    """What the data says of a test sample, in words."""
    value = np.asarray(dataset.y("test")[index])
    classes = dataset.manifest.classes
    if dataset.manifest.task == "multilabel":
        return ", ".join(name for name, on in zip(classes, value, strict=True) if on) or "none"
    if dataset.manifest.task == "classification":
        return classes[int(value)] if value.ndim == 0 else _shares(value, classes)
    return ", ".join(quantities.number(number) for number in value.ravel()[:4])


def _shares(value: np.ndarray, classes: Sequence[str]) -> str:
    """Labels of every step or pixel: how much the commonest classes have of them."""
    counts = np.bincount(value.ravel().astype(np.int64), minlength=len(classes))
    common = [place for place in np.argsort(-counts, kind="stable")[:3] if counts[place]]
    shares = (
        f"{visible(classes[i], _NAME)} on {quantities.percent(counts[i] / value.size)}"
        for i in common
    )
    return f"{quantities.shape(value.shape)} labels: {', '.join(shares)}"


#: Tokens of characters that could not be seen.
_BLANKS = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def tokens(row: np.ndarray, vocabulary: list[str]) -> list[str | None]:
    """Tokens behind a row of token numbers; 0 is padding and left out, ``None`` is unknown."""
    words = ["", None, *vocabulary]
    return [words[number] for number in row.tolist() if 0 < number < len(words)]


def shades(spectrogram: np.ndarray, *, time_first: bool, each_row: bool = False) -> np.ndarray:
    """A spectrogram as a picture, low tones below. (time, bins) -> uint8 (height, width, 3).

    Args:
        spectrogram: (time, bins), or (bins, time) when not ``time_first``.
        time_first: The order of the axes.
        each_row: Give each row the whole range of shades: of MFCC the first coefficient, the
            loudness, is so much larger that all others would look alike.
    """
    values = spectrogram.squeeze()
    values = (values.T if time_first else values)[::-1].astype(np.float32)
    axis = 1 if each_row else None
    low, high = np.percentile(values, [2, 99.5], axis=axis, keepdims=True)
    position = np.clip((values - low) / np.maximum(high - low, 1e-9), 0, 1) * (len(_SHADES) - 1)
    below = np.minimum(position.astype(int), len(_SHADES) - 2)
    part = (position - below)[..., np.newaxis]
    colours = _SHADES[below] * (1 - part) + _SHADES[below + 1] * part
    times = max(1, round(_SPECTROGRAM_HEIGHT / len(values)))
    picture: np.ndarray = colours.astype(np.uint8).repeat(times, axis=0).repeat(times, axis=1)
    return picture


def _pictures(gallery: Gallery, indices: list[int]) -> None:
    names = apart(gallery.dataset.manifest.classes, _NAME)
    short = dict(zip(gallery.dataset.manifest.classes, names, strict=True))
    with st.grid("auto", min_column_width=84, gap="small"):
        for index in indices:
            picture, name = gallery.image(index), label(gallery.dataset, index)
            if picture is not None:
                caption = plain(short.get(name, name), _NAME)
                st.image(picture, caption=caption, width="stretch", alt=visible(name))


def _sounds(gallery: Gallery, indices: list[int]) -> None:
    settings = gallery.dataset.manifest.preprocessing
    for index in indices:
        st.markdown(f"**{plain(label(gallery.dataset, index), _LABEL)}**")
        left, right = st.columns(2, gap="small")
        with left:
            gallery.show(index)
        with right:
            _as_the_model_hears(np.asarray(gallery.dataset.x("test")[index]), settings)


def _as_the_model_hears(value: np.ndarray, settings: dict[str, Any]) -> None:
    features = str(settings.get("features", "raw"))
    if value.squeeze().ndim != 2:
        st.caption("The model reads these samples as they are.")
        return
    mfcc = features == "mfcc"
    picture = shades(value, time_first=bool(settings.get("time_first", True)), each_row=mfcc)
    st.image(picture, width="stretch", alt=f"{features} of the sound, as the model reads it")
    scaled = ", each coefficient in shades of its own" if mfcc else ""
    shape = quantities.shape(value.shape)
    st.caption(f"{plain(features)}, {shape}: what the model reads{scaled}")


def _texts(gallery: Gallery, indices: list[int]) -> None:
    vocabulary = gallery.dataset.manifest.preprocessing.get("vocabulary", [])
    for index in indices:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{plain(label(gallery.dataset, index), _LABEL)}**")
            st.text(gallery.text(index)[:300])
            words = tokens(np.asarray(gallery.dataset.x("test")[index]).ravel(), vocabulary)
            shown = " ".join(_badge(word) for word in words[:_TOKENS])
            more = f" … {len(words)} tokens" if len(words) > _TOKENS else ""
            st.markdown(shown + more if words else "No token of the vocabulary is in this text.")


def _badge(word: str | None) -> str:
    if word is None:
        return ":orange-badge[unknown]"
    return f":gray-badge[{plain(_BLANKS.get(word, word), 24)}]"


def _arrays(gallery: Gallery, indices: list[int]) -> None:
    if masks.there_are(gallery.dataset.manifest):
        _masks(gallery, indices)
        return
    for index in indices:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{plain(label(gallery.dataset, index), _LABEL)}**")
            gallery.show(index)


def _masks(gallery: Gallery, indices: list[int]) -> None:
    """Samples beside the classes of their pixels."""
    y, colours = gallery.dataset.y("test"), masks.palette_of(gallery.dataset.manifest)
    masks.legend(colours)
    with st.grid(2, min_column_width=240, gap="small"):
        for index in indices:
            with st.container(border=True, gap="xsmall"):
                name = label(gallery.dataset, index)
                st.markdown(f"**{plain(name, _LABEL)}**")
                _beside_its_mask(gallery, index, np.asarray(y[index]), colours)


def _beside_its_mask(
    gallery: Gallery, index: int, mask: np.ndarray, colours: masks.Palette
) -> None:
    picture = gallery.image(index)
    with st.grid(2, min_column_width=84, gap="small"):
        if picture is None:
            gallery.show(index)
        else:
            masks.show_sample(picture, index)
        masks.show(mask, colours, "label", picture)
