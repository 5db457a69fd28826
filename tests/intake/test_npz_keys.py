"""The keys of an .npz say which arrays are inputs, labels and splits."""

from pathlib import Path

import numpy as np
import pytest

from pruning.errors import DataFileError, MismatchError
from pruning.intake.npz import open_npz
from pruning.intake.npz_keys import Keys, Pair, find_keys


def keys_of(tmp_path: Path, **shapes: int) -> tuple[Pair, ...]:
    path = tmp_path / "a.npz"
    np.savez(path, **{key: np.zeros((count, 2)) for key, count in shapes.items()})
    with open_npz(path) as opened:
        return find_keys(opened).pairs


def test_all_splits(tmp_path: Path) -> None:
    found = keys_of(tmp_path, x_test=1, y_test=1, x_train=3, y_train=3, x_val=2, y_val=2)
    assert found == (
        Pair(("x_train",), "y_train", 0),
        Pair(("x_val",), "y_val", 1),
        Pair(("x_test",), "y_test", 2),
    )


def test_one_pair_to_be_split(tmp_path: Path) -> None:
    assert keys_of(tmp_path, X=3, y=3, extra=1) == (Pair(("X",), "y", None),)


def test_keras_own_files_have_no_validation(tmp_path: Path) -> None:
    found = keys_of(tmp_path, x_train=3, y_train=3, x_test=2, y_test=2)
    assert [pair.split for pair in found] == [0, 2]


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"x": 3, "y": 4}, "3 samples in x and 4 labels in y"),
        ({"x_train": 3}, "x_train and no y_train"),
        ({"x_test": 3, "y_test": 3}, "holds the arrays x_test, y_test"),
        ({"arr_0": 3, "arr_1": 3}, "holds the arrays arr_0, arr_1"),
        ({"x": 3, "y": 3, "x_test": 3, "y_test": 3}, "holds the arrays"),
        ({"x_val": 1, "y_val": 1, "x_dev": 1, "y_dev": 1}, "holds the arrays"),
        ({"x": 0, "y": 0}, "x in a.npz has no samples"),
    ],
)
def test_keys_that_do_not_make_data(tmp_path: Path, shapes: dict[str, int], words: str) -> None:
    with pytest.raises(DataFileError, match=words):
        keys_of(tmp_path, **shapes)


TWO = ("tokens", "mask")


def named(tmp_path: Path, wanted: tuple[str, ...], *keys: str, **shapes: int) -> Keys:
    path = tmp_path / "a.npz"
    counts = dict.fromkeys(keys, 3) | shapes
    np.savez(path, **{key: np.zeros((count, 2)) for key, count in counts.items()})
    with open_npz(path) as opened:
        return find_keys(opened, wanted)


def test_several_inputs_are_in_the_models_order(tmp_path: Path) -> None:
    found = named(
        tmp_path, TWO, "y_test", "x_test_mask", "x_test_tokens", "x_train_mask", "x_train_tokens",
        "y_train", "extra",
    )  # fmt: skip
    assert found.names == TWO
    assert found.pairs == (
        Pair(("x_train_tokens", "x_train_mask"), "y_train", 0),
        Pair(("x_test_tokens", "x_test_mask"), "y_test", 2),
    )
    assert found.of_input(1) == ["x_train_mask", "x_test_mask"]


def test_without_splits_and_in_other_letters(tmp_path: Path) -> None:
    found = named(tmp_path, ("Tokens", "mask"), "x_tokens", "X_Mask", "y")
    assert found == Keys(("Tokens", "mask"), (Pair(("x_tokens", "X_Mask"), "y", None),))


def test_the_labels_tell_splits_from_names(tmp_path: Path) -> None:
    """An input may be called after a split."""
    found = named(tmp_path, ("test_a", "val"), "x_test_a", "x_val", "y")
    assert found.pairs == (Pair(("x_test_a", "x_val"), "y", None),)
    found = named(tmp_path, ("test", "b"), "x_train_test", "x_train_b", "y_train")
    assert found.pairs == (Pair(("x_train_test", "x_train_b"), "y_train", 0),)


