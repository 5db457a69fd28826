"""Uploads on disk, each stored once under the digest of its content. Server side.

The content is counted, hashed and copied, never opened: telling what it is and reading it is a
worker's business. ``upload.json`` is written last, so a folder that has it is complete.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pruning import storage
from pruning.errors import DataFileError, ModelFileError, NotFoundError, StorageError
from pruning.intake.limits import max_upload_bytes

Source = bytes | Path | IO[bytes]

_BLOCK = 2**20
_SUFFIX = re.compile(r"[a-z0-9]{1,8}")
_DIGEST = re.compile(rf"[0-9a-f]{{{storage.ID_LENGTH}}}")


@dataclass(frozen=True)
class Upload:
    """One stored file.

    Attributes:
        id: Digest of its content, the folder's name.
        name: File name as the user gave it; text from outside, to be shown as text.
        bytes: Size of the file.
        uploaded: Unix time in seconds.
        path: Where its content is.
    """

    id: str
    name: str
    bytes: int
    uploaded: float
    path: Path


def store_model(name: str, source: Source) -> str:
    """Store a model file and return its id; the same content gives the same id and is kept once.

    Args:
        name: File name as the user knows it.
        source: The content, a path to it, or a binary stream that is read to its end.

    Raises:
        ModelFileError: The file is empty, too large, or not there.
        StorageError: The disk is full or the home folder cannot be written.
    """
    return _store(_root("models"), "model", name, source, ModelFileError)


def store_data(name: str, source: Source) -> str:
    """Store a data file and return its id; see :func:`store_model`.

    Raises:
        DataFileError: The file is empty, too large, or not there.
        StorageError: The disk is full or the home folder cannot be written.
    """
    return _store(_root("data"), "source", name, source, DataFileError)


def model_folder(identifier: str) -> Path:
    """Folder of a stored model, existing or not."""
    return _root("models") / _checked(identifier)


def data_folder(identifier: str) -> Path:
    """Folder of stored data, existing or not."""
    return _root("data") / _checked(identifier)


def has_model(identifier: str) -> bool:
    """Whether a model of that id is stored."""
    return _is_stored("models", identifier)


def has_data(identifier: str) -> bool:
    """Whether a data file of that id is stored."""
    return _is_stored("data", identifier)


def model_path(identifier: str) -> Path:
    """The model file as uploaded.

    Raises:
        NotFoundError: No model of that id is stored.
    """
    return _content(model_folder(identifier), "model")


def data_path(identifier: str) -> Path:
    """The data file as uploaded.

    Raises:
        NotFoundError: No data of that id is stored.
    """
    return _content(data_folder(identifier), "source")


def upload_record(folder: Path) -> dict[str, Any]:
    """What is known of an upload: ``{"name", "bytes", "uploaded"}``.

    Raises:
        NotFoundError: Nothing is stored in that folder.
    """
    path = folder / "upload.json"
    if not path.is_file():
        raise _missing(folder.name)
    return storage.read_json(path)


def shown_name(path: Path) -> str:
    """Name of a file for a reader: an upload's is the user's own, not ``source.zip``."""
    record = path.parent / "upload.json"
    if path.stem in ("source", "model") and record.is_file():
        return str(storage.read_json(record)["name"])
    return path.resolve().name


def models() -> list[Upload]:
    """All stored models, newest first."""
    return _uploads(_root("models"), "model")


def data() -> list[Upload]:
    """All stored data files, newest first."""
    return _uploads(_root("data"), "source")


def _root(kind: str) -> Path:
    return storage.home() / kind


def _store(
    root: Path, stem: str, name: str, source: Source, error: type[ModelFileError | DataFileError]
) -> str:
    name = Path(name.replace("\\", "/")).name or "unnamed"
    with _blocks_of(name, source, error) as stream, _beside(root) as temporary:
        identifier, size = _copy(name, stream, temporary, error)
        folder = root / identifier
        if not (folder / "upload.json").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            temporary.replace(folder / f"{stem}.{_suffix(name)}")
            record = {"name": name, "bytes": size, "uploaded": time.time()}
            storage.write_json(folder / "upload.json", record)
    return identifier


@contextmanager
def _blocks_of(
    name: str, source: Source, error: type[ModelFileError | DataFileError]
) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    if not isinstance(source, Path):
        yield source
        return
    if not source.is_file():
        raise error(
            f"There is no file {source}.",
            expected="The path of a file that can be read.",
            fix="Check the path for typing errors.",
        )
    try:
        stream = source.open("rb")
    except OSError as problem:
        raise error(
            f"{source} cannot be read: {problem.strerror}.",
            expected="A file that this user may read.",
            fix="Change its permissions, or copy it to another folder.",
        ) from problem
    with stream:
        yield stream


@contextmanager
def _beside(root: Path) -> Iterator[Path]:
    """A temporary file in ``root``, gone afterwards unless it was moved away."""
    temporary: Path | None = None
    try:
        storage.make_home()
        root.mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=root, prefix=".upload.")
        os.close(handle)
        temporary = Path(path)
        yield temporary
    except OSError as error:
        raise storage_error(error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def storage_error(error: OSError) -> StorageError:
    """The user's words for a write that failed."""
    if error.errno in storage.DISK_FULL:
        return storage.no_room("The disk is full: the file could not be stored.")
    reason = error.strerror or error
    return storage.no_room(f"The studio's home folder could not be written: {reason}.")


