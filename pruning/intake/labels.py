"""Labels as people write them to targets as models learn them. Pure functions on arrays and names.

class names, class numbers, one-hot rows    classification   int64 index, (n,) or (n, steps)
rows of 0 and 1                             multilabel       float32, (n, classes)
numbers with fractions                      regression       float32, (n,) or (n, outputs)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pruning import quantities
from pruning.errors import DataFileError, MismatchError
from pruning.intake import limits
from pruning.intake.dataset import Task
from pruning.intake.encoding import texts_of
from pruning.intake.table import is_number

TASKS: tuple[Task, ...] = ("classification", "multilabel", "regression")


@dataclass(frozen=True)
class Targets:
    """Labels of all samples. ``classes`` is empty for regression."""

    task: Task
    y: np.ndarray
    classes: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Of one sample's labels."""
        return self.y.shape[1:]


@dataclass(frozen=True)
class Expected:
    """What is known beforehand.

    Attributes:
        task: Asked for by the user.
        classes: Their names in the order of the model's outputs.
        outputs: Shape of the model's answer, without the batch.
        activation: Of the model's output.
    """

    task: Task | None = None
    classes: tuple[str, ...] = ()
    outputs: tuple[int | None, ...] | None = None
    activation: str | None = None

    @property
    def single(self) -> bool:
        """The model answers with one number: two classes, or a regression."""
        return self.outputs is not None and self.outputs[-1:] == (1,)


def from_names(names: Sequence[str], expected: Expected) -> Targets:
    """Class names, one a sample; indices in the order of ``expected.classes``, else sorted.

    Sorted as Keras sorts class folders, by character: ``10`` before ``2``, and a note says so.

    Raises:
        DataFileError: A name is not among the expected classes, or there is one class only.
    """
    classes = expected.classes or tuple(sorted(set(names)))
    targets = _classification(names, classes)
    numbered = all(name.isdecimal() for name in classes)
    if expected.classes or not numbered or list(classes) == sorted(classes, key=int):
        return targets
    order = f"{', '.join(classes[:4])} …"
    note = f"Numbered classes are in Keras's order: {order}; a classes.txt sets another order."
    return replace(targets, notes=(note,))


def from_cells(
    columns: Sequence[Sequence[str]], names: Sequence[str], expected: Expected
) -> Targets:
    """Cells of a table's label columns.

    One column: fractions are regression, all else classes, whole numbers in their order.
    Several: 0 and 1 are labels that may go together, other numbers are regression.

    Args:
        columns: Cells by column, (n,) each.
        names: The columns' names.
        expected: What is known beforehand.

    Raises:
        DataFileError: Empty cells, words where numbers are needed, one class only.
    """
    columns = [[cell.strip() for cell in column] for column in columns]
    for name, column in zip(names, columns, strict=True):
        if "" in column:
            raise DataFileError(
                f"Row {column.index('') + 1} has no value in the column {name!r}.",
                expected="A label in every row.",
                fix="Fill the empty cells, or delete these rows.",
            )
    if len(columns) > 1:
        numbers = np.stack([_numbers(n, c) for n, c in zip(names, columns, strict=True)], axis=1)
        if expected.task != "regression" and np.isin(numbers, (0, 1)).all():
            return Targets("multilabel", numbers, tuple(names))
        return Targets("regression", numbers, ())
    (column,), (name,) = columns, names
    numeric = all(is_number(cell) for cell in column)
    whole = numeric and all(float(cell).is_integer() for cell in column)
    guess_number = numeric and expected.task is None
    if guess_number and expected.single and len(set(column)) > 2:
        return Targets("regression", _numbers(name, column), ())
    if expected.task == "regression" or (guess_number and not whole):
        return Targets("regression", _numbers(name, column), ())
    if whole:
        column = [str(int(float(cell))) for cell in column]
        classes = expected.classes or tuple(map(str, sorted({int(cell) for cell in column})))
        if set(column) <= set(map(str, range(len(classes)))):  # numbers of the named classes
            return _classification(column, tuple(map(str, range(len(classes)))), classes)
        return _classification(column, classes)
    return from_names(column, expected)


