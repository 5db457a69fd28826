"""When a model is no better than chance, and what is said then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pruning.comparison.near_chance import advice
from pruning.comparison.result import Interval, Scores
from tests.pages import prepared


@pytest.mark.parametrize(
    ("metric", "interval", "chance", "near"),
    [
        ("accuracy", Interval(0.12, 0.09, 0.15), 0.1, True),
        ("accuracy", Interval(0.2, 0.17, 0.23), 0.1, False),
        ("mae", Interval(0.9, 0.8, 1.1), 1.0, True),
        ("mae", Interval(0.5, 0.4, 0.6), 1.0, False),
    ],
)
def test_near_chance_is_judged_by_the_interval(metric, interval, chance, near):
    assert Scores(metric, interval, 1.0, chance).near_chance is near


@pytest.mark.parametrize(
    ("classes", "task", "words"),
    [
        (("cat", "dog"), "classification", "order of their names"),
        (("0", "1"), "classification", "class 0 has to be the model's first output"),
        ((), "regression", "its unit, its scaling"),
    ],
)
def test_near_chance_the_labels_are_looked_at_by_their_kind(classes, task, words):
    record = replace(prepared.manifest(prepared.IMAGE, (32, 32, 3)), classes=classes, task=task)
    assert words in advice(record)
