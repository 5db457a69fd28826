"""Contract of a demo's builder: where its data comes from, its network, and what to say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """How one demo is made.

    Attributes:
        name: Folder and name on the command line.
        title, task: A name and one sentence for the demo's card.
        modality: ``image``, ``audio`` or ``text``.
        family: The Keras that builds and saves the model, ``keras3`` or ``tf_keras``.
        model_file: File name of the model; the suffix is the format.
        write_data: ``(path of data.zip, folder for unpacked packages)``.
        build_model: ``(shape of one sample, number of classes) -> model``, not compiled.
        augment: ``(x of the training split, generator) -> x`` of one epoch.
        epochs, batch, learning_rate: Of the training; the rate falls to 0 along a cosine.
        limits: What the accuracy does not say; shown with the demo.
        licence, source: Of the data; short, shown with the demo.
        attribution: Text of LICENCE.md below its heading.
    """

    name: str
    title: str
    task: str
    modality: str
    family: str
    model_file: str
    write_data: Callable[[Path, Path], None]
    build_model: Callable[[tuple[int, ...], int], Any]
    augment: Callable[[Any, np.random.Generator], np.ndarray]
    epochs: int
    batch: int
    learning_rate: float
    limits: tuple[str, ...]
    licence: str
    source: str
    attribution: str