def from_array(y: np.ndarray, expected: Expected) -> Targets:
    """Labels of an ``.npz``: (n,), (n, 1), (n, steps), one-hot, rows of 0 and 1, or numbers.

    Raises:
        DataFileError: A dtype that is no label's, NaN, a label out of range, one class only.
    """
    if y.dtype.kind in "US":
        if y.ndim == 0 or y.size != len(y):
            raise DataFileError(
                f"The labels are names, in the shape {y.shape}.",
                expected="One name for each sample, or class numbers where there are more labels.",
                fix="Save y as a row of names, or number the classes from 0.",
            )
        return from_names([name.strip() for name in texts_of("The labels", y)], expected)
    if y.dtype.kind not in "biuf" or y.ndim == 0:
        raise DataFileError(
            f"The labels have the type {y.dtype} and the shape {y.shape}.",
            expected="Class numbers, one-hot rows, rows of 0 and 1, numbers, or names.",
            fix="Save y as an array of integers, floats or strings.",
        )
    check_finite("the labels", y)
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    task = expected.task or _task_of(y, expected)
    if task == "regression":
        return Targets("regression", y.astype(np.float32), ())
    if task == "multilabel":
        return _multilabel(y, expected)
    if _is_one_hot(y, expected):
        return _numbered(np.argmax(y, axis=-1), expected, at_least=y.shape[-1])
    return _numbered(y, expected)


def check_finite(what: str, values: np.ndarray) -> None:
    """Refuse NaN and infinities.

    Raises:
        DataFileError: There are some.
    """
    if values.dtype.kind != "f":
        return
    wrong = ~np.isfinite(values)
    if wrong.any():
        first, number = np.argwhere(wrong)[0].tolist(), int(wrong.sum())
        counted, verb = quantities.plural(number, "value"), "is" if number == 1 else "are"
        raise DataFileError(
            f"{counted} of {what} {verb} NaN or infinite, the first at {first}.",
            expected="Finite numbers only.",
            fix="Replace or remove these samples before saving the data.",
        )


def check_tokens(what: str, values: np.ndarray, vocabulary: int) -> None:
    """Refuse tokens for which the model's embedding has no entry.

    Raises:
        MismatchError: There are some.
    """
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    if low < 0 or high >= vocabulary:
        raise MismatchError(
            f"{what} has the token {low if low < 0 else high}; the model's embedding has "
            f"{vocabulary:,} entries.",
            expected=f"Tokens from 0 to {vocabulary - 1:,}.",
            fix="Use the vocabulary that the model was trained with.",
        )


def _task_of(y: np.ndarray, expected: Expected) -> Task:
    zeros_and_ones = bool(np.isin(y, (0, 1)).all())
    per_step = expected.outputs is not None and len(expected.outputs) == y.ndim
    # Zeros and ones at each step or pixel of an answer are its two classes: a mask.
    if y.ndim > 1 and zeros_and_ones and not per_step:
        return "classification" if _is_one_hot(y, expected) else "multilabel"
    if expected.single and not zeros_and_ones:
        return "regression"
    if y.dtype.kind in "biu":
        return "classification"
    whole = bool((y == np.floor(y)).all())
    answers_classes = expected.activation == "softmax" or (
        expected.activation == "sigmoid" and zeros_and_ones
    )
    return "classification" if whole and answers_classes else "regression"


def _is_one_hot(y: np.ndarray, expected: Expected) -> bool:
    if y.ndim < 2 or y.shape[-1] < 2 or not np.isin(y, (0, 1)).all():
        return False
    per_step = expected.outputs is not None and len(expected.outputs) == y.ndim
    return not per_step and bool((y.sum(axis=-1) == 1).all())


