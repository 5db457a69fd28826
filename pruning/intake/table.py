"""CSV and TSV: delimiter, header and the columns' parts are told by the content, or chosen."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from pruning.errors import DataFileError
from pruning.intake.encoding import decode_text
from pruning.intake.limits import skippable
from pruning.intake.splits import split_of

_DELIMITERS = (",", "\t", ";", "|")
_LOOK_RECORDS = 200  # to tell delimiter, header and columns by
_TEXT_NAMES = (
    *("text", "sentence", "review", "content", "message", "tweet", "comment", "body", "document"),
    *("utterance", "question", "headline", "title", "description", "phrase", "texts"),
)
_LABEL_NAMES = (
    *("label", "labels", "class", "category", "target", "sentiment", "y", "topic", "intent"),
    *("rating", "score", "stars", "polarity", "emotion", "language", "tag"),
)
_SPLIT_NAMES = ("split", "set", "subset", "partition")
_MAX_CELL = 2**24  # characters; the csv module's own limit of 128 KiB is below a long article


@dataclass(frozen=True)
class Table:
    """A table in memory.

    Attributes:
        columns: Names; ``column 1`` … when the table has no header.
        rows: Cells, as many in each row as there are columns.
        delimiter, header: How it was read.
        notes: What the reader should know.
    """

    columns: tuple[str, ...]
    rows: list[list[str]]
    delimiter: str
    header: bool
    notes: tuple[str, ...] = field(default=())

    def column(self, name: str) -> list[str]:
        """All cells of a column.

        Raises:
            DataFileError: There is no such column.
        """
        if name not in self.columns:
            raise DataFileError(
                f"The table has no column {name!r}.",
                expected=f"One of its columns: {', '.join(self.columns[:12])}.",
                fix="Choose one of these columns.",
            )
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


@dataclass(frozen=True)
class Roles:
    """Which columns are what; ``None`` when nothing suggests itself."""

    text: str | None
    label: str | None
    split: str | None


def read_table(
    name: str,
    content: bytes,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
) -> Table:
    """Read a table; what is ``None`` is told by the content.

    Raises:
        DataFileError: No table, one column only, rows of different lengths, unknown encoding.
    """
    text, note = decode_text(name, content, encoding)
    delimiter = delimiter or _sniff_delimiter(name, text)
    records = _records(name, text, delimiter)
    if not records:
        raise DataFileError(
            f"{name} has no rows.",
            expected="A header and one row for each sample.",
            fix="Save the table again and check that it is not empty.",
        )
    width = _usual_width(records)
    if width < 2:
        raise DataFileError(
            f"{name} has only one column.",
            expected="At least a column with the text and one with the label.",
            fix="Save it as CSV with commas, or name the delimiter.",
        )
    has_header = _has_header(records, width) if header is None else header
    columns = _names(records[0], width, has_header)
    body = records[1:] if has_header else records
    rows = [row for row in body if len(row) == width]
    notes = (*((note,) if note else ()), *_odd_rows(name, body, width))
    return Table(columns, rows, delimiter, has_header, notes)


def guess_roles(table: Table) -> Roles:
    """Which columns are most likely the text, the label and the split."""
    look = table.rows[:_LOOK_RECORDS]
    cells = {name: [row[i] for row in look] for i, name in enumerate(table.columns)}
    split = _named(cells, _SPLIT_NAMES)
    if split is not None and any(split_of(cell) is None for cell in cells[split]):
        split = None
    open_columns = {name: column for name, column in cells.items() if name != split}
    text = _named(open_columns, _TEXT_NAMES) or _longest(open_columns)
    open_columns.pop(text or "", None)
    label = _named(open_columns, _LABEL_NAMES) or _fewest_values(open_columns)
    return Roles(text, label, split)


def is_number(cell: str) -> bool:
    """The cell reads as a number, as Python reads it; ``nan`` and ``inf`` do too."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _sniff_delimiter(name: str, text: str) -> str:
    """The delimiter that gives the most columns in the most even way."""
    start = text[: 2**18]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        records = _records(name, start, delimiter, limit=_LOOK_RECORDS, strict=False)
        width = _usual_width(records) if records else 0
        if width < 2:
            continue
        even = sum(len(row) == width for row in records) / len(records)
        score = even + 1e-3 * min(width, 50)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _records(
    name: str, text: str, delimiter: str, *, limit: int | None = None, strict: bool = True
) -> list[list[str]]:
    csv.field_size_limit(_MAX_CELL)
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                records.append(record)
            if limit is not None and len(records) >= limit:
                break
    except csv.Error as error:
        if strict:
            raise DataFileError(
                f"{name} cannot be read as a table: line {reader.line_num}: {error}.",
                expected="CSV in which quotation marks inside a cell are doubled.",
                fix="Save the table again from the program that made it.",
            ) from error
    return records


def _usual_width(records: Sequence[Sequence[str]]) -> int:
    widths = [len(record) for record in records]
    return max(set(widths), key=widths.count)


def _has_header(records: Sequence[Sequence[str]], width: int) -> bool:
    """The first row names columns: unlike cells, no numbers, and nothing that comes again below."""
    first = [cell.strip() for cell in records[0]]
    known = {*_TEXT_NAMES, *_LABEL_NAMES, *_SPLIT_NAMES}
    if any(cell.lower() in known for cell in first):
        return True
    if len(set(first)) < len(first) or any(not cell or is_number(cell) for cell in first):
        return False
    below = [row for row in records[1:_LOOK_RECORDS] if len(row) == width]
    again = any(row[i].strip() == cell for row in below for i, cell in enumerate(first[:width]))
    return not again and max(map(len, first)) <= 64


def _names(first: Sequence[str], width: int, header: bool) -> tuple[str, ...]:
    if not header:
        return tuple(f"column {i + 1}" for i in range(width))
    names: list[str] = []
    for i in range(width):
        name = first[i].strip() if i < len(first) and first[i].strip() else f"column {i + 1}"
        names.append(name if name not in names else f"{name} ({i + 1})")
    return tuple(names)


def _odd_rows(name: str, body: Sequence[Sequence[str]], width: int) -> tuple[str, ...]:
    odd = [i for i, row in enumerate(body) if len(row) != width]
    if not odd:
        return ()
    places = ", ".join(str(i + 1) for i in odd[:5])
    if len(odd) > skippable(len(body)):
        raise DataFileError(
            f"{len(odd)} of {len(body)} rows of {name} do not have {width} cells: rows {places}.",
            expected=f"{width} cells in every row.",
            fix="Put cells that hold the delimiter into quotation marks, or name the delimiter.",
        )
    return (f"{len(odd)} rows without {width} cells were left out: rows {places}.",)


def _named(cells: dict[str, list[str]], names: Sequence[str]) -> str | None:
    lower = {name.lower(): name for name in cells}
    return next((lower[name] for name in names if name in lower), None)


def _longest(cells: dict[str, list[str]]) -> str | None:
    lengths = {
        name: sum(map(len, column)) / max(1, len(column))
        for name, column in cells.items()
        if not all(is_number(cell) for cell in column)
    }
    return max(lengths, key=lambda name: lengths[name]) if lengths else None


def _fewest_values(cells: dict[str, list[str]]) -> str | None:
    """The column with the fewest different values, if these are few enough to be classes."""
    counts = {name: len({cell.strip() for cell in column}) for name, column in cells.items()}
    few = {
        name: count
        for name, count in counts.items()
        if 2 <= count <= max(2, min(100, len(cells[name]) // 2))
    }
    return min(few, key=lambda name: few[name]) if few else None
