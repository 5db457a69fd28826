import pytest

from pruning.runs.pace import Pace, pace, retraining_seconds
from pruning.strategy.plan import Training


def test_no_step_yet() -> None:
    assert pace([]) is None
    assert pace([{"t": 1.0, "words": "starting"}]) is None


def test_one_line_tells_no_speed() -> None:
    assert pace([{"t": 1.0, "step": 3, "steps": 30, "epoch": 1}]) == Pace(3, 30, 1, None, None)


def test_speed_and_time_left_by_hand() -> None:
    lines = [
        {"t": 10.0, "step": 0, "steps": 100},
        {"t": 12.0, "step": 40, "steps": 100, "epoch": 2},
    ]
    found = pace(lines)
    assert found is not None
    assert found.steps_per_second == pytest.approx(20)
    assert found.seconds_left == pytest.approx(3)
    assert found.epoch == 2


def test_making_the_graph_is_not_taken_for_a_step() -> None:
    lines = [{"t": 10.0, "step": 1, "steps": 102}, {"t": 14.0, "step": 2, "steps": 102}]
    assert pace(lines) == Pace(2, 102, 0, None, None)
    found = pace([*lines, {"t": 15.0, "step": 22, "steps": 102}])
    assert found is not None
    assert found.steps_per_second == pytest.approx(20)
    assert found.seconds_left == pytest.approx(4)


def test_only_the_last_lines_count() -> None:
    slow = [{"t": 100.0 * i, "step": i, "steps": 1000} for i in range(30)]
    begin = slow[-1]["t"]
    fast = [{"t": begin + 0.1 * i, "step": 30 + 10 * i, "steps": 1000} for i in range(1, 31)]
    found = pace(slow + fast)
    assert found is not None
    assert found.steps_per_second == pytest.approx(100)


def test_a_retraining_before_any_run_by_hand() -> None:
    # 1,000 samples, 3 epochs, 2 ms an answer: 6 s of answers; half of that is left.
    assert retraining_seconds(0.002, 0.5, 1000, Training(epochs=3)) == pytest.approx((6.0, 21.0))
    # Ten times fewer FLOPs are not ten times faster.
    assert retraining_seconds(0.002, 0.1, 1000, Training(epochs=3)) == pytest.approx((3.6, 12.6))
    learned = Training(epochs=3, distillation=0.5)  # the original answers as well
    assert retraining_seconds(0.002, 0.5, 1000, learned) == pytest.approx((12.0, 27.0))
