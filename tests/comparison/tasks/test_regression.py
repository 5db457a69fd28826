import numpy as np
import pytest

from pruning.comparison.tasks.regression import TASK
from pruning.errors import MismatchError


def test_scores_by_hand() -> None:
    targets = np.array([1.0, 2.0, 3.0, 6.0])
    scores = TASK.scores(targets, np.array([[1.0], [3.0], [3.0], [4.0]]), "logits")
    assert scores.metric == "mae"
    assert scores.value.value == 0.75
    assert scores.loss == 1.25
    assert scores.chance == 1.5  # |1-3|, |2-3|, 0, 3
    assert scores.details == {"rmse": pytest.approx(1.25**0.5), "r2": pytest.approx(1 - 5 / 14)}


def test_a_constant_target_has_no_r2() -> None:
    scores = TASK.scores(np.ones(3), np.ones((3, 1)), "logits")
    assert scores.details == {"rmse": 0.0}


def test_outputs_of_a_sample_are_one_value() -> None:
    targets = np.zeros((2, 2))
    scores = TASK.scores(targets, np.array([[1.0, 3.0], [0.0, 0.0]]), "logits")
    assert scores.value.value == 1.0
    assert (scores.value.low, scores.value.high) == (0.0, 2.0)


def test_pairing_makes_the_interval_narrow() -> None:
    generator = np.random.default_rng(0)
    targets = generator.normal(size=400)
    before = targets + generator.normal(size=400)
    after = targets + (before - targets) * 1.01
    paired = TASK.pair(targets, before[:, None], after[:, None], "logits", [])
    assert paired.difference.value == pytest.approx(0.01 * np.abs(before - targets).mean())
    # All errors grow by 1 %: that is sure, although the errors themselves vary.
    assert paired.difference.low > 0
    assert paired.both_right is None


def test_sizes_must_fit() -> None:
    with pytest.raises(MismatchError, match="gives 2 values"):
        TASK.check(np.zeros((3, 1)), np.zeros((3, 2)))
    TASK.check(np.zeros(3), np.zeros((3, 1)))


def test_each_samples_loss_is_its_mean_squared_error() -> None:
    found = TASK.losses(np.array([[1, 2], [3, 4]]), np.array([[2, 2], [3, 1]]), "numbers")
    np.testing.assert_array_equal(found, [0.5, 4.5])
