import numpy as np
import pytest

from pruning.comparison import latency
from pruning.comparison.latency import interleaved, measure, summary
from tests.models import FAMILIES, build, samples


class Clock:
    """Seconds that pass only when a call takes them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_runs_alternate_and_so_does_who_goes_first() -> None:
    clock, order = Clock(), []

    def call(name: str, seconds: float) -> None:
        order.append(name)
        clock.now += seconds

    times = interleaved([lambda: call("b", 0.25), lambda: call("a", 0.125)], clock=clock)
    # One warm-up round fills 0.25 s; then 3 s hold rounds of 0.375 s, and 10 are the least.
    assert order == ["b", "a"] + ["b", "a", "a", "b"] * 5
    assert times == [[250.0] * 10, [125.0] * 10]


def test_fast_models_stop_at_the_most_runs() -> None:
    clock = Clock()

    def call() -> None:
        clock.now += 0.001

    (times,) = interleaved([call], clock=clock)
    assert len(times) == latency.MOST_RUNS


def test_a_stop_keeps_what_was_measured() -> None:
    clock, answers = Clock(), iter([False] * 4 + [True] * 9)

    def call() -> None:
        clock.now += 0.125

    (times,) = interleaved([call], clock=clock, should_stop=lambda: next(answers))
    assert times == [125.0, 125.0]
    assert summary([]).median_ms is None


def test_summary() -> None:
    result = summary([float(value) for value in range(101)])
    assert (result.median_ms, result.p95_ms, result.runs) == (50.0, 95.0, 101)
    assert result.samples_ms[:2] == (0.0, 1.0)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["residual_identity", "lstm"])
def test_models_of_both_kerases_are_timed(family: str, name: str, monkeypatch) -> None:
    monkeypatch.setattr(latency, "MOST_RUNS", 12)
    monkeypatch.setattr(latency, "WARM_UP_SECONDS", 0.0)
    model = build(name, family)
    before, after = measure(model, model, samples(model, 1))
    assert (before.runs, after.runs) == (12, 12)
    assert 0 < before.median_ms <= before.p95_ms
    assert 0 < after.median_ms <= after.p95_ms
    assert before.note == ""


def test_what_does_not_convert_is_a_note() -> None:
    import keras
    import tensorflow as tf

    class Custom(keras.layers.Layer):
        def call(self, x):
            return tf.ensure_shape(tf.py_function(lambda v: v, [x], tf.float32), (None, 2))

        def compute_output_shape(self, shape):
            return shape

    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    odd = keras.Sequential([keras.Input((2,)), Custom()])
    before, after = measure(plain, odd, [np.zeros((1, 2), np.float32)])
    assert before.median_ms is None
    assert after.median_ms is None
    assert after.note.startswith("Not measured: the model after does not ")
