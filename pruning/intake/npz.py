"""Arrays in an ``.npz``, read by rows: nothing is unpickled, no array has to fit in memory."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from pruning.errors import DataFileError
from pruning.intake import limits
from pruning.intake.encoding import texts_of
from pruning.intake.files import open_zip
from pruning.intake.store import shown_name

CHUNK_BYTES = 16 * 2**20
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)


@dataclass(frozen=True)
class Header:
    """Shape and type of an array that has not been read yet."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool

    @property
    def bytes(self) -> int:
        """Size of the values, unpacked."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass(frozen=True)
class Npz:
    """An open ``.npz``. ``headers`` has every array by its key."""

    name: str
    archive: zipfile.ZipFile
    headers: dict[str, Header]

    def read(self, key: str) -> np.ndarray:
        """The whole array; for labels and names.

        Raises:
            DataFileError: It is damaged, or too large to be read at once.
        """
        header = self.headers[key]
        if header.bytes > limits.MAX_WHOLE_BYTES:
            raise _too_large(self.name, key, header)
        with self._values(key) as stream:
            values = self._take(key, stream, header.bytes).view(header.dtype)
        return values.reshape(header.shape, order="F" if header.fortran else "C")

    def chunks(self, key: str) -> Iterator[np.ndarray]:
        """Blocks of rows of an array, in order, about ``CHUNK_BYTES`` each."""
        header = self.headers[key]
        if header.fortran and len(header.shape) > 1:  # rows are scattered over the whole array
            yield self.read(key)
            return
        row = max(1, header.bytes // max(1, header.shape[0]))
        rows = max(1, CHUNK_BYTES // row)
        with self._values(key) as stream:
            for start in range(0, header.shape[0], rows):
                count = min(rows, header.shape[0] - start)
                block = self._take(key, stream, count * row).view(header.dtype)
                yield block.reshape(count, *header.shape[1:])

    @contextmanager
    def _values(self, key: str) -> Iterator[IO[bytes]]:
        """The member's stream behind its header."""
        try:
            with self.archive.open(f"{key}.npy") as stream:
                _read_header(self.name, key, stream)
                yield stream
        except _DAMAGED as error:
            raise _damaged(self.name, key, str(error)) from error

    def _take(self, key: str, stream: IO[bytes], size: int) -> np.ndarray:
        content = stream.read(size)
        if len(content) < size:
            raise _damaged(self.name, key, f"{size - len(content):,} bytes are missing")
        return np.frombuffer(content, np.uint8)


@contextmanager
def open_npz(path: Path) -> Iterator[Npz]:
    """Open an ``.npz`` and read the headers of its arrays.

    Raises:
        DataFileError: Damaged, encrypted, pickled or far too large arrays.
    """
    name = shown_name(path)
    with open_zip(path) as archive:
        headers = {}
        for info in archive.infolist():
            key = info.filename.removesuffix(".npy")
            if info.flag_bits & 0x1:
                raise DataFileError(
                    f"{name} is protected by a password.",
                    expected="Arrays without encryption.",
                    fix="Save the arrays again with numpy.savez_compressed.",
                )
            try:
                with archive.open(info) as stream:
                    headers[key] = _read_header(name, key, stream)
                    missing = headers[key].bytes + stream.tell() > info.file_size
                if missing:
                    raise ValueError("it is shorter than its header says")
            except _DAMAGED as error:
                raise _damaged(name, key, str(error)) from error
        if sum(header.bytes for header in headers.values()) > limits.MAX_UNPACKED_BYTES:
            raise DataFileError(
                f"The arrays of {name} are larger than {limits.MAX_UNPACKED_BYTES >> 30} GB.",
                expected=f"At most {limits.MAX_UNPACKED_BYTES >> 30} GB unpacked.",
                fix="Save fewer samples, or a smaller type such as uint8 or float32.",
            )
        yield Npz(name, archive, headers)


def class_names(npz: Npz) -> tuple[str, ...]:
    """The optional array ``classes``: names in the order of the labels' numbers."""
    header = npz.headers.get("classes")
    if header is None:
        return ()
    if header.dtype.kind not in "US" or len(header.shape) != 1:
        raise DataFileError(
            f"The array classes has the type {header.dtype} and the shape {header.shape}.",
            expected="A row of names as strings.",
            fix="Save it with numpy.array(names).",
        )
    return tuple(texts_of("The class names", npz.read("classes")))


def _read_header(name: str, key: str, stream: IO[bytes]) -> Header:
    """Read the header only. NumPy parses it as a literal, which cannot run anything."""
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"unknown .npy version {version}")
    shape, fortran, dtype = _HEADERS[version](stream)
    if dtype.hasobject or dtype.kind not in "biufUS":
        what = "pickled Python objects" if dtype.hasobject else f"values of the type {dtype}"
        raise DataFileError(
            f"The array {key} of {name} holds {what}.",
            expected="Plain numbers or strings: opening a pickle could run any program.",
            fix="Make one rectangular array of numbers (numpy.stack), then save it again.",
        )
    return Header(tuple(map(int, shape)), dtype, bool(fortran))


def _too_large(name: str, key: str, header: Header) -> DataFileError:
    most = f"{limits.MAX_WHOLE_BYTES >> 30} GiB"
    if header.fortran and len(header.shape) > 1:
        what, expected = "is in Fortran order", f"At most {most} in that order, or the usual one."
        fix = "Save numpy.ascontiguousarray(…) of it: then it is read row by row."
    else:
        what, expected = "is read whole", f"Labels of at most {most}."
        fix = "Save the labels in a smaller type such as uint8, or fewer samples."
    return DataFileError(
        f"The array {key} of {name} has {header.bytes / 2**30:.1f} GiB and {what}.",
        expected=expected,
        fix=fix,
    )


def _damaged(name: str, key: str, reason: str) -> DataFileError:
    return DataFileError(
        f"The array {key} of {name} is damaged: {reason}.",
        expected="An .npz as numpy.savez or numpy.savez_compressed writes it.",
        fix="Save it again, and upload or copy it completely.",
    )
