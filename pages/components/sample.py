"""One test sample as a person sees or hears it, from the ``preview`` of prepared data.

The arrays were written by a worker; nothing here opens a user's file.
"""

from __future__ import annotations

import io
import itertools
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import chart
from pages.components.text import visible
from pruning import quantities, storage
from pruning.charts import samples as charts
from pruning.intake.dataset import Dataset

_PIXELS = 120  # small pictures are enlarged to this without smoothing
_TEXT = 600
_VALUES = 8


@dataclass(frozen=True)
class Gallery:
    """The test samples of prepared data; arrays stay on disk until a sample is drawn."""

    dataset: Dataset

    def __len__(self) -> int:
        return self.dataset.manifest.counts["test"]

    def text(self, index: int) -> str:
        """The text of a sample, shortened in the middle; empty for other modalities."""
        path = self.dataset.folder / "preview" / "texts.json"
        if not path.exists():
            return ""
        return visible(_texts(str(path), path.stat().st_mtime_ns)[index], _TEXT)

    def image(self, index: int) -> np.ndarray | None:
        """The picture of a sample. -> uint8 (h, w) or (h, w, 3), enlarged when it is tiny."""
        path = self.dataset.folder / "preview" / "images.npy"
        if not path.exists():
            return None
        picture = np.array(storage.read_array(path, mapped=True)[index])
        factor = max(1, _PIXELS // max(picture.shape[:2]))
        enlarged = picture.repeat(factor, axis=0).repeat(factor, axis=1)
        return enlarged[..., 0] if enlarged.shape[-1] == 1 else enlarged

    def sound(self, index: int) -> np.ndarray | None:
        """The samples of a recording. -> int16 (samples,)."""
        path = self.dataset.folder / "preview" / "audio.npy"
        return np.array(storage.read_array(path, mapped=True)[index]) if path.exists() else None

    def values(self, index: int) -> list[str]:
        """What each input reads of a sample, in words: ``mask (5): 1, 1, 1, 0, 0``."""
        manifest = self.dataset.manifest
        rows = self.dataset.inputs("test", slice(index, index + 1))
        if len(rows) == 1:
            return [_numbers(rows[0])]
        return [
            f"{visible(entry.name, 30)} {quantities.shape(entry.shape)}: {_numbers(array)}"
            for entry, array in zip(manifest.input_arrays, rows, strict=True)
        ]

    def show(self, index: int, truth: str = "") -> None:
        """Draw the sample in the current container.

        Args:
            index: Of the test sample.
            truth: Its label in words, for who cannot see a picture.
        """
        picture, sound, text = self.image(index), self.sound(index), self.text(index)
        several = len(self.dataset.manifest.input_arrays) > 1
        if picture is not None:
            alt = (
                f"Test sample {index + 1:,}: {visible(truth)}"
                if truth
                else f"Test sample {index + 1:,}"
            )
            st.image(picture, width="content", alt=alt)
        elif sound is not None:
            rate = self.dataset.manifest.sample_rate or 16_000
            _waveform(sound, rate, f"waveform_{index}")
            st.audio(_wav(sound, rate), format="audio/wav")
        elif text:
            st.text(text)
        if several or not (picture is not None or sound is not None or text):
            st.text("\n".join(self.values(index)))


def _numbers(array: np.ndarray) -> str:
    value = array.ravel()
    words = ", ".join(quantities.number(number, 3) for number in value[:_VALUES])
    return f"{words}{', …' if value.size > _VALUES else ''}"


@st.cache_data(max_entries=4, show_spinner=False)
def _texts(path: str, changed: int) -> list[str]:
    texts: list[str] = storage.read_json(Path(path))["texts"]
    return texts


def _wav(sound: np.ndarray, rate: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.astype("<i2").tobytes())
    return stream.getvalue()


def _waveform(sound: np.ndarray, rate: int, key: str) -> None:
    """Draw a recording scaled to its loudest moment, so that quiet speech is seen too."""
    peak = int(np.abs(sound.astype(np.int32)).max(initial=0))
    loudest = f"{20 * np.log10(peak / 32768):.0f} dB" if peak else "silence"
    chart.show(
        charts.waveform,
        envelope(sound, rate),
        key=key,
        alt=f"Waveform of {len(sound) / rate:.1f} seconds; peak {loudest} of full scale.",
    )


def envelope(sound: np.ndarray, rate: int, bins: int = 160) -> pd.DataFrame:
    """Lowest and highest value of each slice of time, of the peak. -> seconds, low, high.

    Args:
        sound: int16 (samples,).
        rate: Samples a second.
        bins: Slices at most.
    """
    edges = np.linspace(0, len(sound), min(bins, len(sound)) + 1).astype(int)
    scaled = sound / max(1, np.abs(sound.astype(np.int32)).max(initial=0))
    return pd.DataFrame(
        {
            "seconds": edges[:-1] / rate,
            "low": [scaled[a:b].min() for a, b in itertools.pairwise(edges)],
            "high": [scaled[a:b].max() for a, b in itertools.pairwise(edges)],
        }
    )
