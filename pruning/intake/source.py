"""A look into a data file: what it is and what can be chosen, before anything is decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pruning.errors import DataFileError
from pruning.intake import limits
from pruning.intake.files import Files, open_files
from pruning.intake.kind import Kind, kind_of
from pruning.intake.layout import Layout, arrange
from pruning.intake.npz import class_names, open_npz
from pruning.intake.npz_keys import find_keys, own_outputs
from pruning.intake.options import Options
from pruning.intake.samples import chosen_roles, read_sides, suffixes
from pruning.intake.store import shown_name
from pruning.intake.table import Roles, Table, read_table

_SHOWN_ROWS = 5
_SHOWN_CELL = 500


@dataclass(frozen=True)
class Source:
    """What a data file holds.

    Attributes:
        kind: ``npz``, ``zip``, ``folder`` or ``table``.
        modality: ``image``, ``audio``, ``text`` or ``arrays``.
        files: Files of samples; for a table its rows, for arrays the samples.
        classes: Names, where the file shows them without decoding; in the order of the indices.
        class_counts: Samples by class name, where they can be counted.
        splits_given: The data says which samples train and which test.
        columns: Of a table, else ``None``.
        rows: The first rows of a table.
        text_column, label_column, split_column: What suggests itself.
        delimiter, header: How the table was read.
        arrays: Shape and type by key, for an ``.npz``.
        preprocessing: What the data's author fixed; may be empty.
        notes: What the reader should know.
    """

    kind: Kind
    modality: str
    files: int
    bytes: int
    classes: tuple[str, ...] = ()
    class_counts: Mapping[str, int] = field(default_factory=dict)
    splits_given: bool = False
    columns: tuple[str, ...] | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    text_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    arrays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Source:
        """Inverse of :meth:`to_dict`."""
        fields = {key: value for key, value in record.items() if key in cls.__dataclass_fields__}
        for key in ("classes", "columns", "notes"):
            fields[key] = tuple(fields[key]) if fields[key] is not None else None
        fields["rows"] = tuple(tuple(row) for row in fields["rows"])
        return cls(**fields)


def look(path: Path, options: Mapping[str, Any] | None = None) -> Source:
    """Look into a data file.

    Args:
        path: Of the file or folder.
        options: See :class:`pruning.intake.options.Options`; encoding, delimiter and header matter.

    Raises:
        DataFileError: It is of no kind that can be used.
    """
    chosen = Options.from_dict(options or {})
    kind = kind_of(path)
    if kind == "npz":
        return _look_arrays(path)
    if kind == "table":
        table = open_table(path, chosen)
        return _of_table(kind, path.stat().st_size, (table,), chosen)
    with open_files(path) as files:
        layout = arrange(shown_name(path), files.files, suffixes())
        return _look_files(kind, files, layout, chosen)


def open_table(path: Path, options: Options) -> Table:
    """Read a CSV or TSV file.

    Raises:
        DataFileError: Too large, or see :func:`pruning.intake.table.read_table`.
    """
    size = path.stat().st_size
    if size > limits.MAX_TABLE_BYTES:
        raise DataFileError(
            f"The table {shown_name(path)} has {size // 2**20:,} MB.",
            expected=f"At most {limits.MAX_TABLE_BYTES // 2**20:,} MB.",
            fix="Take fewer rows, or leave out the columns that are not needed.",
        )
    return read_table(
        shown_name(path),
        path.read_bytes(),
        encoding=options.encoding,
        delimiter=options.delimiter,
        header=options.header,
    )


def _look_arrays(path: Path) -> Source:
    with open_npz(path) as npz:
        found = find_keys(npz, outputs=own_outputs(npz)).pairs
        arrays = {
            key: {"shape": list(header.shape), "dtype": header.dtype.name}
            for key, header in npz.headers.items()
        }
        return Source(
            kind="npz",
            modality="arrays",
            files=sum(npz.headers[pair.y].shape[0] for pair in found),
            bytes=path.stat().st_size,
            classes=class_names(npz),
            splits_given=found[0].split is not None,
            arrays=arrays,
        )


def _look_files(kind: Kind, files: Files, layout: Layout, options: Options) -> Source:
    preprocessing, options = read_sides(files, layout, options)
    size = sum(file.bytes for file in files.files)
    if layout.tables:
        tables = tuple(
            read_table(
                file.name,
                files.read(file),
                encoding=options.encoding,
                delimiter=options.delimiter,
                header=options.header,
            )
            for _, file in layout.tables
        )
        return _of_table(kind, size, tables, options, preprocessing, layout)
    counts = Counter(sample.label for sample in layout.samples)
    classes = options.classes or tuple(sorted(counts))
    return Source(
        kind=kind,
        modality=layout.modality,
        files=len(layout.samples),
        bytes=size,
        classes=classes,
        class_counts={name: counts[name] for name in classes},
        splits_given=layout.splits_given,
        preprocessing=preprocessing,
        notes=(*files.notes, *layout.notes),
    )


def _of_table(
    kind: Kind,
    size: int,
    tables: tuple[Table, ...],
    options: Options,
    preprocessing: Mapping[str, Any] | None = None,
    layout: Layout | None = None,
) -> Source:
    table = tables[0]
    roles: Roles = chosen_roles(table, options)
    shown = [tuple(cell[:_SHOWN_CELL] for cell in row) for row in table.rows[:_SHOWN_ROWS]]
    counts: Counter[str] = Counter()
    if roles.label is not None:
        for each in tables:
            counts.update(cell.strip() for cell in each.column(roles.label))
    named = len(counts) <= 1000  # more are no classes but numbers
    return Source(
        kind=kind,
        modality="text",
        files=sum(len(each.rows) for each in tables),
        bytes=size,
        classes=options.classes or (tuple(sorted(counts)) if named else ()),
        class_counts=dict(sorted(counts.items())) if named else {},
        splits_given=roles.split is not None or (layout is not None and layout.splits_given),
        columns=table.columns,
        rows=tuple(shown),
        text_column=roles.text,
        label_column=roles.label,
        split_column=roles.split,
        delimiter=table.delimiter,
        header=table.header,
        preprocessing=preprocessing or {},
        notes=tuple(note for each in tables for note in each.notes),
    )