def _copy(
    name: str, stream: IO[bytes], target: Path, error: type[ModelFileError | DataFileError]
) -> tuple[str, int]:
    limit = max_upload_bytes()
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise error(
                    f"{name} is larger than {limit // 2**20:,} MB.",
                    expected=f"A file of at most {limit // 2**20:,} MB.",
                    fix="Upload a smaller file, or raise PRUNING_STUDIO_MAX_UPLOAD_MB.",
                )
            digest.update(block)
            out.write(block)
    if size == 0:
        raise error(
            f"{name} is empty.",
            expected="A file with content.",
            fix="Check that it was saved or copied completely, then upload it again.",
        )
    return digest.hexdigest()[: storage.ID_LENGTH], size


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower().lstrip(".")
    return suffix if _SUFFIX.fullmatch(suffix) else "bin"


def _checked(identifier: str) -> str:
    """Ids come from links: only the digits of a digest may become part of a path."""
    if not _DIGEST.fullmatch(identifier):
        raise _missing(identifier)
    return identifier


def _is_stored(kind: str, identifier: str) -> bool:
    found = _DIGEST.fullmatch(identifier) is not None
    return found and (_root(kind) / identifier / "upload.json").is_file()


def _content(folder: Path, stem: str) -> Path:
    found = [path for path in sorted(folder.glob(f"{stem}.*")) if path.is_file()]
    if not found or not (folder / "upload.json").is_file():
        raise _missing(folder.name)
    return found[0]


def _missing(identifier: str) -> NotFoundError:
    return NotFoundError(
        f"Nothing is stored under {identifier[:40]!r}.",
        expected="The id of an uploaded file.",
        fix="Upload the file again, or open one from the list of uploads.",
    )


def _uploads(root: Path, stem: str) -> list[Upload]:
    """Complete uploads, newest first; a damaged record must not hide the others."""
    found = []
    for record_path in root.glob("[!.]*/upload.json"):  # not what is being deleted
        folder = record_path.parent
        try:
            record = storage.read_json(record_path)
            name, size, uploaded = str(record["name"]), int(record["bytes"]), record["uploaded"]
            for path in sorted(folder.glob(f"{stem}.*"))[:1]:
                found.append(Upload(folder.name, name, size, float(uploaded), path))
        except (OSError, ValueError, KeyError, TypeError):  # deleted this moment, too
            continue
    return sorted(found, key=lambda upload: upload.uploaded, reverse=True)
