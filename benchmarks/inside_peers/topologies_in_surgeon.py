"""tf2-keras-surgeon on the topologies, run by ``topology_table.py`` in an environment of its own.

Prints one JSON object: {topology: verdict}.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras_topologies as topologies
import numpy as np
import tensorflow as tf
from answering import verdicts
from tf2kerassurgeon import Surgeon

SIZES = ("filters", "units", "output_dim")


def verdict(name: str) -> str:
    """Have half of every inner layer's channels deleted."""
    if name == "grouped_queries":
        return "no such layer"
    model = topologies.BUILDERS[name](tf.keras, lambda n: n)
    topologies.randomize(model)
    topologies.silence(model)
    before = topologies.outputs(model)
    half = topologies.BUILDERS[name](tf.keras, lambda n: n // 2).count_params()
    surgeon = Surgeon(model, copy=True)
    asked = 0
    for layer in model.layers:
        inner = getattr(layer, "layer", getattr(layer, "forward_layer", layer))
        count = next((getattr(inner, size) for size in SIZES if hasattr(inner, size)), 0)
        gone = topologies.silent(layer.name, count)
        if gone:
            surgeon.add_job("delete_channels", layer, channels=gone)
            asked += 1
    if not asked:
        return "nothing to ask for"
    after = surgeon.operate()
    return judged(before, topologies.outputs(after), after.count_params(), half)


def judged(before: list[Any], after: list[Any], params: int, half: int) -> str:
    """As ``topology_table.judged``."""
    if any(a.shape != b.shape for a, b in zip(before, after, strict=True)):
        return "other shape"
    if not max(float(np.abs(a - b).max()) for a, b in zip(before, after, strict=True)) <= 1e-5:
        return "other outputs"
    return "cut" if params <= 1.05 * half else f"not all ({params / half:.1f} × the half)"


if __name__ == "__main__":
    verdicts(verdict, tf.keras.backend.clear_session)
