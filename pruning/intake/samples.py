"""Samples one by one: files in class folders, or rows of a table. Nothing is decoded here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pruning.errors import DataFileError
from pruning.intake import labels, splits
from pruning.intake.encoding import decode_text
from pruning.intake.files import File, Files, open_files
from pruning.intake.labels import Expected, Targets
from pruning.intake.layout import Layout, Placed, arrange
from pruning.intake.modalities import modalities
from pruning.intake.modalities.text import read_vocabulary
from pruning.intake.options import Options
from pruning.intake.store import shown_name
from pruning.intake.table import Roles, Table, guess_roles, is_number, read_table

# Keys of preprocessing.json that are about the data as a whole, not about one sample.
_AUTHOR_OPTIONS = (
    *("classes", "source", "licence", "task", "text_column", "label_column", "label_columns"),
    *("split_column", "encoding", "delimiter", "header"),
)


class Contents(Sequence[Any]):
    """Contents of samples, read when asked for, so that they need not fit in memory."""

    def __init__(self, read: Callable[[int], Any], indices: Sequence[int]) -> None:
        self._read = read
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return Contents(self._read, self._indices[position])
        return self._read(int(self._indices[position]))


@dataclass(frozen=True)
class Samples:
    """All samples of a file.

    Attributes:
        modality: Name of the modality that decodes them.
        names: Of each sample, for messages.
        read: Content of sample i: bytes, or str for text.
        targets: ``(expected) -> Targets`` of all samples, in their order.
        given: (n,) splits that the data names, or ``None``.
        preprocessing: What the author of the data fixed; may be empty.
        options: The user's, completed with the author's.
        notes: What was left out.
    """

    modality: str
    names: Sequence[str]
    read: Callable[[int], Any]
    targets: Callable[[Expected], Targets]
    given: np.ndarray | None
    preprocessing: Mapping[str, Any]
    options: Options
    notes: tuple[str, ...] = field(default=())


@contextmanager
def open_samples(path: Path, options: Options) -> Iterator[Samples]:
    """Open a zip or folder.

    Raises:
        DataFileError: Nothing in it can be used.
    """
    with open_files(path) as files:
        layout = arrange(shown_name(path), files.files, suffixes())
        preprocessing, options = read_sides(files, layout, options)
        if layout.tables:
            tables = [_read(files, file, options) for _, file in layout.tables]
            codes = [split for split, _ in layout.tables]
            samples = from_tables(tables, codes, options, preprocessing)
        else:
            samples = _from_folders(files, layout, options, preprocessing)
        yield replace(samples, notes=(*files.notes, *samples.notes))


def suffixes() -> dict[str, tuple[str, ...]]:
    """File suffixes of samples by modality."""
    return {name: modality.suffixes for name, modality in modalities().items()}


def from_tables(
    tables: Sequence[Table],
    given: Sequence[int | None],
    options: Options,
    preprocessing: Mapping[str, Any] | None = None,
) -> Samples:
    """Rows of tables as texts.

    Args:
        tables: One, or one for each split, with the same columns.
        given: Split of each table, or ``None``.
        options: Chosen columns.
        preprocessing: What the author fixed.

    Raises:
        DataFileError: A column is missing, or none suggests itself.
    """
    roles = chosen_roles(tables[0], options)
    text, label_columns = required(tables[0], roles, options)
    texts = [cell for table in tables for cell in table.column(text)]
    columns = [[c for table in tables for c in table.column(name)] for name in label_columns]
    lengths = [len(table.rows) for table in tables]
    codes = None
    if given[0] is not None:
        codes = np.repeat(np.array(given, np.uint8), lengths)
    elif roles.split is not None:
        codes = splits.codes_of([cell for table in tables for cell in table.column(roles.split)])
    names = [f"row {row + 1}" for length in lengths for row in range(length)]
    notes = tuple(note for table in tables for note in table.notes)
    return Samples(
        "text",
        names,
        texts.__getitem__,
        lambda expected: labels.from_cells(columns, label_columns, expected),
        codes,
        preprocessing or {},
        options,
        notes,
    )


def chosen_roles(table: Table, options: Options) -> Roles:
    """The columns' parts: the user's choice, then guesses from what is left."""
    rest = [name for name in table.columns if name not in options.label_columns]
    rest = [name for name in rest if name not in (options.text_column, options.split_column)]
    places = [table.columns.index(name) for name in rest]
    rows = [[row[place] for place in places] for row in table.rows[:200]]
    guess = guess_roles(replace(table, columns=tuple(rest), rows=rows))
    label = options.label_columns[0] if options.label_columns else guess.label
    if options.text_column and not options.label_columns:
        label = guess_roles(
            replace(table, columns=("text", *rest), rows=[["a text", *row] for row in rows])
        ).label
    return Roles(options.text_column or guess.text, label, options.split_column or guess.split)


def required(table: Table, roles: Roles, options: Options) -> tuple[str, tuple[str, ...]]:
    """Text column and label columns.

    Raises:
        DataFileError: One of them is not chosen and does not suggest itself.
    """
    if roles.text is None and all(is_number(cell) for row in table.rows[:200] for cell in row):
        raise DataFileError(
            "The table holds numbers only, and the studio reads texts from tables.",
            expected="A column of texts and one or more columns of labels.",
            fix="Save numbers as arrays, one row a sample: numpy.savez('data.npz', x=…, y=…).",
        )
    for role, found in (("text", roles.text), ("labels", roles.label)):
        if found is None:
            raise DataFileError(
                f"No column of the table looks like the {role}.",
                expected=f"One of the columns {', '.join(table.columns[:12])} as the {role}.",
                fix="Choose the columns, or name them text and label.",
            )
    return str(roles.text), options.label_columns or (str(roles.label),)


def read_sides(files: Files, layout: Layout, options: Options) -> tuple[dict[str, Any], Options]:
    """Read preprocessing.json, vocabulary.txt and classes.txt; the user's options win.

    Raises:
        DataFileError: One of them cannot be read.
    """
    preprocessing: dict[str, Any] = {}
    if file := layout.sides.get("preprocessing.json"):
        preprocessing = _json_object(file.name, files.read(file))
    author = {k: preprocessing.pop(k) for k in _AUTHOR_OPTIONS if k in preprocessing}
    if file := layout.sides.get("classes.txt"):
        text, _ = decode_text(file.name, files.read(file))
        author["classes"] = [line.strip() for line in text.splitlines() if line.strip()]
    if file := layout.sides.get("vocabulary.txt"):
        text, _ = decode_text(file.name, files.read(file))
        preprocessing.setdefault("vocabulary", read_vocabulary(text))
    fixed = Options.from_dict(author)
    changes = {
        key: getattr(fixed, key)
        for key in ("label_columns" if key == "label_column" else key for key in author)
        if getattr(options, key) in (None, "", ())
    }
    return preprocessing, replace(options, **changes)


def _from_folders(
    files: Files, layout: Layout, options: Options, preprocessing: Mapping[str, Any]
) -> Samples:
    placed = layout.samples
    codes = None
    if layout.splits_given:
        codes = np.array([sample.split for sample in placed], np.uint8)
    return Samples(
        layout.modality,
        [sample.file.name for sample in placed],
        _reader(files, placed, layout.modality),
        lambda expected: labels.from_names([sample.label for sample in placed], expected),
        codes,
        preprocessing,
        options,
        layout.notes,
    )


def _reader(files: Files, placed: Sequence[Placed], modality: str) -> Callable[[int], Any]:
    def content(index: int) -> bytes:
        return files.read(placed[index].file)

    def text(index: int) -> str:
        return decode_text(placed[index].file.name, content(index))[0]

    return text if modality == "text" else content


def _read(files: Files, file: File, options: Options) -> Table:
    return read_table(
        file.name,
        files.read(file),
        encoding=options.encoding,
        delimiter=options.delimiter,
        header=options.header,
    )


def _json_object(name: str, content: bytes) -> dict[str, Any]:
    try:
        record = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataFileError(
            f"{name} is not valid JSON: {error}.",
            expected="An object with the preprocessing settings.",
            fix="Correct it, or leave it out to have the settings fitted to the model.",
        ) from error
    if not isinstance(record, dict):
        raise DataFileError(
            f"{name} is not a JSON object.",
            expected='Settings such as {"modality": "image", "height": 28, "width": 28}.',
            fix="Correct it, or leave it out to have the settings fitted to the model.",
        )
    record.pop("format", None)
    return record
