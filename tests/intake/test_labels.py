"""Labels as people write them become targets, and come back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.errors import DataFileError, MismatchError
from pruning.intake import labels
from pruning.intake.labels import Expected

NOTHING = Expected()
names = st.lists(st.text(min_size=1, max_size=5), min_size=2, max_size=30).filter(
    lambda found: len(set(found)) > 1
)
numbers = st.lists(st.integers(0, 6), min_size=2, max_size=40).filter(lambda y: len(set(y)) > 1)


@given(names)
def test_names_round_trip(found: list[str]) -> None:
    targets = labels.from_names(found, NOTHING)
    assert [targets.classes[i] for i in targets.y] == found
    assert list(targets.classes) == sorted(set(found))


@given(numbers)
def test_numbers_one_hot_and_names_agree(y: list[int]) -> None:
    plain = labels.from_array(np.array(y, np.uint8), NOTHING)
    assert plain.task == "classification"
    assert plain.y.tolist() == y
    assert plain.classes == tuple(map(str, range(max(y) + 1)))
    one_hot = labels.from_array(np.eye(max(y) + 1, dtype=np.float32)[y], NOTHING)
    assert (one_hot.task, one_hot.y.tolist()) == ("classification", y)
    assert one_hot.classes == plain.classes
    column = labels.from_array(np.array(y)[:, np.newaxis], NOTHING)
    assert column.y.tolist() == y


@given(numbers)
def test_whole_numbers_in_a_table_are_classes_in_their_order(y: list[int]) -> None:
    targets = labels.from_cells([[str(value) for value in y]], ["label"], NOTHING)
    assert [int(targets.classes[i]) for i in targets.y] == y
    assert list(targets.classes) == sorted(targets.classes, key=int)


def test_an_expected_order_of_classes_is_kept() -> None:
    targets = labels.from_names(["a", "c", "a"], Expected(classes=("c", "b", "a")))
    assert (targets.y.tolist(), targets.classes) == ([2, 0, 2], ("c", "b", "a"))


def test_a_name_outside_the_expected_classes_is_refused() -> None:
    with pytest.raises(DataFileError, match="'d' is not among the 2 named classes"):
        labels.from_names(["a", "d"], Expected(classes=("a", "b")))


def test_numbered_folders_follow_keras_and_say_so() -> None:
    targets = labels.from_names([str(i) for i in range(11)], NOTHING)
    assert targets.classes[:3] == ("0", "1", "10")
    assert "Keras's order: 0, 1, 10, 2" in targets.notes[0]


def test_numbers_of_named_classes_in_a_table() -> None:
    targets = labels.from_cells([["0", "2", "1"]], ["label"], Expected(classes=("x", "y", "z")))
    assert (targets.y.tolist(), targets.classes) == ([0, 2, 1], ("x", "y", "z"))


@pytest.mark.parametrize(
    ("cells", "expected", "task"),
    [
        (["1", "2", "1"], NOTHING, "classification"),
        (["1.0", "2.0", "1.0"], NOTHING, "classification"),
        (["1.5", "2.0", "1.0"], NOTHING, "regression"),
        (["1", "2", "1"], Expected(task="regression"), "regression"),
        (["1.5", "2.0", "1.5"], Expected(task="classification"), "classification"),
        (["1", "2", "3"], Expected(outputs=(1,)), "regression"),
        (["0", "1", "1"], Expected(outputs=(1,)), "classification"),
    ],
)
def test_the_task_of_a_column(cells: list[str], expected: Expected, task: str) -> None:
    assert labels.from_cells([cells], ["label"], expected).task == task


def test_several_columns_are_labels_or_numbers() -> None:
    flags = labels.from_cells([["0", "1", "1"], ["1", "1", "0"]], ["a", "b"], NOTHING)
    assert (flags.task, flags.classes) == ("multilabel", ("a", "b"))
    assert flags.y.tolist() == [[0, 1], [1, 1], [1, 0]]
    values = labels.from_cells([["0.5", "1"], ["1", "2"]], ["a", "b"], NOTHING)
    assert (values.task, values.classes) == ("regression", ())
    assert values.y.tolist() == [[0.5, 1], [1, 2]]


@pytest.mark.parametrize(
    ("y", "expected", "task", "shape"),
    [
        (np.array([[1, 0], [1, 1]]), NOTHING, "multilabel", (2, 2)),
        (np.array([[0, 1, 2], [2, 1, 0]]), NOTHING, "classification", (2, 3)),
        (np.array([[0, 1], [1, 1]]), Expected(outputs=(2, 2)), "classification", (2, 2)),
        (np.array([[1, 0], [1, 1]]), Expected(outputs=(2,)), "multilabel", (2, 2)),
        (np.eye(4)[None] > 0, Expected(outputs=(4, 4, 2)), "classification", (1, 4, 4)),
        (
            np.eye(4)[None, ..., None],
            Expected(outputs=(4, 4, 1), activation="sigmoid"),
            "classification",
            (1, 4, 4),
        ),
        (np.eye(3)[[[0, 1], [2, 0]]], Expected(outputs=(2, 3)), "classification", (2, 2)),
        (np.array([0.5, 1.5]), NOTHING, "regression", (2,)),
        (np.array([[0.5], [1.5]]), NOTHING, "regression", (2,)),
        (np.array([0.0, 1.0]), NOTHING, "regression", (2,)),
        (np.array([0.0, 1.0]), Expected(activation="sigmoid"), "classification", (2,)),
        (np.array([0.0, 2.0]), Expected(activation="softmax"), "classification", (2,)),
        (np.array([30, 41, 7]), Expected(outputs=(1,)), "regression", (3,)),
        (np.array([False, True]), NOTHING, "classification", (2,)),
        (np.array(["no", "yes"]), NOTHING, "classification", (2,)),
        (np.array([3, 4]), Expected(task="regression"), "regression", (2,)),
    ],
)
def test_the_task_of_an_array(
    y: np.ndarray, expected: Expected, task: str, shape: tuple[int, ...]
) -> None:
    targets = labels.from_array(y, expected)
    assert (targets.task, targets.y.shape) == (task, shape)


def test_one_hot_steps_become_numbers() -> None:
    steps = np.array([[0, 1], [2, 0]])
    targets = labels.from_array(np.eye(3, dtype=np.uint8)[steps], Expected(outputs=(2, 3)))
    assert np.array_equal(targets.y, steps)
    assert targets.classes == ("0", "1", "2")


def test_outputs_without_samples_are_classes_too() -> None:
    targets = labels.from_array(np.array([0, 3]), Expected(outputs=(10,)))
    assert targets.classes == tuple(map(str, range(10)))
    assert targets.notes == ("The labels reach 3; the model's 10 outputs are taken as classes.",)


def test_one_hot_rows_have_their_own_number_of_classes() -> None:
    targets = labels.from_array(np.eye(8)[[0, 3]], Expected(outputs=(10,)))
    assert (targets.y.tolist(), len(targets.classes)) == ([0, 3], 8)


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
@pytest.mark.parametrize("encoding", [None, "utf-8"])
def test_names_in_arrays(shape: tuple[int, ...], encoding: str | None) -> None:
    names = [" café", "tea", "café", "tea "]
    y = np.array([name.encode(encoding) if encoding else name for name in names]).reshape(shape)
    targets = labels.from_array(y, NOTHING)
    assert (targets.y.tolist(), targets.classes) == ([0, 1, 0, 1], ("café", "tea"))


@pytest.mark.parametrize(
    ("y", "expected", "words"),
    [
        (np.array([-1, 1]), NOTHING, "label -1 is out of range"),
        (np.array([0, 5]), Expected(classes=("a", "b")), "label 5 is out of range"),
        (np.array([1, 1, 1]), NOTHING, "belong to one class, '1'"),
        (np.array([0.0, np.nan]), NOTHING, "1 value of the labels is NaN or infinite"),
        (np.array([0.0, np.inf]), NOTHING, "NaN or infinite, the first at \\[1\\]"),
        (np.array([1j, 2]), NOTHING, "type complex128"),
        (np.array([0.5, 1]), Expected(task="classification"), "label 0.5 is out of range"),
        (np.array([0, 1]), Expected(task="multilabel"), "rows of 0 and 1"),
        (np.array([[0, 1], [1, 1]]), Expected(classes=("a",)), "1 class names .* 2 labels"),
        (np.array(7), NOTHING, "shape \\(\\)"),
        (np.array([0, 1, 10**9]), NOTHING, "label 1,000,000,000 is out of range"),
        (np.array([["a", "b"], ["b", "a"]]), NOTHING, "names, in the shape \\(2, 2\\)"),
        (np.array([b"\xe9", b"b"]), NOTHING, "cannot be read as text"),
        (np.array([0x110000, 97], "u4").view("U1"), NOTHING, "cannot be read as text"),
    ],
)
def test_labels_that_cannot_be_used(y: np.ndarray, expected: Expected, words: str) -> None:
    with pytest.raises(DataFileError, match=words):
        labels.from_array(y, expected)


@pytest.mark.parametrize(
    ("columns", "expected", "words"),
    [
        ([["a", "", "b"]], NOTHING, "Row 2 has no value in the column 'label'"),
        ([["a", "a"]], NOTHING, "belong to one class, 'a'"),
        ([["1", "x"]], Expected(task="regression"), "'x' in the column 'label' is not a number"),
        ([["1.5", "nan"]], NOTHING, "NaN or infinite"),
        ([["1.5", "inf"]], NOTHING, "NaN or infinite"),
    ],
)
def test_cells_that_cannot_be_used(
    columns: list[list[str]], expected: Expected, words: str
) -> None:
    with pytest.raises(DataFileError, match=words):
        labels.from_cells(columns, ["label"], expected)


@pytest.mark.parametrize(("tokens", "named"), [([0, 50], "50"), ([-1, 3], "-1")])
def test_tokens_outside_the_embedding_are_refused(tokens: list[int], named: str) -> None:
    with pytest.raises(MismatchError, match=f"has the token {named}; .* 50 entries"):
        labels.check_tokens("row 1", np.array(tokens), 50)
    labels.check_tokens("row 1", np.array([0, 49]), 50)
