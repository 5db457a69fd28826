"""Labels are for the output that their key names, else for the first that they fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pruning.errors import DataFileError, MismatchError
from pruning.intake.check import check_data, unjudged
from pruning.intake.dataset import Dataset
from pruning.intake.modalities._base import Answer, ModelInput
from pruning.intake.prepare import prepare
from pruning.intake.source import look
from tests.intake.test_check import NewProfile, Spec

KIND, AMOUNT = Answer("kind", (3,), "softmax"), Answer("amount", (1,), "linear")
MODEL = ModelInput((2,), outputs=(3,), activation="softmax", answers=(KIND, AMOUNT), name="facts")
X = np.arange(80.0).reshape(40, 2)
CLASSES, NUMBERS = np.arange(40) % 3, np.linspace(0, 1, 40)


def prepared(folder: Path, model: ModelInput = MODEL, **labels: np.ndarray) -> Dataset:
    np.savez(folder / "a.npz", x=X, **labels)
    return prepare(folder / "a.npz", model_input=model)


def test_classes_go_to_the_softmax_and_numbers_to_the_line(tmp_path: Path) -> None:
    kinds = prepared(tmp_path, y=CLASSES).manifest
    assert (kinds.output, kinds.task, kinds.classes) == (0, "classification", ("0", "1", "2"))
    amounts = prepared(tmp_path, y=NUMBERS).manifest
    assert (amounts.output, amounts.task) == (1, "regression")
    swapped = replace(MODEL, answers=(AMOUNT, KIND))
    # Whole numbers are numbers to a single line that comes first.
    assert prepared(tmp_path, swapped, y=CLASSES).manifest.task == "regression"


def test_a_key_names_the_output(tmp_path: Path) -> None:
    data = prepared(tmp_path, y_Amount=CLASSES)
    assert (data.manifest.output, data.manifest.task) == (1, "regression")
    # Of labels for both, those of the first output are used.
    data = prepared(tmp_path, y_amount=NUMBERS, y_kind=CLASSES)
    assert (data.manifest.output, data.manifest.task) == (0, "classification")
    split = {f"{name}_{split}{end}": array[:20] for split in ("train", "val", "test")
             for name, end, array in (("x", "", X), ("y", "_amount", NUMBERS))}  # fmt: skip
    np.savez(tmp_path / "b.npz", **split)
    data = prepare(tmp_path / "b.npz", model_input=MODEL)
    assert (data.manifest.output, data.manifest.counts["val"]) == (1, 20)


def test_a_look_needs_no_model(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_a=X, x_b=X, y_kind=CLASSES, y_amount=NUMBERS)
    found = look(tmp_path / "a.npz")
    assert (found.files, found.splits_given) == (40, False)
    np.savez(tmp_path / "b.npz", x_train=X, y_train_kind=CLASSES)
    assert look(tmp_path / "b.npz").splits_given
    assert prepare(tmp_path / "a.npz").manifest.output == 0


def test_the_same_labels_for_another_output_are_other_data(tmp_path: Path) -> None:
    ordered = prepared(tmp_path, y=NUMBERS).manifest
    alone = prepared(tmp_path, replace(MODEL, answers=()), y=NUMBERS).manifest
    assert alone.output == 0
    assert ordered.ref != alone.ref


def test_labels_that_fit_no_output(tmp_path: Path) -> None:
    pairs = np.stack([NUMBERS, NUMBERS], axis=1)
    with pytest.raises(MismatchError, match="fit none of the model's 2 outputs") as caught:
        prepared(tmp_path, y=pairs)
    assert "kind (3), amount (1)" in caught.value.expected
    assert "y_train_NAME" in caught.value.fix
    # Of a named output its own error is told.
    with pytest.raises(MismatchError, match="answers with 3 values, the data has 4 classes"):
        prepared(tmp_path, y_kind=np.arange(40) % 4)
    with pytest.raises(DataFileError, match=r"array x and no y\."):
        prepared(tmp_path, y_weight=NUMBERS)


def test_data_is_checked_against_its_output(tmp_path: Path) -> None:
    outputs = (Spec((3,), name="kind"), Spec((1,), name="amount"))
    profile = NewProfile((Spec((2,)),), outputs, "softmax")
    note = "The labels are for the output amount; kind is neither trained nor judged."
    known = Known(*vars(profile).values())
    amounts = prepared(tmp_path, y=NUMBERS).manifest
    assert check_data(amounts, known) == (note,)
    with pytest.raises(MismatchError, match="the data has 1 value to predict"):
        check_data(replace(amounts, output=0), known)
    one = NewProfile((Spec((2,)),), (Spec((3,)),), "softmax")
    with pytest.raises(MismatchError, match="output 1 of another model, this one has 1 output"):
        check_data(amounts, one)


class Known(NewProfile):
    """A profile that knows the activations of all outputs."""

    output_activations = ("softmax", "linear")


def test_all_other_outputs_are_named() -> None:
    assert unjudged(["a"], 0) == ()
    (note,) = unjudged(["a", "b", "c"], 1)
    assert note == "The labels are for the output b; a, c are neither trained nor judged."
