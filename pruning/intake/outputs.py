"""Which of a model's outputs labels are for: the one they name, else the first they fit."""

from __future__ import annotations

from collections.abc import Callable

from pruning.errors import DataFileError, MismatchError
from pruning.intake.label_check import check_labels, words_of
from pruning.intake.labels import Expected, Targets
from pruning.intake.modalities._base import ModelInput
from pruning.intake.options import Options


def labelled(
    read: Callable[[Expected], Targets],
    options: Options,
    model_input: ModelInput | None,
    named: int | None = None,
) -> tuple[Targets, int]:
    """Read labels as those of one output.

    Args:
        read: ``(expected) -> Targets`` of all samples.
        options: The user's.
        model_input: What is known of the model.
        named: Number of the output that the data names.

    Returns:
        The labels, and the number of their output; 0 where there is one only.

    Raises:
        DataFileError: The labels cannot be used.
        MismatchError: They fit none of several outputs.
    """
    answers = model_input.answers if model_input else ()
    if len(answers) < 2:
        return read(options.expected(model_input)), 0
    problems = []
    for place, answer in enumerate(answers):
        if named not in (None, place):
            continue
        expected = Expected(options.task, options.classes, answer.shape, answer.activation)
        try:
            targets = read(expected)
            check_labels(targets, answer.shape, answer.activation)
        except (DataFileError, MismatchError) as error:
            problems.append(error)
            continue
        return targets, place
    if len(problems) == 1:
        raise problems[0]
    shapes = ", ".join(f"{answer.name} {words_of(answer.shape)}" for answer in answers)
    raise MismatchError(
        f"The labels fit none of the model's {len(answers)} outputs. "
        f"{answers[0].name}: {problems[0].happened}",
        expected=f"Labels for one of {shapes}.",
        fix="Use such labels; y_train_NAME in an .npz names the output that they are for.",
    )
