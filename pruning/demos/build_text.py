"""The text demo: the topic of a dictionary definition, a bidirectional LSTM of legacy Keras 2."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from pruning.demos import archive, sources
from pruning.demos._recipe import Recipe
from pruning.intake.modalities import modality

PACKAGE = "wordnet-base"
# Numbers of WordNet's lexicographer files (manual page lexnames(5)).
TOPICS = {
    "animal": 5,
    "artifact": 6,
    "body": 8,
    "communication": 10,
    "food": 13,
    "location": 15,
    "person": 18,
    "plant": 20,
    "state": 26,
    "substance": 27,
}
SHARES = {"val": 0.08, "test": 0.16}
MOST_PER_CLASS = 2000
LENGTH = 24
MAX_TOKENS = 8000
SOURCE = "WordNet 3.0 noun definitions, Princeton University (Debian package wordnet-base)"
LICENCE = "WordNet 3.0 licence"


def write_data(path: Path, cache: Path) -> None:
    """Write ``data.csv`` (text, label, split) and the vocabulary of its training texts."""
    folder = sources.package_files(PACKAGE, "wordnet", cache)
    rows = _rows(folder / "data.noun")
    preprocessing = {
        "modality": "text",
        "length": LENGTH,
        "max_tokens": MAX_TOKENS,
        "lowercase": True,
        "tokens": "words",
        "padding": "post",
        "truncating": "post",
    }
    training = [text for text, _, split in rows if split == "train"]
    vocabulary = modality("text").fit(preprocessing, training)["vocabulary"]
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerows([("text", "label", "split"), *rows])
    files = [
        ("data.csv", table.getvalue().encode()),
        ("vocabulary.txt", ("\n".join(vocabulary) + "\n").encode()),
    ]
    archive.write(path, files, {**preprocessing, "source": SOURCE, "licence": LICENCE})


def _rows(file: Path) -> list[tuple[str, str, str]]:
    """Text, topic and split; a definition that stands twice is left out but once."""
    names = {number: topic for topic, number in TOPICS.items()}
    texts: dict[str, list[str]] = {topic: [] for topic in TOPICS}
    seen = set()
    for line in file.read_text(encoding="latin-1").splitlines():
        fields, _, gloss = line.partition("|")
        topic = names.get(int(fields.split(" ", 2)[1])) if not line.startswith(" ") else None
        definition = gloss.split('; "')[0].strip()  # the examples quoted after it left out
        if topic and len(definition.split()) >= 3 and definition not in seen:
            seen.add(definition)
            texts[topic].append(definition)
    generator = np.random.default_rng(0)
    rows = []
    for topic, found in texts.items():
        chosen = [found[i] for i in generator.permutation(len(found))[:MOST_PER_CLASS]]
        test = round(SHARES["test"] * len(chosen))
        val = test + round(SHARES["val"] * len(chosen))
        for index, text in enumerate(chosen):
            split = "test" if index < test else "val" if index < val else "train"
            rows.append((text, topic, split))
    return [rows[i] for i in generator.permutation(len(rows))]


def build_model(shape: tuple[int, ...], classes: int) -> Any:
    """Embedding, a bidirectional LSTM, its strongest response over the text, two dense layers."""
    import tf_keras

    layers = tf_keras.layers
    inputs = tf_keras.Input(shape, dtype="int32", name="tokens")
    x = layers.Embedding(MAX_TOKENS, 48, name="embedding")(inputs)
    x = layers.Dropout(0.4, name="embedding_dropout")(x)
    x = layers.Bidirectional(layers.LSTM(48, return_sequences=True, name="lstm"), name="both_ways")(
        x
    )
    x = layers.GlobalMaxPooling1D(name="pool")(x)
    x = layers.Dense(64, activation="relu", name="dense")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    outputs = layers.Dense(classes, activation="softmax", name="topics")(x)
    return tf_keras.Model(inputs, outputs, name="topic_bilstm")


def augment(x: Any, generator: np.random.Generator) -> np.ndarray:
    """Make one word in twelve unknown, as new texts have it. int32 (n, length) -> same."""
    out = np.array(x)
    out[(generator.random(out.shape) < 1 / 12) & (out > 0)] = 1
    return out


RECIPE = Recipe(
    name="text",
    title="Dictionary topics",
    task="Tell which of ten topics a dictionary definition is about.",
    modality="text",
    family="tf_keras",
    model_file="model.h5",
    write_data=write_data,
    build_model=build_model,
    augment=augment,
    epochs=12,
    batch=64,
    learning_rate=3e-3,
    limits=(
        "Each definition has the one topic that WordNet filed it under; many would fit two "
        "(a dish is food and an artifact), which bounds the accuracy of any model.",
    ),
    licence=LICENCE,
    source=SOURCE,
    attribution="""
The texts in `data.zip` are 20,000 noun definitions of **WordNet 3.0**,
<https://wordnet.princeton.edu>, Debian package `wordnet-base`. Changes: quoted examples left out,
sorted by topic (WordNet's lexicographer files). The model was trained on them by this project and
is under its licence.

WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved.

This software and database is being provided to you, the LICENSEE, by Princeton University under
the following license. By obtaining, using and/or copying this software and database, you agree
that you have read, understood, and will comply with these terms and conditions.:

Permission to use, copy, modify and distribute this software and database and its documentation for
any purpose and without fee or royalty is hereby granted, provided that you agree to comply with
the following copyright notice and statements, including the disclaimer, and that the same appear
on ALL copies of the software, database and documentation, including modifications that you make
for internal use or for distribution.

WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved.

THIS SOFTWARE AND DATABASE IS PROVIDED "AS IS" AND PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR
WARRANTIES, EXPRESS OR IMPLIED. BY WAY OF EXAMPLE, BUT NOT LIMITATION, PRINCETON UNIVERSITY MAKES
NO REPRESENTATIONS OR WARRANTIES OF MERCHANTABILITY OR FITNESS FOR ANY PARTICULAR PURPOSE OR THAT
THE USE OF THE LICENSED SOFTWARE, DATABASE OR DOCUMENTATION WILL NOT INFRINGE ANY THIRD PARTY
PATENTS, COPYRIGHTS, TRADEMARKS OR OTHER RIGHTS.

The name of Princeton University or Princeton may not be used in advertising or publicity
pertaining to distribution of the software and/or database. Title to copyright in this software,
database and any associated documentation shall at all times remain with Princeton University and
LICENSEE agrees to preserve same.
""",
)
