"""Gradient of the mean loss over the calibration samples, for every kernel: (its shape)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pruning.analysis.calibration._base import Found, Gatherer, Samples, Watch
from pruning.analysis.calibration._running import Gradients
from pruning.analysis.profiler import kernel_variables

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis


def gather(analysis: Analysis, samples: Samples | None, watch: Watch) -> Found:
    """Add up batch by batch; the model runs as it does when it predicts."""
    assert samples is not None
    assert samples.losses is not None
    losses = samples.losses
    named = [pair for pairs in kernel_variables(analysis).values() for pair in pairs]
    gradients = Gradients(analysis, [variable for _, variable in named])
    totals = [np.zeros(tuple(variable.shape), np.float64) for _, variable in named]
    done = 0
    for inputs, targets in samples.batches():
        found = gradients.of(lambda outputs, y: losses(y, outputs), inputs, targets)
        for total, gradient in zip(totals, found, strict=True):
            total += gradient
        done += len(inputs[0])
        watch.seen(done, len(samples), "gradients")
    arrays = ((total / len(samples)).astype(np.float32) for total in totals)
    return Found(weights=dict(zip((name for name, _ in named), arrays, strict=True)))


GATHERER = Gatherer("gradient", "weight", gather, samples=True, labels=True)
