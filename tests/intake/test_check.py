"""Data and model belong together, or the page says why not."""

from dataclasses import dataclass, replace

import pytest

from pruning.analysis.input_needs import InputNeeds
from pruning.errors import MismatchError
from pruning.intake.check import check_fits, model_input
from pruning.intake.dataset import InputArray, Manifest
from pruning.intake.modalities._base import ModelInput


@dataclass(frozen=True)
class Spec:
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    name: str = ""


@dataclass(frozen=True)
class Profile:
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    output_activation: str | None = None


@dataclass(frozen=True)
class NewProfile(Profile):
    scales_itself: bool = True
    vocabulary: int | None = 500
    other_needs: tuple[InputNeeds, ...] = ()


def manifest(
    task: str = "classification", classes: int = 10, y_shape: tuple[int, ...] = ()
) -> Manifest:
    return Manifest(
        ref="a-b",
        name="data",
        modality="arrays",
        task=task,  # type: ignore[arg-type]
        classes=tuple(map(str, range(classes))),
        counts={},
        class_counts={},
        x_shape=(28, 28, 1),
        x_dtype="float32",
        y_shape=y_shape,
        preprocessing={},
        pipeline=(),
    )


IMAGE = (Spec((28, 28, 1)),)
REGRESSION = manifest("regression", 0)
LABELS = manifest("multilabel", 5, (5,))


@pytest.mark.parametrize(
    ("data", "answer", "activation", "note"),
    [
        (manifest(), (10,), "softmax", ""),
        (manifest(), (10,), "linear", ""),
        (manifest(), (10,), None, ""),
        (manifest(), (10,), "sigmoid", "yes or no of its own"),
        (manifest(), (10,), "relu", "end in relu"),
        (manifest(classes=2), (1,), "sigmoid", ""),
        (manifest(classes=2), (1,), "linear", "taken as a logit"),
        (manifest(classes=2), (2,), "softmax", ""),
        (manifest(classes=36, y_shape=(34,)), (34, 36), "softmax", ""),
        (manifest(classes=36, y_shape=(34,)), (None, 36), "softmax", ""),
        (manifest(classes=2, y_shape=(34,)), (34, 1), "sigmoid", ""),
        (manifest(classes=3, y_shape=(8, 8)), (8, 8, 3), "softmax", ""),
        (LABELS, (5,), "sigmoid", ""),
        (LABELS, (5,), "linear", "taken as logits"),
        (REGRESSION, (1,), "linear", ""),
        (REGRESSION, (), None, ""),
        (REGRESSION, (1,), "sigmoid", "cannot reach numbers outside"),
        (replace(REGRESSION, y_shape=(4,)), (4,), "linear", ""),
    ],
)
def test_what_fits(
    data: Manifest, answer: tuple[int | None, ...], activation: str | None, note: str
) -> None:
    notes = check_fits(data, IMAGE, (Spec(answer),), activation)
    assert len(notes) == bool(note)
    assert note in "".join(notes)


@pytest.mark.parametrize(
    ("data", "answer", "activation", "words"),
    [
        (manifest(classes=12), (10,), "softmax", "answers with 10 values, the data has 12 classes"),
        (manifest(classes=8), (10,), "softmax", "answers with 10 values, the data has 8 classes"),
        (manifest(classes=3), (1,), "sigmoid", "answers with one value, the data has 3 classes"),
        (manifest(classes=2), (1,), "softmax", "answer is always 1"),
        (manifest(classes=36), (34, 36), "softmax", "class at each of 34 places, the data has one"),
        (manifest(classes=36, y_shape=(34,)), (36,), "softmax", r"labels of shape \(34\)"),
        (manifest(classes=36, y_shape=(33,)), (34, 36), "softmax", r"labels of shape \(33\)"),
        (manifest(), (None,), "softmax", "an open number of values"),
        (LABELS, (5,), "softmax", "softmax allows only one"),
        (LABELS, (6,), "sigmoid", "answers with 6 values, the data has 5 labels"),
        (REGRESSION, (10,), "softmax", "answers with 10 values, the data has 1 value to predict"),
        (REGRESSION, (1,), "softmax", "answers with shares of 1"),
        (
            replace(REGRESSION, y_shape=(3,)),
            (4,),
            "linear",
            "answers with 4 values, the data has 3 values",
        ),
    ],
)
def test_what_does_not_fit(
    data: Manifest, answer: tuple[int | None, ...], activation: str | None, words: str
) -> None:
    with pytest.raises(MismatchError, match=words):
        check_fits(data, IMAGE, (Spec(answer),), activation)


