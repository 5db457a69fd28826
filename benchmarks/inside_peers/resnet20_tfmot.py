"""TF-MOT on ``resnet20.py``, run by ``accuracy_zeros.py`` in TF-MOT's environment.

    resnet20_tfmot.py MODEL.keras DATA.npz SETTINGS

For each sparsity ``prune_low_magnitude`` wraps the trained model, trains it on, and is stripped.
Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

sparsity = tfmot.sparsity.keras


class Clock(tf_keras.callbacks.Callback):
    """Seconds of each epoch; the first holds the tracing of the training step."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """See Keras."""
        self._begun = perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """See Keras."""
        self.seconds.append(perf_counter() - self._begun)


def zeroed(path: str, data: Any, final: float, settings: dict[str, Any]) -> dict[str, Any]:
    """Prune one copy of the model to that share of zeros in its kernels."""
    model = tf_keras.models.load_model(path, compile=False)
    tf_keras.utils.set_random_seed(settings["seed"])
    steps = settings["epochs"] * -(-len(data["x_train"]) // settings["batch_size"])
    schedule = sparsity.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=final,
        begin_step=0,
        end_step=round(settings["end"] * steps),
        frequency=min(settings["frequency"], max(1, round(settings["end"] * steps) // 4)),
    )
    wrapped = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
    rate = tf_keras.optimizers.schedules.CosineDecay(settings["learning_rate"], steps)
    wrapped.compile(tf_keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    clock = Clock()
    begun = perf_counter()
    wrapped.fit(
        data["x_train"],
        data["y_train"],
        batch_size=settings["batch_size"],
        epochs=settings["epochs"],
        validation_data=(data["x_val"], data["y_val"]),
        callbacks=[sparsity.UpdatePruningStep(), clock],
        verbose=0,
    )
    seconds = perf_counter() - begun
    model = sparsity.strip_pruning(wrapped)
    kernels = [w.numpy() for w in model.weights if "kernel" in w.name]
    found = model.predict(data["x_test"], batch_size=500, verbose=0).argmax(axis=1)
    return {
        "sparsity": final,
        "zeros": sum(int((k == 0).sum()) for k in kernels) / sum(k.size for k in kernels),
        "accuracy": float((found == data["y_test"].reshape(-1)).mean()),
        "seconds": seconds,
        "epoch_seconds": min(clock.seconds[1:] or clock.seconds),
    }


def main() -> None:
    path, data, settings = sys.argv[1], dict(np.load(sys.argv[2])), json.loads(sys.argv[3])
    print(json.dumps([zeroed(path, data, final, settings) for final in settings["sparsities"]]))


if __name__ == "__main__":
    main()