def _multilabel(y: np.ndarray, expected: Expected) -> Targets:
    if y.ndim != 2 or not np.isin(y, (0, 1)).all():
        raise DataFileError(
            f"Several labels a sample need rows of 0 and 1; the labels have the shape {y.shape}.",
            expected="An array (samples, classes) of 0 and 1.",
            fix="Save y in that form, or choose another task.",
        )
    classes = expected.classes or tuple(map(str, range(y.shape[1])))
    if len(classes) != y.shape[1]:
        raise DataFileError(
            f"{len(classes)} class names are given for {y.shape[1]} labels.",
            expected="One name for each column of y.",
            fix="Correct the class names.",
        )
    return Targets("multilabel", y.astype(np.float32), classes)


def _numbered(y: np.ndarray, expected: Expected, *, at_least: int = 0) -> Targets:
    """Class numbers that are the model's output numbers already."""
    numbers = y.astype(np.int64)
    if (numbers != y).any() or numbers.min() < 0:
        wrong = y[(numbers != y) | (numbers < 0)].flat[0]
        raise DataFileError(
            f"The label {wrong} is out of range.",
            expected="Class numbers 0, 1, 2 …",
            fix="Number the classes from 0 (labels -1 and 1 become 0 and 1).",
        )
    top = int(numbers.max())
    if top >= limits.MAX_CLASSES:
        raise DataFileError(
            f"The label {top:,} is out of range.",
            expected=f"Class numbers from 0 to {limits.MAX_CLASSES - 1:,}.",
            fix="Number the classes from 0, or save numbers to predict as floats.",
        )
    if expected.classes and top >= len(expected.classes):
        raise DataFileError(
            f"The label {top} is out of range: there are {len(expected.classes)} class names.",
            expected=f"Class numbers from 0 to {len(expected.classes) - 1}.",
            fix="Correct the labels, or add the missing class names.",
        )
    found = max(top + 1, at_least)
    # Classes that happen to have no sample still are classes of the model.
    # One-hot rows say themselves how many classes there are.
    answers = (expected.outputs[-1] if expected.outputs and not at_least else None) or 0
    classes = expected.classes or tuple(map(str, range(max(found, answers))))
    _check_several(np.unique(numbers).size, classes[top])
    notes: tuple[str, ...] = ()
    if not expected.classes and found < answers:
        notes = (f"The labels reach {top}; the model's {answers} outputs are taken as classes.",)
    return Targets("classification", numbers, classes, notes)


def _classification(
    names: Sequence[str], keys: Sequence[str], classes: Sequence[str] | None = None
) -> Targets:
    index = {key: i for i, key in enumerate(keys)}
    unknown = next((name for name in names if name not in index), None)
    if unknown is not None:
        raise DataFileError(
            f"The class {unknown!r} is not among the {len(keys)} named classes.",
            expected=f"One of {', '.join(list(keys)[:10])}.",
            fix="Correct the class names' list, or take these samples out.",
        )
    _check_several(len(set(names)), names[0] if names else "none")
    y = np.array([index[name] for name in names], np.int64)
    return Targets("classification", y, tuple(classes or keys))


def _check_several(found: int, name: str) -> None:
    if found < 2:
        raise DataFileError(
            f"All samples belong to one class, {name!r}.",
            expected="Samples of at least two classes.",
            fix="Add samples of the other classes, each class in a folder or with a label.",
        )


def _numbers(name: str, column: Sequence[str]) -> np.ndarray:
    wrong = next((cell for cell in column if not is_number(cell)), None)
    if wrong is not None:
        raise DataFileError(
            f"{wrong!r} in the column {name!r} is not a number.",
            expected="A number in every row.",
            fix="Choose another column, or treat the column as classes.",
        )
    numbers = np.array([float(cell) for cell in column], np.float32)
    check_finite(f"the column {name!r}", numbers)
    return numbers
