from __future__ import annotations

import numpy as np
import pytest

from pruning.comparison import latency_before
from pruning.comparison.latency import summary
from pruning.comparison.latency_before import fixed_share, time_before
from pruning.comparison.result import Latency
from pruning.frameworks._base import framework
from tests.models import FAMILIES, build, keras_of, samples
from tests.surgery.cases import analysed, flops_of

NOTHING = Latency(None, None, 0, note="Not measured")


def one(model) -> list[np.ndarray]:
    return [array[:1] for array in samples(model)]


@pytest.mark.parametrize(
    ("latency", "flops", "expected"),
    [(0.25, 0.25, 0.0), (0.625, 0.25, 0.5), (1.0, 0.25, 1.0), (1.1, 0.5, 1.0), (0.2, 0.25, 0.0)],
)
def test_the_line_through_the_whole_model_and_the_cut(latency, flops, expected) -> None:
    assert fixed_share(latency, flops) == pytest.approx(expected)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["residual_identity", "lstm"])
def test_a_cut_is_timed_beside_the_whole_model(name, family, monkeypatch) -> None:
    model, seen = build(name, family), []

    def measure(before, after, sample):
        seen.append((before, after))
        return summary([8.0]), summary([6.0])

    monkeypatch.setattr(latency_before, "measure", measure)
    latency, fixed = time_before(analysed(model, family), one(model))
    ((before, smaller),) = seen
    assert before is model
    assert latency.median_ms == 8.0
    left = flops_of(smaller, framework(family)) / flops_of(model, framework(family))
    assert 0.3 < left < 0.7
    assert fixed == pytest.approx(max(0, (0.75 - left) / (1 - left)))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_small_model_is_really_timed(family: str) -> None:
    model = build("plain", family)
    latency, fixed = time_before(analysed(model, family), one(model))
    assert latency.median_ms is not None
    assert latency.median_ms > 0
    assert 0 <= fixed <= 1


def test_where_nobody_can_tell_all_of_it_is_said_to_shrink(monkeypatch) -> None:
    monkeypatch.setattr(latency_before, "measure_one", lambda model, sample: summary([3.0]))
    keras = keras_of("keras3")
    frozen = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    assert time_before(analysed(frozen, "keras3"), one(frozen)) == (summary([3.0]), 0.0)
    model = build("plain", "keras3")
    monkeypatch.setattr(latency_before, "measure", lambda *models: (NOTHING, NOTHING))
    assert time_before(analysed(model, "keras3"), one(model)) == (summary([3.0]), 0.0)
    monkeypatch.setattr(latency_before, "measure", lambda *models: 1 / 0)
    monkeypatch.setattr(latency_before, "SMALL", 10)
    assert time_before(analysed(model, "keras3"), one(model)) == (summary([3.0]), 0.0)
