"""Many files under one name: a zip archive or a folder, read one by one and only into memory.

Nothing is ever written to a path that an archive names, so a hostile name cannot reach a file; it
is refused all the same, because no honest program writes one.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pruning import archives, storage
from pruning.errors import DataFileError
from pruning.intake import limits
from pruning.intake.store import shown_name

_JUNK_FOLDERS = ("__MACOSX", "__pycache__")
_JUNK_NAMES = ("thumbs.db", "desktop.ini")
_NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


@dataclass(frozen=True)
class File:
    """One file.

    Attributes:
        name: Path inside the archive or folder, with ``/``.
        bytes: Size, unpacked.
        stored: The path as the archive has it; some Windows programs write backslashes.
    """

    name: str
    bytes: int
    stored: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's components."""
        # Not pathlib: 200,000 files are asked for their parts and suffixes several times.
        return tuple(part for part in self.name.split("/") if part not in ("", "."))

    @property
    def suffix(self) -> str:
        """Lower case, with its dot."""
        stem, dot, ending = self.name.rpartition(".")
        named = dot and "/" not in ending and stem and not stem.endswith("/")
        return f".{ending.lower()}" if named else ""


class Files(Protocol):
    """What a zip and a folder have in common."""

    @property
    def files(self) -> tuple[File, ...]:
        """Files to use, sorted by name."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out."""

    def read(self, file: File) -> bytes:
        """Content of one file.

        Raises:
            DataFileError: It is damaged or larger than a sample may be.
        """


@dataclass(frozen=True)
class FolderFiles:
    """Files below a folder; links are left out, so that nothing outside it is read."""

    root: Path
    files: tuple[File, ...]
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def scan(cls, root: Path) -> FolderFiles:
        """List all files below ``root``.

        Raises:
            DataFileError: There are too many, or none.
        """
        files, links = [], 0
        for folder, folders, names in os.walk(root):
            links += sum(1 for name in folders if (Path(folder) / name).is_symlink())
            for name in names:
                path = Path(folder) / name
                if path.is_symlink():
                    links += 1
                elif path.is_file():
                    files.append(File(path.relative_to(root).as_posix(), path.stat().st_size))
        kept, notes = _sift(root.name, files)
        if links:
            notes = (*notes, f"{links} symbolic links were left out.")
        return cls(root, kept, notes)

    def read(self, file: File) -> bytes:
        """Content of one file."""
        _check_size(file)
        try:
            return (self.root / file.name).read_bytes()
        except OSError as error:
            raise _unreadable(file, error.strerror or str(error)) from error

    def digest(self) -> str:
        """Identifier of the folder: over sorted relative names and contents."""
        total = hashlib.sha256()
        for file in self.files:
            content = storage.digest_file(self.root / file.name)
            total.update(
                f"{len(file.name)}:{file.name}:{content};".encode(errors="surrogateescape")
            )
        return total.hexdigest()[: storage.ID_LENGTH]


@dataclass(frozen=True)
class ZipFiles:
    """Files in an open zip archive."""

    archive: zipfile.ZipFile
    files: tuple[File, ...]
    notes: tuple[str, ...]

    @classmethod
    def scan(cls, name: str, archive: zipfile.ZipFile) -> ZipFiles:
        """Check the archive's table of contents and list its files.

        Raises:
            DataFileError: Encrypted, a zip bomb, too many files, or hostile names.
        """
        # Of members with one name the last counts, as where an archive is unpacked. It is also the
        # one that is read by that name: another one's size must not be checked in its place.
        files: dict[str, File] = {}
        links = 0
        for info in archive.infolist():
            if stat.S_ISLNK(info.external_attr >> 16):
                links += 1
            elif not info.is_dir():
                _check_member(name, info)
                inside = info.filename.replace("\\", "/")
                files[info.filename] = File(inside, info.file_size, info.filename)
        _check_bomb(name, archive.infolist())
        kept, notes = _sift(name, list(files.values()))
        if links:
            notes = (*notes, f"{links} symbolic links were left out.")
        return cls(archive, kept, notes)

    def read(self, file: File) -> bytes:
        """Content of one member, checked against its checksum."""
        _check_size(file)
        try:
            return self.archive.read(file.stored)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise _unreadable(file, str(error)) from error


