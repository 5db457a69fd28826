"""Errors for files that hold no model: what was found, by content, and the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pruning.errors import ModelFileError

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


def truncated(path: Path, detail: str = "") -> ModelFileError:
    """The error for a file of the right kind that cannot be read to its end."""
    return ModelFileError(
        f"{path.name} is cut off or damaged{f': {detail}' if detail else ''}.",
        expected="The whole file as Keras wrote it.",
        fix="Copy or download it again and compare the sizes, or save the model once more.",
    )


def corrupt(path: Path, what: str) -> ModelFileError:
    """The error for a configuration that cannot be read."""
    return ModelFileError(
        f"The description of the layers in {path.name} {what}.",
        expected="The configuration that Keras writes beside the weights.",
        fix=SAVE_AGAIN,
    )


def kind(head: bytes) -> str:
    """What a file is, in words, told by its first bytes."""
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


def folder(path: Path) -> ModelFileError:
    """The error for a folder."""
    if (path / "saved_model.pb").exists():
        return saved_model(path)
    return ModelFileError(
        f"{path.name} is a folder.", expected=A_MODEL, fix="Choose the model file itself."
    )


def saved_model(path: Path) -> ModelFileError:
    """The error for a SavedModel, zipped or not."""
    return ModelFileError(
        f"{path.name} is a TensorFlow SavedModel, which runs code of its own when loaded.",
        expected=A_MODEL,
        fix="Load it where it was made: tf_keras.models.load_model(folder)"
        ".save('model.keras'), and upload that file.",
    )


def no_model_in_zip(path: Path, names: set[str]) -> ModelFileError:
    """The error for an archive with other content; ``names`` are its members."""
    endings = {name.rsplit("/", 1)[-1] for name in names}
    if "saved_model.pb" in endings:
        return saved_model(path)
    inside = [name for name in sorted(names) if name.endswith((".keras", ".h5", ".hdf5"))]
    if "config.json" not in names and inside and "model.weights.h5" not in inside:
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
    return not_a_model(path, kind)


def not_a_model(path: Path, kind: str) -> ModelFileError:
    """The error for a file of another kind."""
    return ModelFileError(f"{path.name} is {kind}.", expected=A_MODEL, fix=SAVE_AGAIN)


def no_model_config(path: Path, attributes: dict[str, Any], names: set[str]) -> ModelFileError:
    """The error for an HDF5 file without ``model_config``."""
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


def too_large(path: Path, size: int, most: int) -> ModelFileError:
    """The error for a file that needs more memory than is allowed, in bytes."""
    return ModelFileError(
        f"{path.name} unpacks to {size / 2**30:.1f} GiB.",
        expected=f"At most {most / 2**30:.1f} GiB once unpacked.",
        fix="Use a smaller model, or save it without the optimizer's state.",
    )
