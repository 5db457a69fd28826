"""Hessian: channels whose weights bend the model's outputs least go first; needs no labels.

The label-free Hessian (LFH) of Sony's Model Compression Toolkit: the trace of the Hessian over a
channel's weights, times their mean square.
"""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def trace_times_power(kernel: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Sum of curvatures times mean square of weights; both (channels, values) -> (channels,)."""
    trace = np.asarray(curvature, np.float64).sum(axis=1)
    scores: np.ndarray = trace * np.square(kernel, dtype=np.float64).mean(axis=1)
    return scores


CRITERION = Criterion(
    name="hessian",
    title="Hessian",
    sentence="Removes the channels whose weights matter least to the model's outputs, as the "
    "second derivative on calibration samples tells, without labels.",
    source="https://github.com/sony/model_optimization",
    kind="channels",
    score=trace_times_power,
    needs=("kernel", "curvature"),
    unit="absolute",
)
