"""From a checked model file to a model: what both Kerases share."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pruning.errors import ModelFileError
from pruning.frameworks.container import WEIGHTS, ModelFile, check_weights
from pruning.frameworks.refusals import truncated

_UNKNOWN_ACTIVATION = re.compile(
    r"(?:Unknown activation function|Could not interpret activation function identifier):"
    r" '?(<\w+>|\w+)"
)
_OF_KERAS_1 = frozenset({"nb_filter", "border_mode", "W_regularizer", "dim_ordering", "inner_init"})
_AT_ONCE = 1 << 30  # bytes that are read at once; larger files take their time
_PACKAGES = ("layers", "models", "initializers", "regularizers", "constraints", "mixed_precision")
_INTERNAL = {"Functional", "TFOpLambda", "SlicingOpLambda", "DTypePolicy", "Policy"}


def known_classes(keras: Any) -> set[str]:
    """Names of the public classes that a model's configuration may use."""
    names = set(_INTERNAL)
    for package in _PACKAGES:
        module = getattr(keras, package)
        names.update(n for n in dir(module) if inspect.isclass(getattr(module, n, None)))
    legacy = {"VarianceScaling", "L1L2"}  # lower-case aliases of these are not classes
    return names | legacy


@cache
def application_layers(package: str) -> dict[str, type]:
    """Layer classes that a Keras's own applications define, such as ConvNeXt's LayerScale.

    tf_keras writes them into files without a word of where they come from, and cannot load its own
    ConvNeXt again unless it is told.

    Args:
        package: ``keras`` or ``tf_keras``.
    """
    root = importlib.import_module(f"{package}.src.applications")
    base = importlib.import_module(package).layers.Layer
    modules = [
        importlib.import_module(f"{root.__name__}.{entry.name}")
        for entry in pkgutil.iter_modules(root.__path__)
        if not entry.name.endswith("_test")
    ]
    return {
        name: cls
        for module in modules
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, base) and cls.__module__ == module.__name__
    }


def activation_names(keras: Any) -> set[str]:
    """Names of the public activation functions."""
    module = keras.activations
    return {n for n in dir(module) if callable(getattr(module, n)) and not n.startswith("_")}


def require_family(file: ModelFile, family: str) -> None:
    """Refuse a file that the other Keras wrote.

    Raises:
        ModelFileError: Also for files of Keras 1, which no current Keras reads.
    """
    by_settings = file.writer == "Keras" and _has_settings_of_keras_1(file.config)
    if by_settings or re.match(r"Keras [01]\.", file.writer):
        writer = "Keras 1, by its layers' settings" if by_settings else file.writer
        raise ModelFileError(
            f"{file.path.name} was written by {writer}.",
            expected="A file written by Keras 2 or 3.",
            fix="Load it with Keras 2.0 and save it again.",
        )
    if file.family != family:
        raise ModelFileError(
            f"{file.path.name} was written by {file.writer}, which {family} does not read.",
            expected=f"A file of {family}.",
            fix=f"Load it with {file.family}.",
        )


def _has_settings_of_keras_1(config: Any) -> bool:
    """Whether a layer has settings that Keras 2 gave other names; such files hold no version."""
    if isinstance(config, list):
        return any(_has_settings_of_keras_1(value) for value in config)
    if not isinstance(config, dict):
        return False
    return not _OF_KERAS_1.isdisjoint(config) or any(map(_has_settings_of_keras_1, config.values()))


@contextmanager
def read_at_once(path: Path) -> Iterator[None]:
    """Let an archive's members be read in one piece while the block runs, within limits.

    tf_keras reads the weights inside the archive, going back and forth. Until Python 3.13 every
    step back reads the member again from its start: ten seconds for ResNet50's 100 MB.
    """
    usual = zipfile.ZipExtFile.MIN_READ_SIZE
    if path.stat().st_size <= _AT_ONCE:
        zipfile.ZipExtFile.MIN_READ_SIZE = max(usual, path.stat().st_size)
    try:
        yield
    finally:
        zipfile.ZipExtFile.MIN_READ_SIZE = usual


@contextmanager
def readable(file: ModelFile) -> Iterator[Path]:
    """A temporary path with nothing in it that was not checked.

    Of a ``.keras`` archive, a folder with three members: its configuration without how nested
    models were compiled, its metadata, and its weights, which are read from there without taking
    all of them into memory a second time. An ``.h5`` file is linked to.
    """
    with tempfile.TemporaryDirectory(prefix="pruning-load-") as folder:
        path = Path(folder) / "model"
        if file.file_format == "h5":
            path = path.with_suffix(".h5")
            path.symlink_to(file.path.resolve())
        else:
            _unpack(file, path)
        yield path


@contextmanager
def rebuilding(file: ModelFile) -> Iterator[None]:
    """Turn whatever Keras raises over a file into a ModelFileError."""
    try:
        yield
    except ModelFileError:
        raise
    except Exception as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            raise ModelFileError(
                f"The layers that {file.path.name} declares need more memory than there is free.",
                expected="A model that fits into this machine's memory.",
                fix="Check the sizes of its layers, close other programs, or use a machine with"
                " more memory.",
            ) from error
        unknown = _UNKNOWN_ACTIVATION.search(str(error))
        if unknown:
            raise ModelFileError(
                f"The model uses code that is not part of Keras: the activation {unknown[1]}.",
                expected="Activations that come with Keras.",
                fix="Replace it with one of Keras's own, and save the model again.",
            ) from error
        raise ModelFileError(
            f"Keras could not rebuild the model: {cause(error)}",
            expected=f"A model that {file.writer} can load again without any code of yours.",
            fix="Load it where it was made, save it with model.save('model.keras'),"
            " and upload that file.",
        ) from error


def cause(error: Exception) -> str:
    """What is behind an error, as a sentence: not where Keras met it, nor the configuration."""
    plain = re.sub(r"\x1b\[\d*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    where = r"Error when deserializing class|Exception encountered when calling"
    inner = [line for line in lines if not re.match(where, line)] or lines
    text = inner[0].removeprefix("Exception encountered: ") if inner else type(error).__name__
    text = text.removeprefix("{{function_node").rpartition("}} ")[2].rstrip(".:")
    return f"{text}." if len(text) <= 240 else f"{text[:240]} …."


def without_compile(config: Any) -> Any:
    """Copy of a configuration without ``compile_config``, at any depth."""
    if isinstance(config, dict):
        return {k: without_compile(v) for k, v in config.items() if k != "compile_config"}
    if isinstance(config, list):
        return [without_compile(value) for value in config]
    return config


def _unpack(file: ModelFile, folder: Path) -> None:
    folder.mkdir()
    try:
        with zipfile.ZipFile(file.path) as archive:
            with archive.open(WEIGHTS) as packed, (folder / WEIGHTS).open("wb") as weights:
                shutil.copyfileobj(packed, weights, 2**20)
            metadata = (
                archive.read("metadata.json") if "metadata.json" in archive.namelist() else b"{}"
            )
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise truncated(file.path, str(error)) from error
    check_weights(folder / WEIGHTS, file.path)
    (folder / "metadata.json").write_bytes(metadata)
    (folder / "config.json").write_text(json.dumps(without_compile(file.config)))
