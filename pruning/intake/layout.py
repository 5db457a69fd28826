"""What the files of an archive or folder are to each other: class folders, tables, side files.

[wrapper/] [train|val|test/] <class>/…/sample     one folder a class
[wrapper/] data.csv   or   train.csv test.csv     tables
[wrapper/] preprocessing.json vocabulary.txt classes.txt    what their author fixed
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pruning.errors import DataFileError
from pruning.intake.files import File
from pruning.intake.splits import TRAIN, split_of

SIDE_FILES = ("preprocessing.json", "vocabulary.txt", "classes.txt")
_TABLES = (".csv", ".tsv")
_TEXT = ".txt"
_DOCUMENTS = ("readme", "licen", "copying", "attribution", "credits")


@dataclass(frozen=True)
class Placed:
    """One file with its path below the wrapper folder, split and class taken off step by step."""

    file: File
    parts: tuple[str, ...]
    split: int | None = None

    @property
    def label(self) -> str:
        """Name of the class folder."""
        return self.parts[0]


@dataclass(frozen=True)
class Layout:
    """What was found.

    Attributes:
        modality: Name of the modality; ``text`` for tables.
        samples: Files in class folders; empty for tables.
        tables: (split or None, file); empty for class folders.
        sides: Side files by name.
        notes: What was left out.
    """

    modality: str
    samples: tuple[Placed, ...]
    tables: tuple[tuple[int | None, File], ...]
    sides: Mapping[str, File]
    notes: tuple[str, ...] = field(default=())

    @property
    def splits_given(self) -> bool:
        """The data says itself which samples train and which test."""
        splits = [sample.split for sample in self.samples] + [split for split, _ in self.tables]
        return bool(splits) and None not in splits


def arrange(name: str, files: Sequence[File], suffixes: Mapping[str, tuple[str, ...]]) -> Layout:
    """Find out how the samples are laid out.

    Args:
        name: Of the archive or folder, for messages.
        files: All files that are no junk.
        suffixes: File suffixes of samples by modality.

    Raises:
        DataFileError: Nothing is recognised, or the samples are not in class folders.
    """
    endings = frozenset({_TEXT}.union(*suffixes.values()))
    placed = _peeled([Placed(file, file.parts) for file in files], endings)
    sides = {
        entry.parts[0].lower(): entry.file
        for entry in placed
        if len(entry.parts) == 1 and entry.parts[0].lower() in SIDE_FILES
    }
    rest = [entry for entry in placed if len(entry.parts) > 1 or not _is_document(entry)]
    modality = _modality_of(rest, suffixes)
    if modality is not None:
        wanted = suffixes[modality] or (_TEXT,)
        return _class_folders(name, modality, rest, wanted, sides)
    tables = _tables(name, rest)
    if tables:
        return Layout("text", (), tables, sides)
    raise DataFileError(
        f"{name} has no samples that are recognised; it holds {_kinds(rest)}.",
        expected="Pictures, sounds or .txt texts in one folder for each class, or a CSV table.",
        fix="Put each class's samples into a folder with the class's name and zip these folders.",
    )


def _peeled(placed: list[Placed], samples: frozenset[str]) -> list[Placed]:
    """Take off a single folder around everything, unless it is the only class folder."""
    while True:
        tops = {entry.parts[0] for entry in placed}
        depths = [len(entry.parts) for entry in placed]
        is_class = any(
            len(entry.parts) == 2 and entry.file.suffix in samples and not _is_document(entry)
            for entry in placed
        )
        if len(tops) > 1 or min(depths) < 2 or is_class:
            return placed
        placed = [replace(entry, parts=entry.parts[1:]) for entry in placed]


def _is_document(entry: Placed) -> bool:
    """Side files, and what people put beside data for people."""
    name = entry.parts[-1].lower()
    return name in SIDE_FILES or name.startswith(_DOCUMENTS)


def _modality_of(placed: Sequence[Placed], suffixes: Mapping[str, tuple[str, ...]]) -> str | None:
    """The modality with the most sample files; texts count only in class folders."""
    counts: Counter[str] = Counter()
    for entry in placed:
        for modality, endings in suffixes.items():
            counts[modality] += entry.file.suffix in endings
    if counts.total():
        return counts.most_common(1)[0][0]
    texts = any(entry.file.suffix == _TEXT and len(entry.parts) > 1 for entry in placed)
    has_table = any(entry.file.suffix in _TABLES for entry in placed)
    return "text" if texts and not has_table and "text" in suffixes else None


def _class_folders(
    name: str,
    modality: str,
    placed: Sequence[Placed],
    wanted: tuple[str, ...],
    sides: Mapping[str, File],
) -> Layout:
    placed = _with_splits(placed)
    samples = [entry for entry in placed if entry.file.suffix in wanted and len(entry.parts) > 1]
    loose = [entry for entry in placed if entry.file.suffix in wanted and len(entry.parts) == 1]
    others = len(placed) - len(samples) - len(loose)
    if not samples:
        raise DataFileError(
            f"The {len(loose)} samples of {name} are not in folders, so their classes are unknown.",
            expected="One folder for each class, named after it, with its samples inside.",
            fix="Sort the samples into class folders and zip these folders.",
        )
    notes = []
    if loose:
        notes.append(
            f"{len(loose)} samples outside class folders were left out: {loose[0].parts[0]}"
        )
    if others:
        notes.append(f"{others} files of other kinds were left out.")
    return Layout(modality, tuple(samples), (), sides, tuple(notes))


def _with_splits(placed: Sequence[Placed]) -> list[Placed]:
    """Read top folders ``train``, ``val``, ``test`` as splits when class folders are in them."""
    deep = [entry for entry in placed if len(entry.parts) > 2]
    splits = {split_of(entry.parts[0]) for entry in deep}
    if TRAIN not in splits or len(splits - {None}) < 2:
        return list(placed)
    return [
        replace(entry, parts=entry.parts[1:], split=split_of(entry.parts[0]))
        for entry in deep
        if split_of(entry.parts[0]) is not None
    ]


def _tables(name: str, placed: Sequence[Placed]) -> tuple[tuple[int | None, File], ...]:
    tables = [entry.file for entry in placed if entry.file.suffix in _TABLES]
    if len(tables) < 2:
        return tuple((None, table) for table in tables)
    splits = [split_of(table.parts[-1].rsplit(".", 1)[0]) for table in tables]
    if None in splits or len(set(splits)) < len(splits) or TRAIN not in splits:
        raise DataFileError(
            f"{name} has {len(tables)} tables: {', '.join(table.name for table in tables[:4])}.",
            expected="One table, or train.csv with val.csv and test.csv.",
            fix="Leave one table in the archive, or name them after the splits.",
        )
    return tuple(zip(splits, tables, strict=True))


def _kinds(placed: Sequence[Placed]) -> str:
    counts = Counter(entry.file.suffix or "no suffix" for entry in placed)
    kinds = [f"{count} × {suffix}" for suffix, count in counts.most_common(4)]
    return ", ".join(kinds) or "nothing else"
