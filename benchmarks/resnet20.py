"""ResNet-20 and Fashion-MNIST, for the benchmarks of accuracy; any Keras.

The network is the one of https://arxiv.org/abs/1512.03385 for small pictures, with a 1x1
convolution where a block changes its width. Strided convolutions are padded by a layer of their
own, so that PyTorch's twin computes the same. Fashion-MNIST comes from Debian's package
``dataset-fashion-mnist``, else from ``keras.datasets``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path("/usr/share/datasets/fashion-mnist")
WIDTHS, BLOCKS, CLASSES = (16, 32, 64), 3, 10
VALIDATION = 5000


def parser(description: str | None) -> argparse.ArgumentParser:
    """Options that the benchmarks of accuracy share."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--base-epochs", type=int, default=8)
    options.add_argument(
        "--train-samples", type=int, default=10_000, help="55000: all; hours on two cores"
    )
    options.add_argument("--test-samples", type=int, help="for a quick try")
    options.add_argument("--batch-size", type=int, default=128)
    options.add_argument("--learning-rate", type=float, default=1e-3)
    options.add_argument("--json", type=Path)
    return options


def over_seeds(
    options: argparse.Namespace,
    run: Callable[[int, argparse.Namespace, Path], dict[str, Any]],
    report: Callable[[list[dict[str, Any]]], None],
) -> None:
    """Run each seed in a folder of its own, and report on all of them."""
    rows = []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(run(seed, options, Path(folder)))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    report(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def network(keras: Any) -> Any:
    """ResNet-20 for pictures (28, 28, 1) with values from 0 to 1; answers with logits' softmax."""
    layers = keras.layers

    def conv(x: Any, filters: int, size: int, stride: int, name: str) -> Any:
        if size == 3:
            x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        x = layers.Conv2D(filters, size, strides=stride, use_bias=False, name=name)(x)
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)

    i = keras.Input((28, 28, 1), name="image")
    x = layers.ReLU(name="stem_relu")(conv(i, WIDTHS[0], 3, 1, "stem"))
    for stage, width in enumerate(WIDTHS):
        for block in range(BLOCKS):
            name, first = f"s{stage}b{block}", block == 0 and stage > 0
            y = conv(x, width, 3, 2 if first else 1, f"{name}_conv1")
            y = conv(layers.ReLU(name=f"{name}_relu1")(y), width, 3, 1, f"{name}_conv2")
            short = conv(x, width, 1, 2, f"{name}_short") if first else x
            x = layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([short, y]))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(i, layers.Dense(CLASSES, activation="softmax", name="classes")(x))


def write_data(
    path: Path, train_samples: int | None = None, test_samples: int | None = None
) -> dict[str, np.ndarray]:
    """Write an ``.npz`` of float32 pictures from 0 to 1 with its splits, and return it.

    Args:
        path: Of the file.
        train_samples: How many to train on, of 55,000; all by default.
        test_samples: How many to test on, and at most to validate on; all by default.
    """
    x, y, x_test, y_test = _fashion_mnist()
    split = len(x) - VALIDATION
    used = min(train_samples or split, split)
    arrays = {
        "x_train": x[:used],
        "y_train": y[:used],
        "x_val": x[split:][:test_samples],
        "y_val": y[split:][:test_samples],
        "x_test": x_test[:test_samples],
        "y_test": y_test[:test_samples],
    }
    for name in ("x_train", "x_val", "x_test"):
        arrays[name] = (arrays[name].reshape(-1, 28, 28, 1) / 255).astype("float32")
    np.savez(path, **arrays)
    return arrays


def train(keras: Any, data: dict[str, np.ndarray], epochs: int, seed: int) -> Any:
    """Train a network from the seed: Adam, the learning rate falling from 2e-3 along a cosine."""
    keras.utils.set_random_seed(seed)
    model = network(keras)
    steps = epochs * -(-len(data["x_train"]) // 128)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(data["x_train"], data["y_train"], batch_size=128, epochs=epochs, verbose=0)
    return model


def accuracy(model: Any, data: dict[str, np.ndarray]) -> float:
    """Share of the test pictures that are classified rightly."""
    found = model.predict(data["x_test"], batch_size=500, verbose=0).argmax(axis=1)
    return float((found == data["y_test"].reshape(-1)).mean())


def _fashion_mnist() -> tuple[np.ndarray, ...]:
    if not FOLDER.is_dir():
        from keras.datasets import fashion_mnist

        (x, y), (x_test, y_test) = fashion_mnist.load_data()
        return x, y, x_test, y_test
    return (
        _idx(FOLDER / "train-images-idx3-ubyte.gz", 16),
        _idx(FOLDER / "train-labels-idx1-ubyte.gz", 8),
        _idx(FOLDER / "t10k-images-idx3-ubyte.gz", 16),
        _idx(FOLDER / "t10k-labels-idx1-ubyte.gz", 8),
    )


def _idx(path: Path, header: int) -> np.ndarray:
    with gzip.open(path) as file:
        values = np.frombuffer(file.read()[header:], np.uint8)
    return values.reshape(-1, 28, 28) if header == 16 else values
