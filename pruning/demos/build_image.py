"""The image demo: pieces of clothing (Fashion-MNIST), a small residual network of Keras 3."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pruning.demos import archive, sources
from pruning.demos._recipe import Recipe

PACKAGE = "dataset-fashion-mnist"
CLASSES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
PER_CLASS = {"train": 1200, "val": 100, "test": 200}
WIDTHS = (16, 32, 64)
SOURCE = "Fashion-MNIST by Zalando Research (Debian package dataset-fashion-mnist)"
LICENCE = "MIT"


def write_data(path: Path, cache: Path) -> None:
    """Write ``train|val|test/<class>/<number>.png``; the test split is of the official test set."""
    folder = sources.package_files(PACKAGE, "datasets/fashion-mnist", cache)
    preprocessing = {
        "modality": "image",
        "height": 28,
        "width": 28,
        "channels": 1,
        "scaling": "0..1",
        "resize": "bilinear",
        "background": "white",
        "layout": "hwc",
        "source": SOURCE,
        "licence": LICENCE,
    }
    archive.write(path, _files(folder), preprocessing)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and PNG of the first pictures of each class, in the order of the original set."""
    train, test = _read(folder, "train"), _read(folder, "t10k")
    for label, name in enumerate(CLASSES):
        train_rows = np.flatnonzero(train[1] == label)
        val_start = PER_CLASS["train"]
        rows = {
            "train": (train[0], train_rows[:val_start]),
            "val": (train[0], train_rows[val_start : val_start + PER_CLASS["val"]]),
            "test": (test[0], np.flatnonzero(test[1] == label)[: PER_CLASS["test"]]),
        }
        for split, (pictures, chosen) in rows.items():
            for row in chosen:
                stream = io.BytesIO()
                Image.fromarray(pictures[row]).save(stream, "PNG", optimize=True)
                yield f"{split}/{name}/{row:05d}.png", stream.getvalue()


def _read(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 (n, 28, 28) and labels uint8 (n,) of an IDX pair."""
    pictures = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return (
        np.frombuffer(pictures, np.uint8, offset=16).reshape(-1, 28, 28),
        np.frombuffer(labels, np.uint8, offset=8),
    )


def build_model(shape: tuple[int, ...], classes: int) -> Any:
    """Four residual blocks; every shortcut that changes width is a 1×1 projection."""
    import keras

    layers = keras.layers
    inputs = keras.Input(shape, name="picture")
    x = layers.Conv2D(WIDTHS[0], 3, padding="same", use_bias=False, name="stem_conv")(inputs)
    x = layers.BatchNormalization(momentum=0.9, name="stem_norm")(x)
    x = layers.ReLU(name="stem_relu")(x)
    for number, (width, stride) in enumerate([(16, 1), (32, 2), (64, 2), (64, 1)], start=1):
        x = _block(layers, x, width, stride, f"block{number}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    outputs = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(inputs, outputs, name="fashion_resnet")


def _block(layers: Any, x: Any, width: int, stride: int, name: str) -> Any:
    """Two 3×3 convolutions and a shortcut."""

    def convolution(tensor: Any, size: int, step: int, part: str) -> Any:
        tensor = layers.Conv2D(
            width, size, step, padding="same", use_bias=False, name=f"{name}_{part}_conv"
        )(tensor)
        return layers.BatchNormalization(momentum=0.9, name=f"{name}_{part}_norm")(tensor)

    shortcut = x
    if stride != 1 or x.shape[-1] != width:
        shortcut = convolution(x, 1, stride, "project")
    x = layers.ReLU(name=f"{name}_relu")(convolution(x, 3, stride, "first"))
    x = layers.Add(name=f"{name}_add")([convolution(x, 3, 1, "second"), shortcut])
    return layers.ReLU(name=f"{name}_out")(x)


def augment(x: Any, generator: np.random.Generator) -> np.ndarray:
    """Mirror half of the pictures and shift all by up to two pixels. (n, h, w, 1) -> same."""
    out = np.array(x)
    mirrored = generator.random(len(out)) < 0.5
    out[mirrored] = out[mirrored, :, ::-1]
    padded = np.pad(out, ((0, 0), (2, 2), (2, 2), (0, 0)))
    rows, columns = generator.integers(0, 5, (2, len(out)))
    for index, (row, column) in enumerate(zip(rows, columns, strict=True)):
        out[index] = padded[index, row : row + out.shape[1], column : column + out.shape[2]]
    return out


RECIPE = Recipe(
    name="image",
    title="Fashion pictures",
    task="Tell which of ten kinds of clothing a small grey picture shows.",
    modality="image",
    family="keras3",
    model_file="model.keras",
    write_data=write_data,
    build_model=build_model,
    augment=augment,
    epochs=14,
    batch=64,
    learning_rate=3e-3,
    limits=(
        "Trained on 12,000 of Fashion-MNIST's 60,000 training pictures and tested on 2,000 of its "
        "10,000 test pictures, to keep the download small.",
    ),
    licence=LICENCE,
    source=SOURCE,
    attribution="""
The pictures in `data.zip` are 15,000 of the 70,000 of **Fashion-MNIST**, unchanged but stored as
PNG. Source: <https://github.com/zalandoresearch/fashion-mnist>, Debian package
`dataset-fashion-mnist`. The model was trained on them by this project and is under its licence.

Copyright 2017 Zalando SE, <https://tech.zalando.com>

MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
""",
)
