"""Folders and files that a command shall write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pruning import storage
from pruning.errors import StorageError


def folder_for(path: Path) -> Path:
    """Make the folder, or take it as it is.

    Raises:
        StorageError: A file is in the way, or the folder cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StorageError(
            f"{path} cannot be a folder: a file is in the way.",
            expected="The path of a folder; it is made if there is none.",
            fix="Give another folder with --out.",
        ) from error
    except OSError as error:
        refused = storage.refusal(path, error)
        if refused is None:
            raise
        raise refused from error
    return path


@contextmanager
def filling(path: Path) -> Iterator[Path]:
    """Have a folder to write to; what was made for it does not stay behind empty.

    Raises:
        StorageError: As :func:`folder_for`.
    """
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    folder_for(path)
    try:
        yield path
    finally:
        with suppress(OSError):  # one is not empty: the work was done
            for folder in made:
                folder.rmdir()


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Have a place for a file; folders that were made for it do not stay behind empty.

    Raises:
        StorageError: A folder is in the way, or the folder around it cannot be made.
    """
    if path.is_dir():
        raise StorageError(
            f"{path} is a folder.",
            expected="The path of the file to write.",
            fix="Add a file name to the path.",
        )
    with filling(path.parent):
        yield path
