"""What is inside a model file, told by its content and without importing any Keras.

A ``.keras`` file is a zip with ``metadata.json``, ``config.json`` and ``model.weights.h5``; a
legacy file is HDF5 with the attributes ``keras_version`` and ``model_config``. Names of files are
never trusted, and nothing is unpacked to a path that an archive names.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import h5py

from pruning import archives
from pruning.errors import ModelFileError
from pruning.frameworks import refusals

MAX_ENTRIES = 10_000  # Keras writes four, and one more for each asset of a layer
MAX_CONFIG_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 4 * 2**30  # what the weights may take once they are unpacked
WEIGHTS = "model.weights.h5"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"


@dataclass(frozen=True)
class ModelFile:
    """A model file whose kind is known.

    Attributes:
        family: Which Keras reads it, ``keras3`` or ``tf_keras``.
        file_format: ``keras`` (zip) or ``h5``, whatever the file is called.
        writer: Who wrote it, e.g. ``Keras 2.3.1``; ``Keras`` when the file does not say.
        config: The model's architecture as stored; not yet checked, see ``frameworks.safety``.
    """

    path: Path
    family: Literal["keras3", "tf_keras"]
    file_format: Literal["keras", "h5"]
    writer: str
    config: dict[str, Any] = field(repr=False)


def open_model_file(path: Path) -> ModelFile:
    """Tell the kind of a model file by its content.

    Raises:
        ModelFileError: Empty, truncated, locked, or anything but a Keras model.
    """
    if path.is_dir():
        raise refusals.folder(path)
    if not path.is_file():
        raise ModelFileError(
            f"There is no file {str(path)!r}.",
            expected=refusals.A_MODEL,
            fix="Check the path for typing errors.",
        )
    with path.open("rb") as stream:
        head = stream.read(512)
    if not head:
        raise ModelFileError(
            f"{path.name} is empty.",
            expected=refusals.A_MODEL,
            fix="Copy or download the file again: its content got lost on the way.",
        )
    if head.startswith(HDF5_SIGNATURE):
        return _open_h5(path)
    if zipfile.is_zipfile(path):
        return _open_zip(path)
    if head.startswith(ZIP_SIGNATURE):
        raise refusals.truncated(path)
    raise ModelFileError(
        f"{path.name} is {refusals.kind(head)}, not a Keras model.",
        expected=refusals.A_MODEL,
        fix=refusals.SAVE_AGAIN,
    )


def check_weights(stream: IO[bytes] | Path, path: Path) -> None:
    """Check that an HDF5 file holds plain arrays of a sane size and points to no other file.

    Raises:
        ModelFileError: Links to other files, references, or more data than fits in memory.
    """
    try:
        with h5py.File(stream, "r") as file:
            size = _checked_bytes(file, path, set())
    except (OSError, RuntimeError, KeyError) as error:
        raise refusals.truncated(path, str(error)) from error
    if size > MAX_UNPACKED_BYTES:
        raise refusals.too_large(path, size, MAX_UNPACKED_BYTES)


def _open_h5(path: Path) -> ModelFile:
    try:
        with h5py.File(path, "r") as file:
            attributes = dict(file.attrs.items())
            names = set(file)
    except (OSError, RuntimeError, KeyError) as error:
        raise refusals.truncated(path) from error
    if "model_config" not in attributes:
        raise refusals.no_model_config(path, attributes, names)
    if "model_weights" not in names:
        raise ModelFileError(
            f"{path.name} has the model's layers but no weights.",
            expected="Layers and weights together, as model.save(…) writes them.",
            fix=refusals.SAVE_AGAIN,
        )
    check_weights(path, path)
    config = _parsed(path, attributes["model_config"])
    version = _text(attributes.get("keras_version", ""))
    return ModelFile(path, _family(version, config), "h5", _writer(version), config)


def _open_zip(path: Path) -> ModelFile:
    try:
        with archives.open_zip(path, MAX_ENTRIES) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if any(entry.flag_bits & 0x1 for entry in entries.values()):
                raise ModelFileError(
                    f"{path.name} is locked with a password.",
                    expected=refusals.A_MODEL,
                    fix="Unlock the archive, and upload the model file itself.",
                )
            if "config.json" not in entries or WEIGHTS not in entries:
                raise refusals.no_model_in_zip(path, set(entries))
            size = sum(entry.file_size for entry in entries.values())
            if size > MAX_UNPACKED_BYTES:
                raise refusals.too_large(path, size, MAX_UNPACKED_BYTES)
            if entries["config.json"].file_size > MAX_CONFIG_BYTES:
                raise refusals.corrupt(path, f"is larger than {MAX_CONFIG_BYTES // 2**20} MiB")
            config = _parsed(path, archive.read("config.json"))
            metadata = (
                _parsed(path, archive.read("metadata.json")) if "metadata.json" in entries else {}
            )
    except archives.TooManyEntries as error:
        raise refusals.not_a_model(path, f"a zip archive of over {MAX_ENTRIES:,} files") from error
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise refusals.truncated(path, str(error)) from error
    version = str(metadata.get("keras_version", ""))
    return ModelFile(path, _family(version, config), "keras", _writer(version), config)


def _checked_bytes(group: Any, path: Path, seen: set[int]) -> int:
    """Bytes of all arrays under ``group`` once they are read."""
    total = 0
    for name in group:
        link = group.get(name, getlink=True)
        entry = group[name] if isinstance(link, h5py.HardLink) else None
        array = isinstance(entry, h5py.Dataset)
        if entry is None or (array and (entry.external or entry.is_virtual)):
            raise ModelFileError(
                f"{path.name} points to data outside of itself, at {group.name}/{name}.",
                expected="A model file that holds all of its weights.",
                fix=refusals.SAVE_AGAIN,
            )
        address = h5py.h5o.get_info(entry.id).addr
        if address in seen:
            continue
        seen.add(address)
        total += entry.nbytes if array else 0
        if isinstance(entry, h5py.Group):
            total += _checked_bytes(entry, path, seen)
    return total


def _parsed(path: Path, content: Any) -> dict[str, Any]:
    """The JSON object in an attribute or archive member."""
    try:
        record = json.loads(_text(content))
    except (ValueError, RecursionError) as error:
        raise refusals.corrupt(path, "is not valid JSON") from error
    if not isinstance(record, dict):
        raise refusals.corrupt(path, "is not a JSON object")
    return record


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _writer(version: str) -> str:
    return f"Keras {version}".strip()


def _family(version: str, config: dict[str, Any]) -> Literal["keras3", "tf_keras"]:
    """Keras 3 from version 3 on; a file without a version is told by Keras 3's dtype policies."""
    major = version.split(".")[0]
    if major.isdigit():
        return "keras3" if int(major) >= 3 else "tf_keras"
    return "keras3" if '"DTypePolicy"' in json.dumps(config) else "tf_keras"
