"""Do data and model belong together? Shapes, number of classes, task and output activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pruning.errors import MismatchError
from pruning.intake.dataset import Manifest
from pruning.intake.modalities._base import ModelInput

Shape = tuple[int | None, ...]


class Spec(Protocol):
    """One input or output of a model, as the model's profile describes it."""

    @property
    def shape(self) -> Shape:
        """Without the batch dimension."""

    @property
    def dtype(self) -> str:
        """Name of the type."""


class Profile(Protocol):
    """What is needed of a model's profile; that room lies to the right of this one."""

    @property
    def inputs(self) -> Sequence[Spec]:
        """Inputs of the model."""

    @property
    def outputs(self) -> Sequence[Spec]:
        """Outputs of the model."""

    @property
    def output_activation(self) -> str | None:
        """Activation of the first output."""


def model_input(profile: Profile) -> ModelInput:
    """What data has to fit, from a model's profile.

    ``profile.scales_itself`` and ``profile.vocabulary`` are read where the profile has them:
    profiles stored by an older studio do not.
    """
    first = profile.inputs[0]
    scales_itself: Any = getattr(profile, "scales_itself", False)
    vocabulary: Any = getattr(profile, "vocabulary", None)
    return ModelInput(
        shape=first.shape,
        dtype=first.dtype,
        scales_itself=bool(scales_itself),
        vocabulary=None if vocabulary is None else int(vocabulary),
        outputs=profile.outputs[0].shape,
        activation=profile.output_activation,
    )


def check_fits(
    manifest: Manifest,
    inputs: Sequence[Spec],
    outputs: Sequence[Spec],
    output_activation: str | None,
) -> tuple[str, ...]:
    """Check data against a model.

    Args:
        manifest: Of the prepared data.
        inputs: Of the model.
        outputs: Of the model.
        output_activation: ``softmax``, ``sigmoid``, ``linear`` … of the first output.

    Returns:
        Notes on what fits but is unusual; empty when there is nothing to say.

    Raises:
        MismatchError: They do not belong together.
    """
    _check_single(inputs, outputs)
    _check_input(manifest, inputs[0].shape)
    answer = outputs[0].shape
    if manifest.task == "regression":
        return _check_regression(manifest, answer, output_activation)
    if manifest.task == "multilabel":
        return _check_multilabel(manifest, answer, output_activation)
    return _check_classes(manifest, answer, output_activation)


def _check_single(inputs: Sequence[Spec], outputs: Sequence[Spec]) -> None:
    for what, specs in (("input", inputs), ("output", outputs)):
        if len(specs) != 1:
            raise MismatchError(
                f"The model has {len(specs)} {what}s; the data has one array of {what}s.",
                expected=f"A model with one {what}.",
                fix="Prune without data (no retraining and no baseline), or bring another model.",
            )


def _check_input(manifest: Manifest, wanted: Shape) -> None:
    if not fits(manifest.x_shape, wanted):
        raise MismatchError(
            f"The model reads samples of shape {_words(wanted)}, the data has "
            f"{_words(manifest.x_shape)}.",
            expected=f"Samples of shape {_words(wanted)}.",
            fix="Change the preprocessing to fit the model, or bring data made for it.",
        )


def _check_classes(manifest: Manifest, answer: Shape, activation: str | None) -> tuple[str, ...]:
    values, classes = answer[-1] if answer else None, len(manifest.classes)
    _check_steps(manifest, answer[:-1])
    if values == 1:
        return _check_binary(classes, activation)
    if values != classes:
        raise MismatchError(
            f"The model answers with {_count(values)} values, the data has {classes} classes.",
            expected=f"Data with {_count(values)} classes, in the order of the model's outputs.",
            fix="Add the missing classes or take the surplus ones out, or bring another model.",
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
            fix="Bring data with two classes, or choose the task regression if labels are numbers.",
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


def _check_multilabel(manifest: Manifest, answer: Shape, activation: str | None) -> tuple[str, ...]:
    if not fits(manifest.y_shape, answer):
        raise MismatchError(
            f"The model answers with {_words(answer)} values, the data has "
            f"{len(manifest.classes)} labels that may go together.",
            expected="One output for each label.",
            fix="Bring data with the model's labels, or another model.",
        )
    if activation == "softmax":
        raise MismatchError(
            "The data has several labels a sample; the model's softmax allows only one.",
            expected="A sigmoid for each label.",
            fix="Bring a model that ends in sigmoids, or data with one class a sample.",
        )
    if activation == "sigmoid":
        return ()
    return ("The outputs are taken as logits: above 0 the label is present.",)


def _check_regression(manifest: Manifest, answer: Shape, activation: str | None) -> tuple[str, ...]:
    shapes = [manifest.y_shape, (*manifest.y_shape, 1)]
    if not any(fits(shape, answer) for shape in shapes):
        raise MismatchError(
            f"The model answers with {_words(answer)} values, the data has numbers of shape "
            f"{_words(manifest.y_shape)} to predict.",
            expected="As many numbers as the model has outputs.",
            fix="Choose the matching label columns, or choose the task classification.",
        )
    if activation == "softmax":
        raise MismatchError(
            "The data has numbers to predict; the model's softmax answers with shares of 1.",
            expected="A linear output.",
            fix="Choose the task classification if the labels are classes, or bring another model.",
        )
    if activation in ("sigmoid", "tanh"):
        return (f"The output ends in {activation}: it cannot reach numbers outside its range.",)
    return ()


def _check_steps(manifest: Manifest, steps: Shape) -> None:
    """One label a sample, or one a step when the model answers at every step."""
    if fits(manifest.y_shape, steps):
        return
    per_sample = (
        "one label for a sample"
        if not manifest.y_shape
        else (f"labels of shape {_words(manifest.y_shape)}")
    )
    wanted = f"labels of shape {_words(steps)}" if steps else "one label for each sample"
    raise MismatchError(
        f"The data has {per_sample}, and the model answers where {wanted} are expected.",
        expected=f"{wanted[0].upper()}{wanted[1:]}.",
        fix="Bring labels in that shape, or a model that answers in the labels' shape.",
    )


def fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    """A shape equals the wanted one wherever that is not open."""
    return len(shape) == len(wanted) and all(
        want is None or want == have for have, want in zip(shape, wanted, strict=True)
    )


def _count(values: int | None) -> str:
    return "an open number of" if values is None else str(values)


def _words(shape: Shape) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
