import numpy as np
import pytest

from pruning.comparison.intervals import paired_proportions, wilson
from pruning.comparison.result import ClassScore
from pruning.comparison.tasks.classification import TASK, confusion, predicted_classes
from pruning.errors import MismatchError

LABELS = np.array([0, 0, 1, 1, 2])
BEFORE = np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.1, 0.2, 0.7]]
)
AFTER = np.array(
    [[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.1, 0.6, 0.3], [0.4, 0.3, 0.3]]
)


def test_scores_by_hand() -> None:
    scores = TASK.scores(LABELS, BEFORE, "probabilities")
    assert scores.metric == "accuracy"
    assert scores.value == wilson(4, 5)
    assert scores.chance == 2 / 5
    assert scores.loss == pytest.approx(-np.log([0.7, 0.1, 0.5, 0.6, 0.7]).mean())


def test_pair_by_hand() -> None:
    paired = TASK.pair(LABELS, BEFORE, AFTER, "probabilities", ["cat", "dog", "owl"])
    # Sample 1 is fixed, samples 2 and 4 are broken.
    assert (paired.both_right, paired.only_before, paired.only_after, paired.both_wrong) == (
        2,
        2,
        1,
        0,
    )
    assert paired.difference == paired_proportions(2, 1, 5)
    assert "Tango" in paired.difference_method
    assert paired.classes == (
        ClassScore("cat", 2, 0.5, 1.0),
        ClassScore("dog", 2, 1.0, 0.5),
        ClassScore("owl", 1, 1.0, 0.0),
    )
    assert paired.confusion_before == ((1, 1, 0), (0, 2, 0), (0, 0, 1))
    assert paired.confusion_after == ((2, 0, 0), (1, 1, 0), (1, 0, 0))


def test_one_output_tells_two_classes_apart() -> None:
    labels, outputs = np.array([[0], [1], [1]]), np.array([[0.2], [0.5], [0.4]])
    assert predicted_classes(outputs, "probabilities").tolist() == [0, 1, 0]
    assert predicted_classes(np.array([[-0.1], [0.0]]), "logits").tolist() == [0, 1]
    TASK.check(labels, outputs)
    scores = TASK.scores(labels, outputs, "probabilities")
    assert scores.value == wilson(2, 3)
    assert scores.loss == pytest.approx(-np.log([0.8, 0.5, 0.4]).mean())
    paired = TASK.pair(labels, outputs, 1 - outputs, "probabilities", [])
    assert paired.confusion_before == ((1, 0), (1, 1))
    assert [entry.name for entry in paired.classes] == ["class 0", "class 1"]


def test_logits_and_their_softmax_score_alike() -> None:
    logits = np.random.default_rng(0).normal(size=(40, 4)) * 3
    exponents = np.exp(logits)
    labels = np.random.default_rng(1).integers(0, 4, 40)
    from_logits = TASK.scores(labels, logits, "logits")
    softmax = TASK.scores(labels, exponents / exponents.sum(axis=1, keepdims=True), "probabilities")
    assert from_logits.value == softmax.value
    assert from_logits.loss == pytest.approx(softmax.loss)


def test_steps_of_a_sample_count_as_answers_but_not_as_independent() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, (30, 20))
    outputs = np.eye(3)[labels]
    # Whole samples are wrong, as when one recording is hard.
    outputs[:6] = np.eye(3)[(labels[:6] + 1) % 3]
    scores = TASK.scores(labels, outputs, "probabilities")
    assert scores.value.value == 0.8
    independent = wilson(480, 600)
    assert scores.value.high - scores.value.low > 3 * (independent.high - independent.low)
    paired = TASK.pair(labels, outputs, np.eye(3)[labels], "probabilities", [])
    assert (paired.both_right, paired.only_after, paired.only_before) == (480, 120, 0)
    assert paired.difference.value == pytest.approx(0.2)
    assert paired.difference.low > 0
    assert "bootstrap" in paired.difference_method
    assert np.sum(paired.confusion_before) == 600


def test_confusion_counts_rows_true() -> None:
    assert confusion(np.array([0, 1, 1]), np.array([1, 1, 0]), 2).tolist() == [[0, 1], [1, 1]]


def test_huge_confusion_matrices_are_left_out() -> None:
    outputs = np.eye(300)[np.arange(10)]
    paired = TASK.pair(np.arange(10), outputs, outputs, "probabilities", [])
    assert paired.confusion_before == ()
    assert len(paired.classes) == 300


@pytest.mark.parametrize(
    ("labels", "outputs", "words"),
    [
        (np.array([0, 3]), np.zeros((2, 3)), "labels run from 0 to 3"),
        (np.array([-1, 0]), np.zeros((2, 3)), "labels run from -1 to 0"),
        (np.array([0, 2]), np.zeros((2, 1)), "the model has 2 classes"),
        (np.zeros((2, 4), int), np.zeros((2, 5, 3)), r"shape \(5, 3\)"),
        (np.zeros(2, int), np.zeros((2, 5, 3)), "one value"),
    ],
)
def test_targets_that_do_not_fit(labels, outputs, words) -> None:
    with pytest.raises(MismatchError, match=words):
        TASK.check(labels, outputs)


def test_each_samples_loss_is_the_mean_over_its_steps() -> None:
    """Cross-entropy: -ln of the true class's probability."""
    predictions = np.array([[[0.5, 0.5], [0.25, 0.75]], [[1.0, 0.0], [0.1, 0.9]]], np.float32)
    found = TASK.losses(np.array([[0, 1], [0, 0]]), predictions, "probabilities")
    wanted = [-(np.log(0.5) + np.log(0.75)) / 2, -np.log(0.1) / 2]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
