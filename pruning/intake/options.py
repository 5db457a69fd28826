"""What a user may say about a data file besides its preprocessing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pruning.errors import DataFileError
from pruning.intake.dataset import Task
from pruning.intake.labels import TASKS, Expected
from pruning.intake.modalities._base import ModelInput
from pruning.intake.splits import TEST, VAL

_NAMES = ("label_columns", "classes")
_FRACTIONS = ("val", "test")


@dataclass(frozen=True)
class Options:
    """Everything has a default that is told by the content.

    Attributes:
        seed: Of the split, where the data has none.
        val, test: Fractions of all samples.
        task: Instead of the one that the labels suggest.
        text_column, label_columns, split_column: Of a table; several label columns are labels that
            may go together, or several numbers.
        encoding, delimiter, header: How to read a table.
        classes: Names in the order of the model's outputs.
        name, source, licence: For the reader; they do not change the arrays.
    """

    seed: int = 0
    val: float = 0.15
    test: float = 0.15
    task: Task | None = None
    text_column: str | None = None
    label_columns: tuple[str, ...] = ()
    split_column: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    classes: tuple[str, ...] = ()
    name: str = ""
    source: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        if self.val <= 0 or self.test <= 0 or self.val + self.test >= 1:
            raise DataFileError(
                f"{self.val:g} of the samples for validation and {self.test:g} for test is "
                "impossible.",
                expected="Two fractions above 0, together below 1.",
                fix="Give for example 0.15 each.",
            )
        if self.task is not None and self.task not in TASKS:
            raise DataFileError(
                f"The task {self.task!r} does not exist.",
                expected=f"One of {', '.join(TASKS)}.",
                fix="Choose one of these, or none to have it recognised from the labels.",
            )
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise DataFileError(
                f"{self.delimiter!r} cannot separate the columns of a table.",
                expected="A single character, such as a comma, semicolon or tab.",
                fix="Choose one of these, or none to have it recognised from the content.",
            )
        if len(set(self.classes)) < len(self.classes):
            raise DataFileError(
                "The list of class names has a name twice.",
                expected="Different names, in the order of the model's outputs.",
                fix="Correct the list.",
            )

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Options:
        """Build from JSON; ``label_column`` with one name is accepted too; ``None`` is a default.

        Raises:
            DataFileError: An unknown or impossible option.
        """
        given = {key: value for key, value in record.items() if value is not None}
        column = given.pop("label_column", None)
        if column is not None:
            given["label_columns"] = [column] if isinstance(column, str) else column
        unknown = given.keys() - {entry.name for entry in fields(cls)}
        if unknown:
            raise DataFileError(
                f"There is no option {sorted(unknown)[0]!r} for data.",
                expected=f"One of {', '.join(entry.name for entry in fields(cls))}.",
                fix="Correct its name, or leave it out.",
            )
        for key, value in given.items():
            _check_type(key, value)
        for key in _NAMES:
            if key in given:
                given[key] = tuple(str(name) for name in given[key])
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """What decides about the arrays, as JSON."""
        record = asdict(self)
        for key in ("name", "source", "licence"):
            del record[key]
        return record

    @property
    def fractions(self) -> dict[int, float]:
        """The fractions by split."""
        return {VAL: self.val, TEST: self.test}

    def expected(self, model_input: ModelInput | None) -> Expected:
        """What labels should be, by these options and the model."""
        outputs = model_input.outputs if model_input else None
        activation = model_input.activation if model_input else None
        return Expected(self.task, self.classes, outputs, activation)


def _check_type(key: str, value: Any) -> None:
    """Refuse what JSON may hold but the option cannot.

    Raises:
        DataFileError: It has another type.
    """
    if key in _NAMES:
        names = value if isinstance(value, list | tuple) else [None]
        right, wanted = all(_is_name(name) for name in names), "a list of names"
    elif key in _FRACTIONS:
        right, wanted = not isinstance(value, bool) and isinstance(value, int | float), "a number"
    elif key == "seed":
        right, wanted = not isinstance(value, bool) and isinstance(value, int), "a whole number"
    elif key == "header":
        right, wanted = isinstance(value, bool), "true or false"
    else:
        right, wanted = isinstance(value, str), "text"
    if not right:
        raise DataFileError(
            f"The option {key} is {value!r}.",
            expected=f"{wanted[0].upper()}{wanted[1:]} for {key}.",
            fix="Correct it, or leave it out.",
        )


def _is_name(name: Any) -> bool:
    """Columns and classes may be called by a number."""
    return isinstance(name, str | int | float) and not isinstance(name, bool)