@pytest.mark.parametrize("shape", [(32, 32, 1), (28, 28, 3), (28, 28), (784,)])
def test_input_shapes_that_differ(shape: tuple[int, ...]) -> None:
    with pytest.raises(MismatchError, match=r"the data has \(28, 28, 1\)"):
        check_fits(manifest(), (Spec(shape),), (Spec((10,)),), "softmax")


def test_open_dimensions_fit_everything() -> None:
    assert check_fits(manifest(), (Spec((None, None, 1)),), (Spec((10,)),), "softmax") == ()


TWO = (Spec((28, 28, 1), name="picture"), Spec((3,), "int32", "place"))
FED = (
    InputArray("picture", (28, 28, 1), "float32"),
    InputArray("place", (3,), "int32"),
)


def test_several_inputs_fit_in_the_models_order() -> None:
    answer = (Spec((10,)),)
    assert check_fits(replace(manifest(), inputs=FED), TWO, answer, "softmax") == ()
    numbered = tuple(replace(array, name=str(place)) for place, array in enumerate(FED))
    assert check_fits(replace(manifest(), inputs=numbered), TWO, answer, "softmax") == ()


@pytest.mark.parametrize(
    ("arrays", "inputs", "happened", "expected"),
    [
        ((), TWO, "has 2 inputs: picture, place; the data has one array of inputs",
         "x_train_picture, x_train_place"),
        (FED, (*TWO, Spec((2,), name="age")), "has 3 inputs.* the data has 2 arrays",
         "x_train_age"),
        (FED, IMAGE, "The data has 2 arrays of inputs, the model has one input", "x_train"),
        (FED, TWO[::-1], "inputs are picture, place; the model reads place, picture", "its order"),
        ((FED[0], replace(FED[1], shape=(4,))), TWO,
         r"reads samples of shape \(3\) at place, the data has \(4\)", r"shape (3)"),
    ],
)  # fmt: skip
def test_inputs_that_are_not_the_models(
    arrays: tuple[InputArray, ...], inputs: tuple[Spec, ...], happened: str, expected: str
) -> None:
    with pytest.raises(MismatchError, match=happened) as caught:
        check_fits(replace(manifest(), inputs=arrays), inputs, (Spec((10,)),), "softmax")
    assert expected in caught.value.expected


def test_several_outputs_are_refused() -> None:
    answer = (Spec((10,)),)
    with pytest.raises(MismatchError, match="The model has 2 outputs"):
        check_fits(manifest(), IMAGE, answer * 2, "softmax")


def test_the_models_input_is_told_by_its_profile() -> None:
    old = Profile((Spec((28, 28, 1)),), (Spec((10,)),), "softmax")
    assert model_input(old) == ModelInput(
        (28, 28, 1), "float32", False, None, outputs=(10,), activation="softmax"
    )
    new = NewProfile((Spec((80,), "int32"),), (Spec((1,)),), "sigmoid")
    assert model_input(new) == ModelInput(
        (80,), "int32", True, 500, outputs=(1,), activation="sigmoid"
    )
    several = NewProfile(
        TWO,
        (Spec((1,)),),
        scales_itself=False,
        vocabulary=None,
        other_needs=(InputNeeds(False, 9),),
    )
    found = model_input(several)
    assert [one.name for one in found.every] == ["picture", "place"]
    assert found.others == (ModelInput((3,), "int32", vocabulary=9, name="place"),)
    # A profile of an older studio does not say what the other inputs begin with.
    assert model_input(Profile(TWO, (Spec((1,)),))).others[0].vocabulary is None
