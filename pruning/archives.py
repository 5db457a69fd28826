"""Zip archives whose table of contents is counted before it is read.

``zipfile`` makes an object of each entry: two million empty ones, a file of 200 MB, take two
gigabytes and a minute before anybody can ask how many there are.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ENTRY = b"PK\x01\x02"  # begins each entry of the table of contents
_FIXED = 46  # bytes of an entry before its name, extra field and comment
_LENGTHS = 28, 30, 32  # where their lengths stand


class TooManyEntries(Exception):  # noqa: N818 - told by the caller as an error of its own
    """An archive has more entries than it may."""


class _Counted(io.BufferedReader):
    """A file whose table of contents is counted when it is about to be read.

    What ``zipfile`` itself reads is counted: the number that an archive gives of its entries may
    be wrong, and whoever looks for the table again may find another one.
    """

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(io.FileIO(path))
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, unless it is too long a table of contents.

        Raises:
            TooManyEntries: It is.
        """
        if self.peek(4)[:4] == _ENTRY:
            self._count(size)
        return super().read(size)

    def _count(self, size: int | None) -> None:
        start = self.tell()
        end = start + size if size is not None and size >= 0 else None
        entries = 0
        while end is None or self.tell() < end:
            head = super().read(_FIXED)
            if len(head) < _FIXED or not head.startswith(_ENTRY):
                break  # damaged: zipfile says so
            entries += 1
            if entries > self._most:
                raise TooManyEntries
            rest = sum(int.from_bytes(head[at : at + 2], "little") for at in _LENGTHS)
            self.seek(rest, io.SEEK_CUR)
        self.seek(start)


@contextmanager
def open_zip(path: Path, most: int) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive to read it.

    Args:
        path: The archive.
        most: How many entries it may have.

    Raises:
        TooManyEntries: It has more.
    """
    with _Counted(path, most) as stream, zipfile.ZipFile(stream) as archive:
        yield archive
