"""What a waiting worker rehearses."""

from __future__ import annotations

import pytest

from pruning.runs import steps, warming
from pruning.runs.work import Work
from tests.models import FAMILIES, keras_of


@pytest.mark.parametrize("family", FAMILIES)
def test_a_rehearsal_is_a_pruning_up_to_its_first_training_step(family: str, monkeypatch) -> None:
    done = []

    def watched(work: Work, *others) -> None:
        retrain(work, *others)
        done.append(work)

    retrain = steps.retrain
    monkeypatch.setattr(steps, "retrain", watched)
    warming.rehearse.cache_clear()
    for _ in range(2):  # once for each Keras
        warming.rehearse(keras_of(family))
    (work,) = done
    assert work.before.framework.keras is keras_of(family)
    assert [len(kept) for kept in work.cut.kept.values()] == [1]  # of two filters
    assert work.self_check["max_abs_error"] <= 1e-5
    assert work.recalibration.layers == 1
    assert (work.training.steps, work.training.stopped) == (1, True)
