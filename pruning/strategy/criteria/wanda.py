"""Wanda: single weights that multiply small inputs, or are small themselves, go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def weight_times_input(kernel: np.ndarray, input_norm: np.ndarray) -> np.ndarray:
    """``|w| · ‖x‖₂``, x what the weight multiplies. -> the kernel's shape, larger = keep.

    Args:
        kernel: (any shape).
        input_norm: Norm over calibration samples and positions, broadcast to the kernel.

    Weights are compared within their kernel. The paper compares within each output for language
    models, and found no gain from that for image classifiers.
    """
    scores: np.ndarray = np.abs(kernel) * input_norm
    return scores


CRITERION = Criterion(
    name="wanda",
    title="Wanda",
    sentence="Zeroes the weights that contribute least: small ones, and those that multiply inputs "
    "which are small on calibration samples.",
    source="https://arxiv.org/abs/2306.11695",
    kind="weights",
    score=weight_times_input,
    needs=("kernel", "input_norm"),
)
