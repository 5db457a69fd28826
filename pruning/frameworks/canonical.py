"""A saved model's file in a canonical form, whose size follows from the model's shapes alone.

What Keras writes depends on more than the weights' number: HDF5 hands out space for small arrays
and for its tables in blocks of 2 kB, leaving gaps that depend on the order of writing, and the
configuration grows and shrinks with the digits of the widths in it. Keras' own file is therefore
written anew: HDF5's tables first, then the arrays, large before small, without gaps; blanks
after the JSON of the configuration stand in for the digits that a width could have. The length of
such a file is

    a constant of the model's structure + the bytes of its arrays

with the same constant for a cut model as for the original. Plain Keras reads it like any other.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np

CONFIG, WEIGHTS, MODEL_CONFIG = "config.json", "model.weights.h5", "model_config"
DIGITS = 8  # of the longest axis that may be cut
MOST_DIGITS = 20  # of 64 bits: tf_keras writes addresses in memory as identifiers
# Strings are matched first, and so left out: the number in a name is not one that a cut changes.
_NUMBERS = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])([1-9]\d*)(?![\d.eE])')

_ATTENTION_WIDTHS = re.compile(r'"output_shape": *(null|[1-9])')


def make_canonical(path: Path) -> None:
    """Write a ``.keras`` or ``.h5`` file, told by its content, anew in canonical form.

    Args:
        path: A file that Keras has just written; replaced.
    """
    with TemporaryDirectory(prefix=".canonical-", dir=path.parent) as folder:
        written = Path(folder) / path.name
        if zipfile.is_zipfile(path):
            _rewrite_archive(path, written, Path(folder))
        else:
            rewrite_arrays(path, written)
        written.replace(path)


def padded(config: str) -> str:
    """The JSON text with blanks at its end: one for each digit that a whole number lacks to DIGITS.

    The length is then the same whichever numbers from 1 to 10^DIGITS - 1 stand in the text.
    Longer numbers count as if they had MOST_DIGITS. The width of attention, which a cut writes down
    where its author left it out, takes the same as null, as a number and as a list of one.
    """
    config = config.rstrip()
    digits = [len(match[1]) for match in _NUMBERS.finditer(config) if match[1]]
    blanks = sum((DIGITS if n <= DIGITS else MOST_DIGITS) - n for n in digits)
    for width in _ATTENTION_WIDTHS.findall(config):
        blanks += len("[]") + (DIGITS - len("null") if width == "null" else 0)
    return config + " " * blanks


def rewrite_arrays(source: Path, target: Path) -> None:
    """Copy an HDF5 file: first all that is not an array's content, then the arrays.

    HDF5 puts an array at the end of the file, and small ones together in blocks; written last,
    the small ones fill their blocks one after another, and closing the file cuts the rest off.
    """
    with h5py.File(source, "r") as given:
        arrays = dict(_arrays(given))
        plan = given.id.get_create_plist()
        with h5py.File(h5py.h5f.create(str(target).encode(), h5py.h5f.ACC_TRUNC, plan)) as new:
            _copy_structure(given, new)
        # Only a file that is opened anew has no half-used blocks of tables to put arrays into.
        with h5py.File(target, "r+") as new:
            for name in sorted(arrays, key=lambda name: -arrays[name].nbytes):
                if arrays[name].nbytes:
                    new[name][...] = arrays[name][...]


def _arrays(group: Any) -> Iterator[tuple[str, Any]]:
    for entry in group.values():
        if isinstance(entry, h5py.Group):
            yield from _arrays(entry)
        else:
            yield entry.name, entry


def _copy_structure(given: Any, new: Any) -> None:
    """Copy groups, attributes and arrays without content, each as it was created."""
    _copy_attributes(given, new)
    for name, entry in given.items():
        plan, place = entry.id.get_create_plist(), name.encode()
        if isinstance(entry, h5py.Group):
            h5py.h5g.create(new.id, place, gcpl=plan)
            _copy_structure(entry, new[name])
        else:
            kind, space = entry.id.get_type(), entry.id.get_space()
            h5py.h5d.create(new.id, place, kind, space, dcpl=plan)
            _copy_attributes(entry, new[name])


def _copy_attributes(given: Any, new: Any) -> None:
    for name in given.attrs:
        old = given.attrs.get_id(name)
        value = np.empty(old.shape, old.dtype)
        old.read(value)
        if name == MODEL_CONFIG:
            value = _padded_value(value)
        h5py.h5a.create(new.id, name.encode(), old.get_type(), old.get_space()).write(value)


def _padded_value(value: np.ndarray) -> np.ndarray:
    text: str | bytes = value.item()
    longer = padded(text) if isinstance(text, str) else padded(text.decode()).encode()
    return np.array(longer, value.dtype)


def _rewrite_archive(source: Path, target: Path, folder: Path) -> None:
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as new:
        for name in given.namelist():
            if name == CONFIG:
                new.writestr(name, padded(given.read(name).decode()))
            elif name == WEIGHTS:
                loose, tight = Path(given.extract(name, folder / "loose")), folder / WEIGHTS
                rewrite_arrays(loose, tight)
                new.write(tight, name)
            else:
                new.writestr(name, given.read(name))
