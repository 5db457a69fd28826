"""Builds the small data files that the tests of this room read."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image


def png(value: int, height: int = 8, width: int = 8) -> bytes:
    """A grey picture of one value."""
    stream = io.BytesIO()
    Image.fromarray(np.full((height, width), value, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def wav(hertz: float, rate: int = 8000, seconds: float = 0.5) -> bytes:
    """A sine tone."""
    times = np.arange(int(rate * seconds)) / rate
    stream = io.BytesIO()
    soundfile.write(stream, 0.5 * np.sin(2 * np.pi * hertz * times), rate, format="WAV")
    return stream.getvalue()


def zip_of(path: Path, files: Mapping[str, bytes | str], method: int = zipfile.ZIP_STORED) -> Path:
    """A zip with these members."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def picture_files(per_class: int = 20, prefix: str = "") -> dict[str, bytes]:
    """Class folders ``dark`` (values 0…) and ``light`` (values 100…), all pictures different."""
    return {
        f"{prefix}{name}/{i}.png": png(first + i)
        for name, first in (("dark", 0), ("light", 100))
        for i in range(per_class)
    }


def csv_text(rows: int = 40) -> str:
    """Columns text and label, two classes in turn."""
    lines = [f"the text number {i} is here,{'good' if i % 2 else 'bad'}" for i in range(rows)]
    return "\n".join(["text,label", *lines]) + "\n"
