"""What a run does before it trains, as steps that are done whole or leave the work as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pruning.intake.dataset import Dataset
from pruning.runs import steps
from pruning.runs.narrowing import Narrowing, narrows
from pruning.runs.work import Work
from pruning.strategy.plan import PruningPlan

Step = Callable[[Work], Any]
# Layers over time whose graph is made ahead: about a second each, with nobody listening meanwhile.
MOST_LOOPS = 4


def preparation(plan: PruningPlan, *, with_data: bool) -> tuple[Step, ...]:
    """The steps that this plan needs before its training, in order."""
    possible: dict[Step, bool] = {
        _answer: with_data and distils(plan),
        _narrow: with_data and narrows(plan),
        **dict.fromkeys(_pruning(plan), not (with_data and narrows(plan))),
        _recalibrate: with_data and recalibrates(plan),
    }
    return tuple(step for step, needed in possible.items() if needed)


def ahead(plan: PruningPlan, *, with_data: bool) -> tuple[Step, ...]:
    """The same, and what a run does not do by itself: have its training's graph made."""
    trains = with_data and plan.training.epochs > 0
    return (*preparation(plan, with_data=with_data), *((_make_ready,) if trains else ()))


def recalibrates(plan: PruningPlan) -> bool:
    """Whether BatchNormalization is measured again: not without retraining, nor for zeros."""
    return plan.recalibrate and plan.method != "weights" and plan.training.epochs > 0


def distils(plan: PruningPlan) -> bool:
    """Whether retraining learns from the original's answers, too."""
    return plan.training.distillation > 0 and plan.training.epochs > 0


def _pruning(plan: PruningPlan) -> tuple[Step, ...]:
    if plan.method == "channels":
        return (steps.cut, steps.check)
    if plan.method == "layers":
        return (steps.remove, steps.check_removal)
    return (steps.mask,)


def _data(work: Work) -> Dataset:
    assert work.data is not None
    return work.data


def _answer(work: Work) -> None:
    steps.answer(work, _data(work))


def _recalibrate(work: Work) -> None:
    steps.recalibrate(work, _data(work))


def _make_ready(work: Work) -> None:
    """Of a training that begins with its graph, and whose graph is made soon."""
    from pruning.frameworks.running import loops_over_time
    from pruning.training import graph_comes_first

    framework = work.before.framework
    if not graph_comes_first(work.model, framework, work.plan):
        return
    if loops_over_time(work.model, framework) <= MOST_LOOPS:
        steps.make_ready(work, _data(work))


def _narrow(work: Work) -> None:
    narrowing = Narrowing(work, _data(work))
    last = narrowing.begin()
    steps.cut(last)
    steps.check(last)
    narrowing.finish(last)