def test_numbers_count_the_models_inputs(tmp_path: Path) -> None:
    assert named(tmp_path, TWO, "x_1", "x_0", "y").pairs == (Pair(("x_0", "x_1"), "y", None),)
    # Inputs that are called by numbers are meant by name.
    found = named(tmp_path, ("1", "0"), "x_0", "x_1", "y")
    assert found.pairs == (Pair(("x_1", "x_0"), "y", None),)
    # Names that only their letters' case tells apart leave the numbers.
    assert named(tmp_path, ("a", "A"), "x_0", "x_1", "y").pairs[0].x == ("x_0", "x_1")


def test_without_a_model_the_file_decides(tmp_path: Path) -> None:
    found = named(tmp_path, (), "x_train_b", "x_train_a", "y_train", "x_val_a", "x_val_b", "y_val")
    assert found.names == ("b", "a")
    assert [pair.x for pair in found.pairs] == [("x_train_b", "x_train_a"), ("x_val_b", "x_val_a")]
    assert named(tmp_path, (), "x_10", "x_2", "y").names == ("2", "10")


def test_the_only_input_may_be_named_too(tmp_path: Path) -> None:
    assert named(tmp_path, ("tokens",), "x_tokens", "y").pairs == (Pair(("x_tokens",), "y", None),)


def test_one_input_ignores_other_arrays_as_ever(tmp_path: Path) -> None:
    found = named(tmp_path, ("image",), "x_train", "y_train", "x_train_mean")
    assert found == Keys((), (Pair(("x_train",), "y_train", 0),))


@pytest.mark.parametrize(
    ("keys", "error", "happened", "expected"),
    [
        (("x_train_tokens", "y_train"), MismatchError,
         r"no array x_train_mask\. The model has 2 inputs: tokens, mask\.\n",
         "x_train_tokens, x_train_mask"),
        (("x_tokens", "x_masc", "y"), MismatchError, r"no array x_mask\..* It has x_masc",
         "x_tokens, x_mask"),
        (("x_tokens", "x_mask", "x_age", "y"), MismatchError,
         r"has the array x_age\. The model has no such input, only tokens, mask", "x_tokens"),
        (("x_train", "y_train"), MismatchError,
         "one array of inputs, x_train; the model has 2 inputs: tokens, mask", "x_train_tokens"),
        (("x_0", "x_1", "x_2", "y"), MismatchError, r"no array x_tokens.* It has x_0, x_1, x_2",
         "x_tokens, x_mask"),
        (("x_tokens", "x_mask"), DataFileError, "holds the arrays x_tokens, x_mask",
         "x_train_tokens, x_train_mask, y_train"),
        (("x_test_tokens", "x_test_mask", "y_test"), DataFileError, "holds the arrays", "y_train"),
        (("x_train_tokens", "x_train_mask", "y_train", "x_test_mask"), DataFileError,
         "has the array x_test_mask and no y_test", "Labels for every array"),
    ],
)  # fmt: skip
def test_arrays_that_are_not_the_models_inputs(
    tmp_path: Path, keys: tuple[str, ...], error: type, happened: str, expected: str
) -> None:
    with pytest.raises(error, match=happened) as caught:
        named(tmp_path, TWO, *keys)
    assert expected in caught.value.expected
    assert caught.value.fix


def test_inputs_of_different_lengths(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="has 4 samples in x_mask and 3 labels in y"):
        named(tmp_path, TWO, "x_tokens", "y", x_mask=4)


def test_splits_with_different_inputs(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"no array x_val_b\. Another split has 2 inputs: a, b"):
        named(tmp_path, (), "x_train_a", "x_train_b", "y_train", "x_val_a", "y_val")
