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

from pruning.errors import ModelFileError

MAX_CONFIG_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 4 * 2**30  # what the weights may take once they are unpacked
WEIGHTS = "model.weights.h5"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"

A_MODEL = "A Keras model file: .keras, or .h5 written by model.save(…)."
SAVE_AGAIN = "Save the model again with model.save('model.keras'), and upload that file."

_SIGNATURES = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"RIFF", "a WAV or AVI file"),
    (b"fLaC", "a FLAC recording"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80", "a Python pickle, which is never opened"),
    (b"version https://git-lfs", "a Git LFS pointer; the model itself was not downloaded"),
)


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
        raise _folder(path)
    if not path.is_file():
        raise ModelFileError(
            f"There is no file {path.name!r}.", expected=A_MODEL, fix="Check the path."
        )
    with path.open("rb") as stream:
        head = stream.read(512)
    if not head:
        raise ModelFileError(
            f"{path.name} is empty.",
            expected=A_MODEL,
            fix="Copy or download the file again: its content got lost on the way.",
        )
    if head.startswith(HDF5_SIGNATURE):
        return _open_h5(path)
    if zipfile.is_zipfile(path):
        return _open_zip(path)
    if head.startswith(ZIP_SIGNATURE):
        raise truncated(path)
    raise ModelFileError(
        f"{path.name} is {_kind(head)}, not a Keras model.", expected=A_MODEL, fix=SAVE_AGAIN
    )


def truncated(path: Path, detail: str = "") -> ModelFileError:
    """The error for a file of the right kind that cannot be read to its end."""
    return ModelFileError(
        f"{path.name} is cut off or damaged{f': {detail}' if detail else ''}.",
        expected="The whole file as Keras wrote it.",
        fix="Copy or download it again and compare the sizes, or save the model once more.",
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
        raise truncated(path, str(error)) from error
    if size > MAX_UNPACKED_BYTES:
        raise _too_large(path, size)


def _open_h5(path: Path) -> ModelFile:
    try:
        with h5py.File(path, "r") as file:
            attributes = dict(file.attrs.items())
            names = set(file)
    except (OSError, RuntimeError, KeyError) as error:
        raise truncated(path) from error
    if "model_config" not in attributes:
        raise _no_model_config(path, attributes, names)
    if "model_weights" not in names:
        raise ModelFileError(
            f"{path.name} has the model's layers but no weights.",
            expected="Layers and weights together, as model.save(…) writes them.",
            fix=SAVE_AGAIN,
        )
    check_weights(path, path)
    config = _parsed(path, attributes["model_config"])
    version = _text(attributes.get("keras_version", ""))
    return ModelFile(path, _family(version, config), "h5", _writer(version), config)


def _open_zip(path: Path) -> ModelFile:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if any(entry.flag_bits & 0x1 for entry in entries.values()):
                raise ModelFileError(
                    f"{path.name} is locked with a password.",
                    expected=A_MODEL,
                    fix="Unlock the archive, and upload the model file itself.",
                )
            if "config.json" not in entries or WEIGHTS not in entries:
                raise _no_model_in_zip(path, set(entries))
            size = sum(entry.file_size for entry in entries.values())
            if size > MAX_UNPACKED_BYTES or entries["config.json"].file_size > MAX_CONFIG_BYTES:
                raise _too_large(path, size)
            config = _parsed(path, archive.read("config.json"))
            metadata = (
                _parsed(path, archive.read("metadata.json")) if "metadata.json" in entries else {}
            )
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise truncated(path, str(error)) from error
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
                fix=SAVE_AGAIN,
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
        raise _corrupt(path, "is no valid JSON") from error
    if not isinstance(record, dict):
        raise _corrupt(path, "is no JSON object")
    return record


def _corrupt(path: Path, what: str) -> ModelFileError:
    return ModelFileError(
        f"The description of the layers in {path.name} {what}.",
        expected="The configuration that Keras writes beside the weights.",
        fix=SAVE_AGAIN,
    )


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


def _kind(head: bytes) -> str:
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[4:8] == b"TFL3":
        return "a LiteRT (TFLite) model, which cannot be trained any more"
    try:
        text = head.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return "a file of an unknown kind"
        text = ""
    if text.startswith("{") and "class_name" in text:
        return "the JSON description of a model without its weights"
    return "a text file"


def _folder(path: Path) -> ModelFileError:
    if (path / "saved_model.pb").exists():
        return _saved_model(path)
    return ModelFileError(
        f"{path.name} is a folder.", expected=A_MODEL, fix="Choose the model file itself."
    )


def _saved_model(path: Path) -> ModelFileError:
    return ModelFileError(
        f"{path.name} is a TensorFlow SavedModel, which runs a program of its own when loaded.",
        expected=A_MODEL,
        fix="Load it where it was made: tf_keras.models.load_model(folder)"
        ".save('model.keras'), and upload that file.",
    )


def _no_model_in_zip(path: Path, names: set[str]) -> ModelFileError:
    endings = {name.rsplit("/", 1)[-1] for name in names}
    if "saved_model.pb" in endings:
        return _saved_model(path)
    inside = [name for name in sorted(names) if name.endswith((".keras", ".h5", ".hdf5"))]
    if "config.json" not in names and inside and WEIGHTS not in inside:
        return ModelFileError(
            f"{path.name} is a zip archive around a model: {inside[0]}.",
            expected=A_MODEL,
            fix="Unpack the archive, and upload the model file itself.",
        )
    kind = "a zip archive without a Keras model"
    if "data.pkl" in endings:
        kind = "a PyTorch file"
    elif names and all(name.endswith(".npy") for name in names):
        kind = "an .npz file of arrays"
    elif "config.json" in names:
        kind = "a .keras file without its weights"
    return ModelFileError(f"{path.name} is {kind}.", expected=A_MODEL, fix=SAVE_AGAIN)


def _no_model_config(path: Path, attributes: dict[str, Any], names: set[str]) -> ModelFileError:
    if "layer_names" in attributes or names & {"layers", "_layer_checkpoint_dependencies", "vars"}:
        return ModelFileError(
            f"{path.name} holds weights only, without the layers they belong to.",
            expected="Layers and weights together, as model.save(…) writes them.",
            fix="Build the model in Python, call model.load_weights(…) and then"
            " model.save('model.keras'), and upload that file.",
        )
    return ModelFileError(
        f"{path.name} is an HDF5 file without a Keras model.", expected=A_MODEL, fix=SAVE_AGAIN
    )


def _too_large(path: Path, size: int) -> ModelFileError:
    return ModelFileError(
        f"{path.name} unpacks to {size / 2**30:.1f} GiB.",
        expected=f"At most {MAX_UNPACKED_BYTES // 2**30} GiB once unpacked,"
        f" and {MAX_CONFIG_BYTES // 2**20} MiB for the description of the layers.",
        fix="Use a smaller model, or save it without the optimizer's state.",
    )