@contextmanager
def open_files(path: Path) -> Iterator[FolderFiles | ZipFiles]:
    """Open a folder or a zip archive.

    Raises:
        DataFileError: The archive is damaged, encrypted, a bomb, or holds nothing to use.
    """
    if path.is_dir():
        yield FolderFiles.scan(path)
        return
    with open_zip(path) as archive:
        yield ZipFiles.scan(shown_name(path), archive)


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive.

    Raises:
        DataFileError: It is damaged, or has far too many entries.
    """
    stack = ExitStack()
    try:
        # Folders are entries, too.
        opened = stack.enter_context(archives.open_zip(path, 2 * limits.MAX_ENTRIES))
    except archives.TooManyEntries as error:
        raise _too_many(shown_name(path), f"more than {2 * limits.MAX_ENTRIES:,}") from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataFileError(
            f"{shown_name(path)} is a damaged or incomplete archive: {error}.",
            expected="A zip archive that unpacks without errors.",
            fix="Make the archive again, and upload or copy it completely.",
        ) from error
    with stack:
        yield opened


def _too_many(name: str, number: str) -> DataFileError:
    return DataFileError(
        f"{name} has {number} files.",
        expected=f"At most {limits.MAX_ENTRIES:,} files.",
        fix="Take fewer samples, or save them as arrays in one .npz.",
    )


def _sift(name: str, files: list[File]) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """Leave out what operating systems strew about and archives inside; sort by name."""
    if len(files) > limits.MAX_ENTRIES:
        raise _too_many(name, f"{len(files):,}")
    kept: list[File] = []
    nested: list[File] = []
    for file in sorted(files, key=lambda file: file.name):
        if _is_junk(file):
            continue
        (nested if file.suffix in _NESTED else kept).append(file)
    if not kept:
        raise DataFileError(
            f"{name} has no files to use.",
            expected="Samples in class folders, or a table.",
            fix="Put the samples in, without an archive inside the archive.",
        )
    notes = (f"{len(nested)} archives inside were left out: {nested[0].name}",) if nested else ()
    return tuple(kept), notes


def _is_junk(file: File) -> bool:
    *folders, name = file.parts or (".",)
    hidden = any(part.startswith(".") or part in _JUNK_FOLDERS for part in folders)
    return hidden or name.startswith(".") or name.lower() in _JUNK_NAMES


def _check_member(name: str, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x1:
        raise DataFileError(
            f"{name} is protected by a password.",
            expected="An archive without a password.",
            fix="Make the archive again without encryption.",
        )
    inside = info.filename.replace("\\", "/")
    if inside.startswith("/") or inside[1:2] == ":" or ".." in inside.split("/"):
        raise DataFileError(
            f"{name} holds the path {info.filename!r}, which leads out of the archive.",
            expected="Paths inside the archive, as class/picture.png.",
            fix="Make the archive again from inside the folder of the samples.",
        )


def _check_bomb(name: str, members: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(info.file_size for info in members)
    packed = sum(info.compress_size for info in members)
    suspicious = unpacked > limits.RATIO_FREE_BYTES and unpacked > limits.MAX_RATIO * packed
    if suspicious or unpacked > limits.MAX_UNPACKED_BYTES:
        raise DataFileError(
            f"{name} would unpack from {packed:,} to {unpacked:,} bytes.",
            expected=f"At most {limits.MAX_UNPACKED_BYTES // 2**30} GB unpacked, and at most "
            f"{limits.MAX_RATIO} times the packed size.",
            fix="Take fewer samples, or pack ordinary pictures, sounds or tables.",
        )


def _check_size(file: File) -> None:
    limit = limits.MAX_TABLE_BYTES if file.suffix in (".csv", ".tsv") else limits.MAX_SAMPLE_BYTES
    if file.bytes > limit:
        raise DataFileError(
            f"{file.name} has {file.bytes // 2**20:,} MB.",
            expected=f"At most {limit // 2**20:,} MB for one file.",
            fix="Split the file, or make it smaller.",
        )


def _unreadable(file: File, reason: str) -> DataFileError:
    return DataFileError(
        f"{file.name} cannot be read: {reason}.",
        expected="A file that is whole.",
        fix="Make the archive again, or take this file out.",
    )
