import numpy as np
import pytest

from pruning.comparison.result import ClassScore
from pruning.comparison.tasks.multilabel import TASK, f1
from pruning.errors import MismatchError

TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]])
BEFORE = np.array([[0.9, 0.1, 0.2], [0.8, 0.4, 0.1], [0.3, 0.7, 0.1], [0.5, 0.1, 0.0]])
AFTER = np.array([[0.9, 0.1, 0.2], [0.2, 0.9, 0.1], [0.3, 0.7, 0.9], [0.5, 0.1, 0.0]])


def test_scores_by_hand() -> None:
    scores = TASK.scores(TRUTH, BEFORE, "probabilities")
    # F1: 3 of 3; 1 true positive, 1 missed = 2/3; a label nobody has and nobody says = 0.
    assert scores.metric == "macro_f1"
    assert scores.value.value == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert scores.value.low <= scores.value.value <= scores.value.high
    assert scores.details == {"subset_accuracy": 0.75}
    # Saying yes always: precision 3/4 and 1/2 at full recall.
    assert scores.chance == pytest.approx((2 * 0.75 / 1.75 + 2 * 0.5 / 1.5 + 0) / 3)
    given = np.where(TRUTH == 1, BEFORE, 1 - BEFORE)
    assert scores.loss == pytest.approx(-np.log(given).mean())


def test_pair_by_hand() -> None:
    paired = TASK.pair(TRUTH, BEFORE, AFTER, "probabilities", ["a", "b", "c"])
    assert paired.classes == (
        ClassScore("a", 3, 1.0, pytest.approx(0.8)),
        ClassScore("b", 2, pytest.approx(2 / 3), 1.0),
        ClassScore("c", 0, 0.0, 0.0),
    )
    assert paired.difference.value == pytest.approx((0.8 - 1 + 1 - 2 / 3) / 3)
    assert (paired.both_right, paired.only_before, paired.only_after, paired.both_wrong) == (
        2,
        1,
        0,
        1,
    )
    assert paired.confusion_before == ()


def test_weights_are_repeated_samples() -> None:
    generator = np.random.default_rng(0)
    truth, answer = generator.random((2, 12, 3)) > 0.5
    drawn = generator.integers(0, 12, 12)
    weights = np.bincount(drawn, minlength=12)[None].astype(float)
    repeated = f1(truth[drawn], answer[drawn], np.ones((1, 12)))
    assert f1(truth, answer, weights) == pytest.approx(repeated)


def test_one_output_per_label() -> None:
    with pytest.raises(MismatchError, match=r"\(2,\)"):
        TASK.check(TRUTH, np.zeros((4, 2)))
    TASK.check(TRUTH, BEFORE)


def test_each_samples_loss_is_the_mean_over_its_labels() -> None:
    predictions = np.array([[0.8, 0.4], [0.5, 0.5]], np.float32)
    found = TASK.losses(np.array([[1, 0], [0, 1]]), predictions, "probabilities")
    np.testing.assert_allclose(found, [-np.log(0.8 * 0.6) / 2, np.log(2)], rtol=1e-6)
