"""What a warm worker does before its folder comes: import everything that takes long.

Training a tiny model here as well was tried and gained nothing: the time to the first step of the
next model is the tracing of that model's own graph.
"""

from __future__ import annotations

import importlib

MODULES = (
    "keras",
    "tf_keras",
    "pruning.intake.model_file",
    "pruning.analysis.profiler",
    "pruning.surgery.channels",
    "pruning.surgery.self_check",
    "pruning.training",
    "pruning.comparison.judge",
)


def warm() -> None:
    """Import TensorFlow, both Kerases and the rooms that need them; start TensorFlow's runtime."""
    import tensorflow as tf

    tf.constant(0) + 1
    for name in MODULES:
        importlib.import_module(name)
