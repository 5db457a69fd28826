"""TF-MOT on the topologies, run by ``topology_table.py`` in an environment of its own.

Prints one JSON object: {topology: verdict}.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras_topologies as topologies
import tensorflow_model_optimization as tfmot
import tf_keras
from answering import verdicts

sparsity = tfmot.sparsity.keras


def verdict(name: str) -> str:
    """Wrap, take one step at 50 %, strip, count."""
    if name == "grouped_queries":
        return "no such layer"
    model = topologies.BUILDERS[name](tf_keras, lambda n: n)
    topologies.randomize(model)
    before = model.count_params()
    schedule = sparsity.ConstantSparsity(0.5, begin_step=0, end_step=-1, frequency=1)
    wrapped = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
    wrapped.compile("sgd", "mse")
    inputs = topologies.samples(model)
    given = inputs if len(inputs) > 1 else inputs[0]
    wrapped.fit(
        given, topologies.outputs(model), verbose=0, callbacks=[sparsity.UpdatePruningStep()]
    )
    after = sparsity.strip_pruning(wrapped)
    if after.count_params() == before:
        return "zeros only"
    return "cut"


if __name__ == "__main__":
    verdicts(verdict, tf_keras.backend.clear_session)
