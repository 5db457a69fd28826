"""A prepared folder while it is being written: beside its place, moved there when it is whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from pruning import quantities, storage
from pruning.intake.store import storage_error


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes ``folder`` when the block succeeds.

    Two workers may build the same folder: the content is the same, the first one stays.

    Raises:
        StorageError: The disk is full or the home folder cannot be written.
    """
    draft: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        storage.remove_stale(left for left in folder.parent.glob(".*.*") if left.is_dir())
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        yield draft
        _publish(draft, folder)
    except OSError as error:
        raise storage_error(error) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _publish(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not (folder / "manifest.json").is_file():
            raise


class RowWriter:
    """Writes one ``.npy`` row by row, without knowing beforehand how many rows there will be.

    NumPy pads the header so that a larger first dimension fits in its place; the count is put in
    at the end. Plain writes, not a memory map: on a full disk a map dies of SIGBUS, a write
    raises an error that can be told.
    """

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.row_shape = row_shape
        self.dtype = np.dtype(dtype)
        self.rows = 0
        self._stream: IO[bytes] = path.open("wb")
        self._write_header()

    def append(self, block: np.ndarray) -> None:
        """Add rows. block: (rows, *row_shape), cast to the writer's type.

        Raises:
            ValueError: The rows have another shape.
        """
        if block.shape[1:] != self.row_shape:
            raise ValueError(f"rows of shape {block.shape[1:]}, not {self.row_shape}")
        self._stream.write(np.ascontiguousarray(block, self.dtype).tobytes())
        self.rows += len(block)

    def close(self) -> None:
        """Put the number of rows into the header."""
        if self._stream.closed:
            return
        with self._stream:
            self._stream.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.rows, *self.row_shape),
        }
        np.lib.format.write_array_header_1_0(self._stream, header)


class Draft:
    """The arrays of all splits, opened when the first row comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers: dict[str, RowWriter] = {}
        self._open = ExitStack()

    def append(self, name: str, block: np.ndarray) -> None:
        """Add rows to ``<name>.npy``; the first block sets their shape and type."""
        writer = self._writers.get(name)
        if writer is None:
            path = self.folder / f"{name}.npy"
            path.parent.mkdir(exist_ok=True)
            writer = self._writers[name] = RowWriter(path, block.shape[1:], block.dtype)
            self._open.callback(writer.close)
        writer.append(block)

    def rows(self, name: str) -> int:
        """Rows in ``<name>.npy`` so far."""
        return self._writers[name].rows if name in self._writers else 0

    def row_of(self, name: str) -> tuple[tuple[int, ...], str]:
        """Shape of one row and the type's name of ``<name>.npy``."""
        writer = self._writers[name]
        return writer.row_shape, writer.dtype.name

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *problem: object) -> None:
        self._open.close()


def check_space(folder: Path, needed: int) -> None:
    """Refuse at once what cannot fit, before an hour of decoding.

    Args:
        folder: Where it will be written; need not exist yet.
        needed: Bytes.

    Raises:
        StorageError: Less is free.
    """
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        raise storage.no_room(
            f"The prepared arrays need {quantities.size(needed)}; {quantities.size(free)} are free."
        )
