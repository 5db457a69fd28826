"""Statistics that criteria need from a model: one file each, found by name.

``statistics()`` is free of TensorFlow; ``gather`` runs in a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pruning.analysis.calibration._base import (
    KERNEL,
    Found,
    Gathered,
    Gatherer,
    Samples,
    Watch,
)
from pruning.analysis.calibration._evidence import Evidence, channel_evidence
from pruning.analysis.calibration._places import Place, places
from pruning.plugins import plugins

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

__all__ = [
    "KERNEL",
    "Evidence",
    "Found",
    "Gathered",
    "Gatherer",
    "Place",
    "Samples",
    "Watch",
    "channel_evidence",
    "gather",
    "needs_labels",
    "needs_samples",
    "places",
    "statistics",
]


@cache
def statistics() -> dict[str, Gatherer]:
    """All statistics by name."""
    found: dict[str, Gatherer] = {}
    for module in plugins(__name__):
        for gatherer in getattr(module, "GATHERERS", None) or (module.GATHERER,):
            found[gatherer.statistic] = gatherer
    return found


def needs_samples(needs: Collection[str]) -> bool:
    """Whether one of these statistics is gathered from calibration samples."""
    known = statistics()
    return any(name in known and known[name].samples for name in needs)


def needs_labels(needs: Collection[str]) -> bool:
    """Whether one of these statistics needs targets and a loss."""
    known = statistics()
    return any(name in known and known[name].labels for name in needs)


def gather(
    analysis: Analysis,
    needs: Collection[str],
    samples: Samples | None = None,
    watch: Watch | None = None,
) -> Gathered:
    """Gather statistics of a model.

    Args:
        analysis: Of the model; it is not changed.
        needs: Names of statistics; those that need no gathering (``kernel``) are passed over.
        samples: Calibration samples, when one of them needs some.
        watch: Told of the progress.

    Raises:
        Cancelled: The user asked to stop.
        ValueError: Samples, or their targets, are needed and were not given.
    """
    told = watch or Watch()
    known = statistics()
    wanted = [known[name] for name in dict.fromkeys(needs) if name in known]
    if samples is None and any(gatherer.samples for gatherer in wanted):
        raise ValueError("calibration samples are needed")
    if any(gatherer.labels for gatherer in wanted) and (
        samples is None or samples.losses is None or samples.targets is None
    ):
        raise ValueError("targets and a loss are needed")
    found = {}
    for number, gatherer in enumerate(wanted):
        part = replace(told, report=_share(told, number, len(wanted)))
        found[gatherer.statistic] = gatherer.gather(analysis, samples, part)
    used = len(samples) if samples is not None and any(g.samples for g in wanted) else 0
    return Gathered(found, used)


def _share(watch: Watch, number: int, count: int) -> Callable[[float, str], None]:
    return lambda fraction, words: watch.report((number + fraction) / count, words)
