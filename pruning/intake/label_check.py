"""Do labels and a model's output belong together? Number of classes, task and activation."""

from __future__ import annotations

from typing import Protocol

from pruning import quantities
from pruning.errors import MismatchError

Shape = tuple[int | None, ...]


class Labels(Protocol):
    """What is needed of labels, prepared or just read."""

    @property
    def task(self) -> str:
        """``classification``, ``multilabel`` or ``regression``."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the indices."""

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Of one sample's labels."""


def check_labels(labels: Labels, answer: Shape, activation: str | None) -> tuple[str, ...]:
    """Check labels against one output of a model.

    Args:
        labels: Of all samples.
        answer: The output's shape, without the batch.
        activation: ``softmax``, ``sigmoid``, ``linear`` … of the output.

    Returns:
        Notes on what fits but is unusual.

    Raises:
        MismatchError: They do not belong together.
    """
    if labels.task == "regression":
        return _check_regression(labels, answer, activation)
    if labels.task == "multilabel":
        return _check_multilabel(labels, answer, activation)
    return _check_classes(labels, answer, activation)


def _check_classes(labels: Labels, answer: Shape, activation: str | None) -> tuple[str, ...]:
    values, classes = answer[-1] if answer else None, len(labels.classes)
    _check_steps(labels, answer[:-1])
    if values == 1:
        return _check_binary(classes, activation)
    if values != classes:
        raise MismatchError(
            f"The model answers with {_count(values)} values, the data has {classes} classes.",
            expected=f"Data with {_count(values)} classes, in the order of the model's outputs.",
            fix="Add the missing classes or take the surplus ones out, or use another model.",
        )
    if activation == "sigmoid":
        return ("Each output is a yes or no of its own (sigmoid); the largest counts as answer.",)
    if activation not in (None, "softmax", "linear", "log_softmax"):
        return (f"The outputs end in {activation}; the largest counts as the answer.",)
    return ()


def _check_binary(classes: int, activation: str | None) -> tuple[str, ...]:
    if classes != 2:
        raise MismatchError(
            f"The model answers with one value, the data has {classes} classes.",
            expected="Two classes for a model with one output, or numbers to predict.",
            fix="Use data with two classes, or choose the task regression if labels are numbers.",
        )
    if activation == "softmax":
        raise MismatchError(
            "The model's only output goes through a softmax, so its answer is always 1.",
            expected="A sigmoid over one output, or a softmax over two.",
            fix="Correct the model's last layer and train it again.",
        )
    if activation == "sigmoid":
        return ()
    return ("The model's one output is taken as a logit: above 0 is the second class.",)


def _check_multilabel(labels: Labels, answer: Shape, activation: str | None) -> tuple[str, ...]:
    if not fits(labels.y_shape, answer):
        raise MismatchError(
            f"The model answers with {_values(answer)}, the data has "
            f"{len(labels.classes)} labels that may go together.",
            expected="One output for each label.",
            fix="Use data with the model's labels, or another model.",
        )
    if activation == "softmax":
        raise MismatchError(
            "The data has several labels a sample; the model's softmax allows only one.",
            expected="A sigmoid for each label.",
            fix="Use a model that ends in sigmoids, or data with one class a sample.",
        )
    if activation == "sigmoid":
        return ()
    return ("The outputs are taken as logits: above 0 the label is present.",)


def _check_regression(labels: Labels, answer: Shape, activation: str | None) -> tuple[str, ...]:
    shapes = [labels.y_shape, (*labels.y_shape, 1)]
    if not any(fits(shape, answer) for shape in shapes):
        raise MismatchError(
            f"The model answers with {_values(answer)}, the data has "
            f"{_values(labels.y_shape)} to predict.",
            expected="As many numbers as the model has outputs.",
            fix="Choose the matching label columns, or choose the task classification.",
        )
    if activation == "softmax":
        raise MismatchError(
            "The data has numbers to predict; the model's softmax answers with shares of 1.",
            expected="A linear output.",
            fix="Choose the task classification if the labels are classes, or use another model.",
        )
    if activation in ("sigmoid", "tanh"):
        return (f"The output ends in {activation}: it cannot reach numbers outside its range.",)
    return ()


def _check_steps(labels: Labels, steps: Shape) -> None:
    """One label a sample, or one a step when the model answers at every step."""
    if fits(labels.y_shape, steps):
        return
    per_sample = (
        "one label for a sample"
        if not labels.y_shape
        else (f"labels of shape {words_of(labels.y_shape)}")
    )
    answers, wanted = "one class for a sample", "One label for each sample."
    if steps:
        answers = f"a class at each of {quantities.shape(steps)} places"
        wanted = f"Labels of shape {words_of(steps)}: one for each place."
    raise MismatchError(
        f"The model answers with {answers}, the data has {per_sample}.",
        expected=wanted,
        fix="Use labels in that shape, or a model that answers in the labels' shape.",
    )


def fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    """A shape equals the wanted one wherever that is not open."""
    return len(shape) == len(wanted) and all(
        want is None or want == have for have, want in zip(shape, wanted, strict=True)
    )


def _count(values: int | None) -> str:
    return "an open number of" if values is None else str(values)


def _values(shape: Shape) -> str:
    """How many values a sample has, in words: ``3 values``; of several axes their shape."""
    if None in shape or len(shape) > 1:
        return f"values of shape {words_of(shape)}"
    return quantities.plural(shape[0] or 0 if shape else 1, "value")


def words_of(shape: Shape) -> str:
    """A shape in words: ``(any, 3)``."""
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
