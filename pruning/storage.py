"""The home folder: where uploads, prepared data, jobs and runs live.

    models/<id>/       model.<suffix> as uploaded, upload.json, profile.json, *.npy, baselines/
    data/<id>/         source.<suffix> as uploaded, upload.json, prepared/<preprocessing id>/
    plans/<model id>/  saved plans, one JSON each; unsaved/plan.json was changed last
    jobs/<kind>-<key>/ short work for a page: profile, data, baseline; same layout as a run
    runs/<id>/         see pruning.runs.folder
    temp/<worker>/     what a worker needs for a moment; gone soon after the worker

Every write is write-beside then replace: a reader never sees half a file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import platformdirs

from pruning.errors import StorageError

FORMAT = 1
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)  # error numbers
STALE_SECONDS = 24 * 3600  # what was last written a day ago is nobody's work
ID_LENGTH = 20  # hex digits of a SHA-256: short enough for a URL, 80 bits against collisions


def home() -> Path:
    """Return the home folder, ``PRUNING_STUDIO_HOME`` or the user's data folder."""
    configured = os.environ.get("PRUNING_STUDIO_HOME")
    return Path(configured) if configured else Path(platformdirs.user_data_dir("pruning-studio"))


def make_home() -> Path:
    """Make the home folder where there is none: uploads and runs are the user's own to read."""
    path = home()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def digest(content: bytes) -> str:
    """Identifier of a content: the first 20 hex digits of its SHA-256."""
    return hashlib.sha256(content).hexdigest()[:ID_LENGTH]


def digest_file(path: Path) -> str:
    """Same as :func:`digest` for a file, read in blocks so that size does not matter."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:ID_LENGTH]


def refusal(path: Path, error: OSError) -> StorageError | None:
    """Tell the user why ``path`` could not be written; None when it is not the disk's doing."""
    if error.errno in DISK_FULL:
        happened = f"The disk is full: {path.name} could not be written."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        happened = f"The folder {path.parent} cannot be written to."
    else:
        return None
    return no_room(happened)


def no_room(happened: str) -> StorageError:
    """The error for what could not be written, for want of space or of permission."""
    return StorageError(
        happened,
        expected="Free space, and permission to write there.",
        fix="Free some space (delete old runs), or choose another folder: PRUNING_STUDIO_HOME is "
        "the studio's own, --out a command's.",
    )


def disk_full(error: BaseException | None) -> StorageError | None:
    """Find a full disk among the causes of an error; HDF5 and zip hide it in their own errors."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # causes may go round in a circle
        seen.add(id(error))
        if isinstance(error, StorageError):
            return error
        if isinstance(error, OSError):
            full = error.errno in DISK_FULL or "no space left" in str(error).lower()
            path = Path(str(error.filename or "a file"))
            if full:
                return refusal(path, OSError(errno.ENOSPC, str(error)))
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside ``path`` for writing and move it over ``path`` when the block succeeds.

    Raises:
        StorageError: The disk is full or the folder cannot be written. ``path`` is unchanged.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".{path.name[:50]}.{secrets.token_hex(8)}"
        # Not tempfile: its files are the user's alone, whatever the umask says.
        with temporary.open("xb") as stream:
            yield stream
        temporary.replace(path)
        temporary = None
    except OSError as error:
        known = refusal(path, error)
        if known is None:
            raise
        raise known from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def remove_stale(paths: Iterable[Path]) -> None:
    """Remove the files and folders among ``paths`` that nobody has written to for a day."""
    for path in paths:
        with suppress(OSError):  # another process was quicker
            if time.time() - path.stat().st_mtime <= STALE_SECONDS:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` as a whole or not at all."""
    with replacing(path) as stream:
        stream.write(content)


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write ``record`` with its format number, as a whole or not at all."""
    write_bytes(path, json.dumps({"format": FORMAT, **record}, indent=1).encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read what :func:`write_json` wrote."""
    record: dict[str, Any] = json.loads(path.read_text())
    return record


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one ``.npy``, as a whole or not at all; object arrays are refused by NumPy."""
    with replacing(path) as stream:
        np.save(stream, array, allow_pickle=False)


def read_array(path: Path, *, mapped: bool = False) -> np.ndarray:
    """Read one ``.npy``; never unpickles. ``mapped`` leaves the values on disk."""
    array: np.ndarray = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return array
