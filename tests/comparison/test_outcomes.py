import numpy as np
import pytest

from pruning.comparison.outcomes import outcomes


def test_classification_by_hand() -> None:
    targets = np.array([0, 1, 1, 0])
    before = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8]], np.float32)
    after = np.array([[0.6, 0.4], [0.1, 0.9], [0.9, 0.1], [0.4, 0.6]], np.float32)
    found = outcomes("classification", targets, before, after, ("cat", "dog"))
    assert [entry.outcome for entry in found] == ["both right", "fixed", "broken", "both wrong"]
    assert [entry.truth for entry in found] == ["cat", "dog", "dog", "cat"]
    assert found[1].before.words == "cat"
    assert found[1].after.words == "dog"
    assert found[1].after.confidence == pytest.approx(0.9, abs=1e-6)


def test_one_output_is_two_classes() -> None:
    before = np.array([[0.5], [0.49]], np.float32)
    found = outcomes("classification", np.array([1, 1]), before, before, ("no", "yes"), "sigmoid")
    assert [entry.after.words for entry in found] == ["yes", "no"]
    assert [entry.outcome for entry in found] == ["both right", "both wrong"]


def test_logits_become_confidences() -> None:
    logits = np.array([[0.0, np.log(3)]], np.float32)
    (found,) = outcomes("classification", np.array([1]), logits, logits, (), "linear")
    assert found.truth == "class 1"
    assert found.after.confidence == pytest.approx(0.75, abs=1e-6)


def test_sequence_counts_right_steps() -> None:
    targets = np.array([[0, 1, 0]])
    before = np.eye(2, dtype=np.float32)[[[0, 1, 1]]]
    after = np.eye(2, dtype=np.float32)[[[0, 1, 0]]]
    (found,) = outcomes("classification", targets, before, after, ("a", "b"), "softmax")
    assert (found.before.words, found.after.words) == ("2 of 3 steps right", "3 of 3 steps right")
    assert found.outcome == "fixed"


def test_a_picture_counts_as_right_with_more_right_pixels_than_before_s_median_one() -> None:
    """Hardly any has every pixel right: all were "both wrong", and none could be looked for."""
    targets = np.zeros((3, 2, 2), int)
    right = [1, 2, 3], [3, 2, 2]  # of 4, before and after; the median before is 2
    sides = []
    for counts in right:
        wrong = np.array([[k >= n for k in range(4)] for n in counts], int).reshape(3, 2, 2)
        sides.append(np.eye(2, dtype=np.float32)[wrong])
    found = outcomes("classification", targets, *sides, ("a", "b"), "softmax")
    assert [entry.outcome for entry in found] == ["fixed", "both wrong", "broken"]
    assert found[0].after.words == "3 of 4 labels right"
    perfect = np.eye(2, dtype=np.float32)[targets]
    found = outcomes("classification", targets, perfect, perfect, ("a", "b"), "softmax")
    assert {entry.outcome for entry in found} == {"both right"}


def test_multilabel_is_right_with_every_label() -> None:
    targets = np.array([[1, 0, 1], [0, 0, 0]])
    before = np.array([[0.9, 0.2, 0.4], [0.1, 0.1, 0.1]], np.float32)
    after = np.array([[0.9, 0.2, 0.6], [0.1, 0.7, 0.1]], np.float32)
    first, second = outcomes("multilabel", targets, before, after, ("x", "y", "z"), "sigmoid")
    assert (first.truth, first.before.words, first.outcome) == ("x, z", "x", "fixed")
    assert (second.truth, second.after.words, second.outcome) == ("(none)", "y", "broken")


def test_regression_is_right_below_the_median_error_of_before() -> None:
    targets = np.array([1.0, 2.0, 3.0])
    before = np.array([[1.1], [2.5], [4.0]], np.float32)  # errors .1 .5 1 -> median .5
    after = np.array([[2.0], [2.1], [3.2]], np.float32)
    found = outcomes("regression", targets, before, after, ())
    assert [entry.outcome for entry in found] == ["broken", "both right", "fixed"]
    assert found[0].truth == "1"
