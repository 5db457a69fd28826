import numpy as np
import pytest

from pruning.analysis.readings import (
    class_probabilities,
    label_probabilities,
    reading_of,
    sigmoid,
)


@pytest.mark.parametrize(
    ("predictions", "activation", "reading"),
    [
        ([[0.2, 0.8]], None, "probabilities"),
        ([[0.2, 0.7]], None, "logits"),
        ([[0.2, 0.7]], "sigmoid", "probabilities"),
        ([[-1.0, 2.0]], None, "logits"),
        ([[0.3]], None, "probabilities"),
        ([[0.3]], "linear", "logits"),
        ([[1.3]], None, "logits"),
        ([[0.2, 0.8]], "linear", "probabilities"),
    ],
)
def test_reading(predictions, activation, reading) -> None:
    assert reading_of(np.array(predictions, np.float32), activation) == reading


def test_class_probabilities_by_hand() -> None:
    one = class_probabilities(np.array([[0.25]]), "probabilities")
    assert one.tolist() == [[0.75, 0.25]]
    logit = class_probabilities(np.array([[np.log(3.0)]]), "logits")
    assert logit == pytest.approx(np.array([[0.25, 0.75]]))
    logits = class_probabilities(np.log([[1.0, 2.0, 5.0]]), "logits")
    assert logits == pytest.approx(np.array([[0.125, 0.25, 0.625]]))
    per_class = class_probabilities(np.array([[0.5, 0.5, 1.0], [0, 0, 0]]), "probabilities")
    assert per_class == pytest.approx(np.array([[0.25, 0.25, 0.5], [1 / 3, 1 / 3, 1 / 3]]))


def test_large_logits_do_not_overflow() -> None:
    with np.errstate(over="raise", invalid="raise"):
        assert class_probabilities(np.array([[1e4, -1e4]]), "logits").tolist() == [[1.0, 0.0]]
        assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_label_probabilities() -> None:
    values = np.array([[0.0, np.log(3.0)]])
    assert label_probabilities(values, "logits") == pytest.approx(np.array([[0.5, 0.75]]))
    assert label_probabilities(values, "probabilities") is not values
    assert label_probabilities(values, "probabilities").tolist() == values.tolist()
