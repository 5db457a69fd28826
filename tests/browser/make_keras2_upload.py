"""Run in a process of its own: a Keras 2 ``.h5`` and a zip of pictures, as a user would bring them.

    python make_keras2_upload.py FOLDER  ->  FOLDER/shapes.h5, FOLDER/shapes.zip

Pictures of 20×20 with a bright disc, square or cross on noise; the model learns to tell them apart.
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("cross", "disc", "square")
SIDE = 20


def picture(label: int, rng: np.random.Generator) -> np.ndarray:
    values = rng.normal(70, 25, (SIDE, SIDE))
    row, column = rng.integers(6, SIDE - 6, 2)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    down, across = abs(rows - row), abs(columns - column)
    marks = (
        ((down <= 1) & (across <= 4)) | ((across <= 1) & (down <= 4)),
        down**2 + across**2 <= 16,
        (down <= 4) & (across <= 4),
    )
    values[marks[label]] += 120
    return values.clip(0, 255).astype(np.uint8)


def main(folder: Path) -> None:
    import tf_keras as keras

    layers = keras.layers
    rng = np.random.default_rng(0)
    labels = np.arange(1800) % 3
    pictures = np.stack([picture(label, rng) for label in labels])
    keras.utils.set_random_seed(1)
    start = keras.Input((SIDE, SIDE, 1))
    x = layers.Conv2D(12, 3, padding="same", use_bias=False)(start)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    y = layers.SeparableConv2D(12, 3, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.Add()([x, layers.BatchNormalization(momentum=0.9)(y)]))
    x = layers.Flatten()(layers.MaxPooling2D(4)(x))
    x = layers.Dense(24, activation="relu")(x)
    model = keras.Model(start, layers.Dense(3, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(pictures[..., None] / 255.0, labels, epochs=8, batch_size=32, verbose=0)
    model.save(folder / "shapes.h5")
    with zipfile.ZipFile(folder / "shapes.zip", "w") as archive:
        for number in range(1800):
            stream = io.BytesIO()
            Image.fromarray(picture(number % 3, rng)).save(stream, "PNG")
            archive.writestr(f"shapes/{CLASSES[number % 3]}/{number:04}.png", stream.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
