"""By how much the loss changes, to first order, when a channel's readers read zeros: signed.

``loss_changes`` is (channels, samples) for each place: for one sample, the sum over positions of
value × ∂ loss / ∂ value. That is the derivative of the loss by a factor in front of the channel,
the gate of https://arxiv.org/abs/1906.10771.

Channels that no tensor of the graph holds (heads of attention, units inside a wrapped model) are
read by weights: there the same number is the sum of weight × ∂ loss / ∂ weight over the weights
that read the channel, sample by sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration._base import Found, Gatherer, Samples, Watch
from pruning.analysis.calibration._places import NO_PLACE, Place, places
from pruning.analysis.calibration._running import Gradients, Probe
from pruning.analysis.groups import read_rows

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis


def gather(analysis: Analysis, samples: Samples | None, watch: Watch) -> Found:
    """Look at all places batch by batch, then at what has no place sample by sample."""
    assert samples is not None
    where = places(analysis)
    hidden = [group for group, listed in where.items() if not listed]
    weight = 0.2 if hidden else 1.0  # of the first part in the time, roughly
    found = Found()
    wanted = [(group, place) for group, listed in where.items() for place in listed]
    if wanted:
        first = Watch(lambda share, words: watch.report(share * weight, words), watch.should_stop)
        arrays = _at_places(analysis, [place for _, place in wanted], samples, first)
        for (group, _), array in zip(wanted, arrays, strict=True):
            found.channels.setdefault(group, []).append(array)
    if hidden:
        rest = Watch(
            lambda share, words: watch.report(weight + share * (1 - weight), words),
            watch.should_stop,
        )
        _by_readers(analysis, hidden, samples, rest, found)
    return found


def _at_places(
    analysis: Analysis, where: list[Place], samples: Samples, watch: Watch
) -> list[np.ndarray]:
    """-> (channels, samples) for each place."""
    probe = Probe(analysis, where)
    parts: list[list[np.ndarray]] = [[] for _ in where]
    done = 0
    assert samples.losses is not None
    for inputs, targets in samples.batches():
        for part, values in zip(parts, probe.gated(inputs, targets, samples.losses), strict=True):
            part.append(values)
        done += len(inputs[0])
        watch.seen(done, len(samples), "first-order changes of the loss")
    return [np.concatenate(part).T for part in parts]


def _by_readers(
    analysis: Analysis, groups: list[str], samples: Samples, watch: Watch, found: Found
) -> None:
    """Fill in the groups that have no place."""
    assert samples.losses is not None
    losses = samples.losses
    roots = analysis.channels.roots
    readers: dict[int, tuple[Any, list[tuple[str, Any]]]] = {}
    for record in analysis.layers:
        for index, axes in record.weights.items():
            read = {n for atoms in axes.reads.values() for n in analysis.channels.ids(atoms)}
            for group in sorted(read & set(groups)):
                variable = record.variables[index]
                readers.setdefault(id(variable), (variable, []))[1].append((group, axes))
    changes: dict[str, list[np.ndarray]] = {}
    gradients = Gradients(analysis, [variable for variable, _ in readers.values()])
    values = [np.asarray(variable.numpy(), np.float32) for variable, _ in readers.values()]
    for done, (inputs, targets) in enumerate(samples.batches(1), start=1):
        totals: dict[str, np.ndarray] = {}
        slopes = gradients.of(lambda outputs, y: losses(y, outputs), inputs, targets)
        for (_, uses), value, slope in zip(readers.values(), values, slopes, strict=True):
            for group, axes in uses:
                rows = read_rows(value * slope, axes, analysis.channels.members[group], roots)
                if rows is not None:
                    totals[group] = totals.get(group, 0) + rows.sum(axis=1)
        for group, total in totals.items():
            changes.setdefault(group, []).append(total)
        watch.seen(done, len(samples), "first-order changes inside layers")
    for group in groups:
        if group in changes:
            found.channels[group] = [np.stack(changes[group], axis=1)]
        else:
            found.reasons[group] = NO_PLACE


GATHERER = Gatherer("loss_changes", "channel", gather, samples=True, labels=True)
