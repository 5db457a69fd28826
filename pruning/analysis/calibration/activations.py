"""What a group's channels hold while calibration samples run through the model.

``activation`` is the mean absolute value of each channel, ``zeros`` the share of its values that
are exactly zero: (channels, samples) at each place, over all positions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration._base import Found, Gatherer, Samples, Watch
from pruning.analysis.calibration._places import NO_PLACE, Place, places
from pruning.analysis.calibration._running import Probe

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

NEVER_ZERO = "None of its channels is ever exactly zero on the samples: no ReLU follows them."


def gather(
    reduced: Callable[[Any], Any], analysis: Analysis, samples: Samples | None, watch: Watch
) -> Found:
    """Run the samples; ``reduced`` maps values (samples, positions, channels) to (…, channels)."""
    assert samples is not None
    found = Found()
    where = places(analysis)
    wanted: list[tuple[str, Place]] = []
    for group, listed in where.items():
        if not listed:
            found.reasons[group] = NO_PLACE
        wanted += [(group, place) for place in listed]
    probe = Probe(analysis, [place for _, place in wanted])
    parts: list[list[np.ndarray]] = [[] for _ in wanted]
    done = 0
    for inputs, _ in samples.batches():
        for part, values in zip(parts, probe.channels(inputs, reduced), strict=True):
            part.append(values)
        done += len(inputs[0])
        watch.seen(done, len(samples), "activations")
    for (group, _), part in zip(wanted, parts, strict=True):
        found.channels.setdefault(group, []).append(np.concatenate(part).T)
    return found


def zeros(analysis: Analysis, samples: Samples | None, watch: Watch) -> Found:
    """As ``gather``; a group that never holds a zero has no such statistic."""
    found = gather(_share_of_zeros, analysis, samples, watch)
    for group, arrays in list(found.channels.items()):
        if not any(array.any() for array in arrays):
            del found.channels[group]
            found.reasons[group] = NEVER_ZERO
    return found


def _mean_absolute(values: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(tf.abs(values), axis=1)


def _share_of_zeros(values: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(tf.cast(values == 0, tf.float32), axis=1)


GATHERERS = (
    Gatherer("activation", "channel", partial(gather, _mean_absolute), samples=True),
    Gatherer("zeros", "channel", zeros, samples=True),
)
