"""Factors of the BatchNormalization that a group's channels go through first.

``gamma`` is (channels, k) for each BatchNormalization that comes first behind a layer that makes
the channels; k > 1 where one channel lies in several positions of its axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pruning.analysis.calibration._base import Found, Gatherer, Samples, Watch
from pruning.analysis.calibration._places import layers_behind
from pruning.analysis.groups import carried_rows
from pruning.analysis.layer_rules import key_of
from pruning.analysis.layer_rules._base import LayerTrace

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

NO_GAMMA = "No BatchNormalization with learned factors follows the layers that make its channels."
_CLASSES = ("BatchNormalization", "SyncBatchNormalization")


def gather(analysis: Analysis, samples: Samples | None, watch: Watch) -> Found:
    """Read the factors; needs no samples."""
    found = Found()
    for group, ways in layers_behind(analysis).items():
        firsts = {id(r): r for way in ways if (r := _first(way)) is not None}
        for record in firsts.values():
            rows = _rows(analysis, record, analysis.channels.members[group])
            if rows is not None:
                found.channels.setdefault(group, []).append(rows)
        if group not in found.channels:
            found.reasons[group] = NO_GAMMA
    return found


def _first(way: Sequence[LayerTrace]) -> LayerTrace | None:
    return next((record for record in way if _normalises(record)), None)


def _normalises(record: LayerTrace) -> bool:
    return key_of(getattr(record.layer, "layer", record.layer)) in _CLASSES


def _rows(analysis: Analysis, record: LayerTrace, members: np.ndarray) -> np.ndarray | None:
    gamma = getattr(getattr(record.layer, "layer", record.layer), "gamma", None)
    for index, axes in record.weights.items():
        if gamma is not None and record.variables[index] is gamma:
            array = np.asarray(gamma.numpy(), np.float32)
            return carried_rows(array, axes, members, analysis.channels.roots)
    return None


GATHERER = Gatherer("gamma", "channel", gather)
