"""Do data and model belong together? Shapes, number of classes, task and output activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pruning.errors import MismatchError
from pruning.intake.dataset import InputArray, Manifest
from pruning.intake.modalities._base import ModelInput
from pruning.intake.npz_keys import named_keys

Shape = tuple[int | None, ...]


class Spec(Protocol):
    """One input or output of a model, as the model's profile describes it."""

    @property
    def name(self) -> str:
        """As the model calls it."""

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

    ``profile.scales_itself``, ``profile.vocabulary`` and ``profile.other_needs`` are read where the
    profile has them: profiles stored by an older studio do not.
    """
    first = profile.inputs[0]
    scales_itself: Any = getattr(profile, "scales_itself", False)
    vocabulary: Any = getattr(profile, "vocabulary", None)
    needs: Any = getattr(profile, "other_needs", ()) or [None] * len(profile.inputs[1:])
    return ModelInput(
        shape=first.shape,
        dtype=first.dtype,
        scales_itself=bool(scales_itself),
        vocabulary=None if vocabulary is None else int(vocabulary),
        outputs=profile.outputs[0].shape,
        activation=profile.output_activation,
        name=first.name,
        others=tuple(
            ModelInput(
                spec.shape,
                spec.dtype,
                scales_itself=bool(need and need.scales_itself),
                vocabulary=need.vocabulary if need else None,
                name=spec.name,
            )
            for spec, need in zip(profile.inputs[1:], needs, strict=True)
        ),
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
    _check_outputs(outputs)
    _check_inputs(manifest.input_arrays, inputs)
    answer = outputs[0].shape
    if manifest.task == "regression":
        return _check_regression(manifest, answer, output_activation)
    if manifest.task == "multilabel":
        return _check_multilabel(manifest, answer, output_activation)
    return _check_classes(manifest, answer, output_activation)


def several_inputs(names: Sequence[str], have: int = 1) -> MismatchError:
    """The error for a model of several inputs and data that does not feed them all."""
    given = "one array of inputs" if have == 1 else f"{have} arrays of inputs"
    return MismatchError(
        f"The model has {len(names)} inputs: {', '.join(names)}; the data has {given}.",
        expected=f"An .npz with an array for each input: {named_keys(names)}.",
        fix="Bring the data in that form, or prune without data (no retraining, no baseline).",
    )


def _check_outputs(outputs: Sequence[Spec]) -> None:
    if len(outputs) != 1:
        raise MismatchError(
            f"The model has {len(outputs)} outputs; the data has one array of labels.",
            expected="A model with one output.",
            fix="Prune without data (no retraining and no baseline), or bring another model.",
        )


def _check_inputs(arrays: Sequence[InputArray], inputs: Sequence[Spec]) -> None:
    names = [spec.name for spec in inputs]
    if len(arrays) != len(inputs) and len(inputs) > 1:
        raise several_inputs(names, len(arrays))
    if len(arrays) != len(inputs):
        raise MismatchError(
            f"The data has {len(arrays)} arrays of inputs, the model has one input.",
            expected="One array of inputs: x_train, x_val, x_test, or x.",
            fix="Bring the model that reads them all, or data for one input.",
        )
    for place, (array, spec) in enumerate(zip(arrays, inputs, strict=True)):
        if array.name not in ("", str(place), spec.name):
            raise MismatchError(
                f"The data's inputs are {', '.join(one.name for one in arrays)}; "
                f"the model reads {', '.join(names)}.",
                expected="The model's inputs in its order.",
                fix="Prepare the data for this model.",
            )
        if not fits(array.shape, spec.shape):
            where = f" at {spec.name}" if len(inputs) > 1 else ""
            raise MismatchError(
                f"The model reads samples of shape {_words(spec.shape)}{where}, the data has "
                f"{_words(array.shape)}.",
                expected=f"Samples of shape {_words(spec.shape)}.",
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
