"""Models that read several inputs, called with a list or a dict, and data that tells them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pruning.frameworks._base import framework
from tests.models import keras_of, randomize

LENGTH, WORDS, FACTS = 5, 12, 3
INPUTS = ("tokens", "mask", "facts")
FORMS = ("list", "dict")
SUFFIXES = {"keras3": ".keras", "tf_keras": ".h5"}


def reader(family: str, form: str) -> Any:
    """Token ids, a mask over them and facts -> two classes; BatchNorm and a hidden layer inside.

    The order of the inputs is that of no alphabet for the form ``list``; a dict is read by key.
    """
    keras = keras_of(family)
    layers = keras.layers
    tokens = keras.Input((LENGTH,), dtype="int32", name="tokens")
    mask = keras.Input((LENGTH,), name="mask")
    facts = keras.Input((FACTS,), name="facts")
    weights = layers.Reshape((LENGTH, 1), name="weights")(mask)
    words = layers.Embedding(WORDS, 6, name="words")(tokens)
    text = layers.Flatten(name="flat")(layers.Multiply(name="masked")([words, weights]))
    hidden = layers.Dense(8, activation="relu", name="hidden")(text)
    hidden = layers.BatchNormalization(name="norm")(hidden)
    known = layers.Dense(4, activation="relu", name="known")(facts)
    joined = layers.Concatenate(name="joined")([hidden, known])
    answer = layers.Dense(2, activation="softmax", name="answer")(joined)
    ordered = [tokens, mask, facts]
    given = ordered if form == "list" else dict(zip(INPUTS, ordered, strict=True))
    model = keras.Model(given, answer, name="reader")
    randomize(model)
    return model


def values(count: int, seed: int = 3) -> dict[str, np.ndarray]:
    """What the inputs read, by name."""
    rng = np.random.default_rng(seed)
    return {
        "tokens": rng.integers(0, WORDS, (count, LENGTH)),
        "mask": rng.integers(0, 2, (count, LENGTH)),
        "facts": rng.normal(size=(count, FACTS)),
    }


def answers(model: Any, given: dict[str, np.ndarray]) -> np.ndarray:
    """What the model says, called by its Keras alone. -> (n, 2)."""
    names = [str(tensor.name).split(":")[0] for tensor in model.inputs]
    ordered = [given[name].astype("int32" if name == "tokens" else "float32") for name in names]
    keyed = isinstance(getattr(model, "_inputs_struct", None), dict)
    return np.asarray(
        model(dict(zip(names, ordered, strict=True)) if keyed else ordered, training=False)
    )


def write(folder: Path, model: Any, family: str) -> tuple[Path, Path, dict[str, np.ndarray]]:
    """Write the model and data that it answers all right. -> model, data, the arrays.

    40 samples to train, 10 to validate, 30 to test.
    """
    given = values(80)
    said = answers(model, given)
    labels = (said[:, 1] > np.median(said[:, 1])).astype(int)
    bias = model.get_layer("answer").weights[1]
    middle = float(np.median(np.log(said[:, 1]) - np.log(said[:, 0])))
    bias.assign(bias.numpy() - np.array([0, middle], np.float32))
    cuts = {"train": slice(0, 40), "val": slice(40, 50), "test": slice(50, 80)}
    arrays = {f"y_{split}": labels[rows] for split, rows in cuts.items()}
    for split, rows in cuts.items():
        arrays |= {f"x_{split}_{name}": array[rows] for name, array in given.items()}
    path, data = folder / f"model{SUFFIXES[family]}", folder / "data.npz"
    framework(family).save(model, path)
    np.savez(data, **arrays)
    return path, data, arrays
