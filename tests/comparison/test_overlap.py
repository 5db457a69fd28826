import numpy as np
import pytest

from pruning.comparison.intervals import bootstrap
from pruning.comparison.overlap import overlap
from pruning.comparison.tasks.classification import TASK

# Two pictures of 2×2 pixels in three of four classes; nobody ever says class 3.
LABELS = np.array([[[0, 0], [1, 1]], [[0, 0], [0, 2]]])
BEFORE = np.array([[[0, 0], [1, 0]], [[0, 0], [0, 2]]])  # one pixel of class 1 is taken for 0
AFTER = np.array([[[0, 0], [0, 0]], [[0, 0], [2, 2]]])  # class 1 is gone, class 2 grew


def outputs(classes: np.ndarray) -> np.ndarray:
    return np.eye(4, dtype=np.float32)[classes]


def test_classes_by_hand() -> None:
    found = overlap(LABELS, BEFORE, 4)
    assert found.shared.tolist() == [[2, 1, 0, 0], [3, 0, 1, 0]]
    assert found.either.tolist() == [[3, 2, 0, 0], [3, 0, 1, 0]]
    np.testing.assert_equal(found.by_class(), [[5 / 6, 1 / 2, 1.0, np.nan]])
    assert found.mean()[0] == pytest.approx((5 / 6 + 1 / 2 + 1) / 3)


def test_pixels_are_counted_over_all_samples_and_samples_can_be_drawn_again() -> None:
    drawn = np.array([[2.0, 0.0], [0.0, 2.0]])  # the first picture twice, the second twice
    found = overlap(LABELS, AFTER, 4)
    np.testing.assert_equal(
        found.by_class(drawn), [[2 / 4, 0, np.nan, np.nan], [2 / 3, np.nan, 1 / 2, np.nan]]
    )
    np.testing.assert_allclose(found.mean(drawn), [1 / 4, (2 / 3 + 1 / 2) / 2])
    assert found.mean()[0] == pytest.approx((4 / 7 + 0 + 1 / 2) / 3)


@pytest.mark.parametrize("package", ["keras", "tf_keras"])
def test_mean_is_that_of_keras(package: str) -> None:
    keras = pytest.importorskip(package)
    generator = np.random.default_rng(0)
    labels, said = generator.integers(0, 5, (2, 6, 8, 8))  # of 7 classes two never occur
    metric = keras.metrics.MeanIoU(num_classes=7)
    metric.update_state(labels, said)
    assert overlap(labels, said, 7).mean()[0] == pytest.approx(float(metric.result()), rel=1e-6)


def test_scores_and_pair_of_masks_have_it() -> None:
    was, now = outputs(BEFORE), outputs(AFTER)
    scores = TASK.scores(LABELS, now, "probabilities")
    assert scores.value.value == 5 / 8
    assert scores.details == {"mean_iou": pytest.approx((4 / 7 + 1 / 2) / 3)}
    paired = TASK.pair(LABELS, was, now, "probabilities", ["a", "b", "c", "d"])
    sides = [overlap(LABELS, answers, 4) for answers in (BEFORE, AFTER)]
    assert paired.detail_differences == {
        "mean_iou": bootstrap(lambda w: sides[1].mean(w) - sides[0].mean(w), 2)
    }
    found = paired.detail_differences["mean_iou"]
    assert found.value == pytest.approx((4 / 7 + 1 / 2) / 3 - (5 / 6 + 1 / 2 + 1) / 3)
    assert found.low == found.value  # the first picture alone lost less, the second as well
    assert found.high == pytest.approx(1 / 4 - (2 / 3 + 1 / 2) / 2)  # the first, drawn twice
    overlaps = [(entry.iou_before, entry.iou_after) for entry in paired.classes]
    assert overlaps == [(5 / 6, 4 / 7), (1 / 2, 0.0), (1.0, 1 / 2), (None, None)]
    assert "iou_before" not in paired.classes[3].to_dict()


def test_a_mask_from_one_sigmoid_has_two_classes() -> None:
    labels = np.array([[[0, 1], [1, 1]]])
    said = np.array([[[[0.2], [0.9]], [[0.4], [0.5]]]], np.float32)  # classes 0 1 0 1
    expected = pytest.approx((1 / 2 + 2 / 3) / 2)
    assert TASK.scores(labels, said, "probabilities").details == {"mean_iou": expected}


def test_labels_of_samples_and_steps_have_none() -> None:
    for labels in (LABELS[:, 0, 0], LABELS[:, 0]):
        answers = outputs(labels)
        paired = TASK.pair(labels, answers, answers, "probabilities", [])
        assert TASK.scores(labels, answers, "probabilities").details == {}
        assert paired.detail_differences == {}
        assert all(entry.iou_after is None for entry in paired.classes)
