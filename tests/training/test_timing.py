"""The time of a training step, before beside after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pruning.frameworks._base import framework
from pruning.training import step_seconds, timing
from tests.training.toy import dense_model, plan_for, separable


@pytest.mark.parametrize("family", ["keras3", "tf_keras"])
def test_step_seconds_leaves_the_model_alone(family, tmp_path):
    model = dense_model(family)
    before = model.get_weights()
    [seconds] = step_seconds([model], framework(family), separable(tmp_path), plan_for())
    assert 0 < seconds < 5
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(old, new)


def test_models_make_their_steps_by_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy for a while must not make one of them look slow."""
    steps: list[str] = []
    monkeypatch.setattr(timing, "_step", lambda model, *rest: lambda: steps.append(model))
    found = step_seconds(["before", "after"], None, separable(tmp_path), plan_for())
    assert len(found) == 2
    assert steps == ["before"] * 3 + ["after"] * 3 + ["before", "after"] * 15


def test_a_slow_model_is_measured_on_fewer_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 10_000, 6))  # each look at the clock is six seconds after the last
    monkeypatch.setattr(timing.time, "perf_counter", lambda: float(next(now)))
    monkeypatch.setattr(timing, "_step", lambda *_: lambda: None)
    assert step_seconds(["before", "after"], None, separable(tmp_path), plan_for()) == [6.0, 6.0]
    assert next(now) < 100
