"""Write a model in another format, load it again, and compare it with the model."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pruning import storage
from pruning.delivery.exports import exports
from pruning.delivery.exports._base import Export
from pruning.delivery.running import outputs_of, random_inputs
from pruning.errors import ExportError, PruningError
from pruning.frameworks.running import fixed_batch
from pruning.intake.model_file import LoadedModel, load
from pruning.surgery.self_check import answered

SAMPLES = 8
PLANNED = ("onnx", "savedmodel")


def export(model: Path, to: str, out: Path, *, length: int | None = None) -> dict[str, Any]:
    """Export a model file.

    Args:
        model: The model's file.
        to: Name of the format.
        out: The file to write.
        length: Steps to export for, where the model leaves them open.

    Returns:
        ``{"path", "bytes", "check": {"max_abs_error", "samples"}}``.

    Raises:
        ModelFileError: The model cannot be read.
        ExportError: There is no such format, it cannot hold this model, or what was written does
            not give the model's outputs. Nothing is left at ``out`` then.
        StorageError: The disk is full or the folder cannot be written.
    """
    form = format_of(to)
    _check_target(out, form)
    return export_loaded(load(model), form, out, length=length)


def export_loaded(
    loaded: LoadedModel, form: Export, out: Path, *, length: int | None = None
) -> dict[str, Any]:
    """Export a loaded model; see :func:`export`."""
    model, framework = loaded.model, loaded.framework
    # The Keras files are checked at any length; only a fixed graph has to know the right one.
    assumed = length if length is not None or form.name == "litert" else loaded.length
    rows = fixed_batch(model) or SAMPLES  # stateful models read so many at once
    drawn = (
        random_inputs(loaded, rows, length=assumed, in_unit_interval=unit) for unit in (False, True)
    )
    inputs, expected = answered(lambda given: outputs_of(model, given), drawn)
    with storage.replacing(out) as stream, tempfile.TemporaryDirectory(dir=out.parent) as folder:
        path = Path(folder) / f"model{form.suffix}"
        try:
            form.write(model, framework, path, inputs)
            found = form.read(framework, path, inputs)
        except (PruningError, OSError):
            raise
        # Writers and readers of other projects raise what they like; none is the studio's bug.
        except Exception as error:
            raise ExportError(
                f"The {form.name} file could not be written and read again: {_first_line(error)}",
                expected=f"A model that {form.title} can hold.",
                fix="Export to another format, such as keras.",
            ) from error
        largest_error = compare(expected, found, form)
        with path.open("rb") as written:
            shutil.copyfileobj(written, stream)
        size = path.stat().st_size
    return {
        "path": str(out),
        "bytes": size,
        "check": {"max_abs_error": largest_error, "samples": len(inputs[0])},
    }


def compare(expected: Sequence[np.ndarray], found: Sequence[np.ndarray], form: Export) -> float:
    """Largest absolute error of the outputs.

    Raises:
        ExportError: It is larger than the format's tolerance, or the shapes differ.
    """
    if [value.shape for value in found] != [value.shape for value in expected]:
        raise _unequal(
            form,
            f"has outputs of {[v.shape for v in found]} instead of {[v.shape for v in expected]}",
        )
    pairs = list(zip(expected, found, strict=True))
    error = max(float(np.abs(f - e.astype(np.float64)).max()) for e, f in pairs)
    largest = max(1.0, *(float(np.abs(e).max()) for e in expected))
    # Written so that NaN fails too.
    if not error <= form.tolerance * largest:
        raise _unequal(form, f"differs from the model by {error:.2g}")
    return error


def format_of(name: str) -> Export:
    """The format of that name.

    Raises:
        ExportError: There is none, or not yet.
    """
    known = exports()
    if name in known:
        return known[name]
    what = "is planned, but not built yet" if name in PLANNED else "does not exist"
    raise ExportError(
        f"The export format {name!r} {what}.",
        expected=f"One of {', '.join(sorted(known))}.",
        fix=f"Choose one of these, for example --to {min(known, default='keras')}.",
    )


def _check_target(out: Path, form: Export) -> None:
    if out.is_dir():
        raise ExportError(
            f"{out} is a folder.",
            expected="The path of the file to write.",
            fix=f"Add a file name, for example {out / ('model' + form.suffix)}.",
        )
    others = {other.suffix: other.name for other in exports().values() if other is not form}
    if out.suffix in others:
        raise ExportError(
            f"{out.name} is named like a {others[out.suffix]} file, the format is {form.name}.",
            expected=f"A file name that ends in {form.suffix}.",
            fix=f"Name it {out.stem}{form.suffix}, or export with --to {others[out.suffix]}.",
        )


def _unequal(form: Export, what: str) -> ExportError:
    return ExportError(
        f"The {form.name} file {what}; it was deleted.",
        expected=f"The model's outputs, to {form.tolerance:g} of the largest.",
        fix="Export to another format, and report this model: the converter changed it silently.",
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
