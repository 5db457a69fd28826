"""Do data and model belong together? Shapes, number of classes, task and output activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pruning import quantities
from pruning.errors import MismatchError
from pruning.intake.dataset import InputArray, Manifest
from pruning.intake.label_check import Shape, check_labels, fits, words_of
from pruning.intake.modalities._base import Answer, ModelInput
from pruning.intake.npz_keys import named_keys


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
        answers=answers_of(profile) if len(profile.outputs) > 1 else (),
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


def check_data(manifest: Manifest, profile: Profile) -> tuple[str, ...]:
    """Check data against a model; of several outputs, the one that its labels are for.

    Returns:
        Notes on what fits but is unusual, and on outputs that nobody judges.

    Raises:
        MismatchError: They do not belong together.
    """
    answers, place = answers_of(profile), manifest.output
    if place >= len(answers):
        raise MismatchError(
            f"The labels were prepared for output {place} of another model, "
            f"this one has {quantities.plural(len(answers), 'output')}.",
            expected="Data that was prepared for this model.",
            fix="Prepare the data for this model.",
        )
    judged = profile.outputs[place : place + 1]
    notes = check_fits(manifest, profile.inputs, judged, answers[place].activation)
    return (*notes, *unjudged([answer.name for answer in answers], place))


def answers_of(profile: Profile) -> tuple[Answer, ...]:
    """A model's outputs; a profile of an older studio knows the activation of the first only."""
    activations: Any = getattr(profile, "output_activations", ())
    activations = activations or [profile.output_activation, *[None] * len(profile.outputs[1:])]
    return tuple(
        Answer(spec.name, spec.shape, activation)
        for spec, activation in zip(profile.outputs, activations, strict=True)
    )


def unjudged(names: Sequence[str], place: int) -> tuple[str, ...]:
    """A note on the outputs of a model that the labels are not for; none for a single output."""
    others = [name for number, name in enumerate(names) if number != place]
    if not others:
        return ()
    verb = "is" if len(others) == 1 else "are"
    return (
        f"The labels are for the output {names[place]}; {', '.join(others)} {verb} neither "
        "trained nor judged.",
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
    return check_labels(manifest, outputs[0].shape, output_activation)


def several_inputs(names: Sequence[str], have: int = 1) -> MismatchError:
    """The error for a model of several inputs and data that does not feed them all."""
    given = "one array of inputs" if have == 1 else f"{have} arrays of inputs"
    return MismatchError(
        f"The model has {len(names)} inputs: {', '.join(names)}; the data has {given}.",
        expected=f"An .npz with an array for each input: {named_keys(names)}.",
        fix="Save the data in that form, or prune without data (no retraining, no baseline).",
    )


def _check_outputs(outputs: Sequence[Spec]) -> None:
    if len(outputs) != 1:
        raise MismatchError(
            f"The model has {len(outputs)} outputs; the data has one array of labels.",
            expected="A model with one output.",
            fix="Prune without data (no retraining and no baseline), or use another model.",
        )


def _check_inputs(arrays: Sequence[InputArray], inputs: Sequence[Spec]) -> None:
    names = [spec.name for spec in inputs]
    if len(arrays) != len(inputs) and len(inputs) > 1:
        raise several_inputs(names, len(arrays))
    if len(arrays) != len(inputs):
        raise MismatchError(
            f"The data has {len(arrays)} arrays of inputs, the model has one input.",
            expected="One array of inputs: x_train, x_val, x_test, or x.",
            fix="Use the model that reads them all, or data for one input.",
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
                f"The model reads samples of shape {words_of(spec.shape)}{where}, the data has "
                f"{words_of(array.shape)}.",
                expected=f"Samples of shape {words_of(spec.shape)}.",
                fix="Change the preprocessing to fit the model, or use data made for it.",
            )
