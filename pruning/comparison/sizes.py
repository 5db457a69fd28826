"""Parameters, zeros, and bytes of a model as its own Keras saves it."""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from pruning.comparison.result import Sizes
from pruning.frameworks._base import Framework

GZIP_LEVEL = 6
BLOCK = 1 << 20


def sizes(
    model: Any, framework: Framework, file_format: str, flops: int, saved: Path | None = None
) -> Sizes:
    """Save the model aside and measure it; before and after alike, so that both share one codec.

    Args:
        model: Of either Keras.
        framework: The model's.
        file_format: ``keras`` or ``h5``.
        flops: FLOPs of one sample, counted by the analysis.
        saved: The file that its framework has saved it to, where it has.
    """
    weights = [np.asarray(weight) for weight in model.get_weights()]
    if saved is None:
        stored, packed = saved_sizes(model, framework, file_format)
    else:
        stored, packed = saved.stat().st_size, gzip_bytes(saved)
    return Sizes(
        params=sum(weight.size for weight in weights),
        nonzero_params=sum(int(np.count_nonzero(weight)) for weight in weights),
        flops=flops,
        bytes=stored,
        gzip_bytes=packed,
    )


def saved_sizes(model: Any, framework: Framework, file_format: str) -> tuple[int, int]:
    """Bytes of the file that the model's own Keras saves, and after gzip."""
    with tempfile.TemporaryDirectory(prefix="pruning-studio-") as folder:
        path = Path(folder) / f"model.{file_format}"
        framework.save(model, path)
        return path.stat().st_size, gzip_bytes(path)


def gzip_bytes(path: Path) -> int:
    """Bytes of the file after ``gzip -6``, without writing them."""
    codec = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    total = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            total += len(codec.compress(block))
    return total + len(codec.flush())
