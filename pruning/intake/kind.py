"""What kind of data file something is: told by its first bytes, never by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pruning.errors import DataFileError
from pruning.intake.files import open_zip
from pruning.intake.store import shown_name

Kind = Literal["folder", "npz", "zip", "table"]

_FOREIGN = (
    (b"\x93NUMPY", "a single NumPy array", "Save inputs and labels: numpy.savez(path, x=x, y=y)."),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Upload models on the left; save data as .npz."),
    (b"MATLAB", "a MATLAB file", "Load it in Python and save it with numpy.savez."),
    (b"PAR1", "a Parquet file", "Save the table as CSV."),
    (b"ARROW1", "an Arrow file", "Save the table as CSV."),
    (b"\x1f\x8b", "a gzip file", "Unpack it and make a .zip."),
    (b"BZh", "a bzip2 file", "Unpack it and make a .zip."),
    (b"\xfd7zXZ", "an xz file", "Unpack it and make a .zip."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it and make a .zip."),
    (b"Rar!", "a RAR archive", "Unpack it and make a .zip."),
    (b"%PDF", "a PDF document", "Save the texts as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "Save the table as CSV."),
    (b"\x89PNG", "a single picture", "Zip folders of pictures, one folder a class."),
    (b"\xff\xd8\xff", "a single picture", "Zip folders of pictures, one folder a class."),
    (b"RIFF", "a single sound or film", "Zip folders of sounds, one folder a class."),
    (b"fLaC", "a single sound", "Zip folders of sounds, one folder a class."),
    (b"OggS", "a single sound", "Zip folders of sounds, one folder a class."),
    (b"SQLite format 3", "a database", "Save the table as CSV."),
    (b"\x80\x02", "a pickle", "Save the arrays with numpy.savez: a pickle could run any program."),
    (b"\x80\x03", "a pickle", "Save the arrays with numpy.savez: a pickle could run any program."),
    (b"\x80\x04", "a pickle", "Save the arrays with numpy.savez: a pickle could run any program."),
    (b"\x80\x05", "a pickle", "Save the arrays with numpy.savez: a pickle could run any program."),
)
_EXPECTED = "An .npz, a .zip of class folders, or a CSV or TSV table."


def kind_of(path: Path) -> Kind:
    """Tell the kind.

    Raises:
        DataFileError: Nothing there, empty, or of a kind that cannot be used.
    """
    if path.is_dir():
        return "folder"
    if not path.is_file():
        raise DataFileError(
            f"There is no file or folder {path}.",
            expected=_EXPECTED,
            fix="Check the path for typing errors.",
        )
    with path.open("rb") as stream:
        start = stream.read(4096)
    if not start:
        raise DataFileError(
            f"{shown_name(path)} is empty.",
            expected=_EXPECTED,
            fix="Check that it was saved or copied completely.",
        )
    if start.startswith(b"PK"):
        return _kind_of_zip(path)
    for magic, what, fix in _FOREIGN:
        if start.startswith(magic):
            raise DataFileError(f"{shown_name(path)} is {what}.", expected=_EXPECTED, fix=fix)
    return "table"


def _kind_of_zip(path: Path) -> Kind:
    with open_zip(path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if not names:
        raise DataFileError(
            f"{shown_name(path)} is an archive with nothing in it.",
            expected=_EXPECTED,
            fix="Put the samples in and make the archive again.",
        )
    if all(name.endswith(".npy") for name in names):
        return "npz"
    for mark, what, fix in (
        ("[Content_Types].xml", "an Office document", "Save the table as CSV."),
        ("model.weights.h5", "a Keras model", "Upload it as the model; here the data is wanted."),
    ):
        if mark in names:
            raise DataFileError(f"{shown_name(path)} is {what}.", expected=_EXPECTED, fix=fix)
    return "zip"
