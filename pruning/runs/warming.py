"""What a warm worker does before its folder comes: import everything that takes long, and rehearse.

Both Kerases and TensorFlow make much of themselves on first use. Loading, analysing and cutting
one tiny model of each saves a quarter of a second of the next one's.
"""

from __future__ import annotations

import gc
import importlib
import tempfile
from pathlib import Path

from pruning.frameworks.memory import imported

FAMILIES = ("keras", "tf_keras")
MODULES = (
    "pruning.intake.model_file",
    "pruning.analysis.profiler",
    "pruning.surgery.channels",
    "pruning.surgery.self_check",
    "pruning.training",
    "pruning.comparison.judge",
)


def warm() -> None:
    """Import TensorFlow, both Kerases and the rooms that need them, and use them once."""
    for name in FAMILIES:
        imported(name)
    for name in MODULES:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        for family in reversed(FAMILIES):
            rehearse(family, Path(folder) / f"{family}.keras")
    gc.collect()  # the rehearsal's models
    gc.freeze()  # all of this stays: whoever collects later need not look through it


def rehearse(family: str, path: Path) -> None:
    """Save a tiny model with the Keras of that module's name at ``path``; load and cut it."""
    from pruning.analysis.profiler import analyse
    from pruning.intake.model_file import load
    from pruning.surgery.channels import cut
    from pruning.surgery.self_check import self_check

    layers = imported(family).layers
    image = layers.Input((4, 4, 1))
    hidden = layers.BatchNormalization()(layers.Conv2D(2, 3, padding="same")(image))
    hidden = layers.GlobalAveragePooling2D()(layers.ReLU()(hidden))
    model = imported(family).Model(image, layers.Dense(2)(hidden))
    model.save(path)
    analysis = analyse(load(path), for_pricing=False)
    made = cut(analysis, {group.id: [0] for group in analysis.groups if group.prunable})
    self_check(analysis, made)
