"""Run in a process of its own: load a model with nothing but its own Keras and judge it.

python plain_keras.py MODEL DATA_FOLDER  ->  {"accuracy": …, "params": …}
"""

import json
import sys
from pathlib import Path

import h5py
import numpy as np


def is_keras_2(path: Path) -> bool:
    if not h5py.is_hdf5(path):
        return False
    with h5py.File(path) as file:
        return str(file.attrs["keras_version"]).startswith("2")


def main(model_path: Path, folder: Path) -> None:
    if is_keras_2(model_path):
        import tf_keras as keras
    else:
        import keras
    model = keras.models.load_model(model_path, compile=False)
    x, y = (np.load(folder / f"{name}_test.npy") for name in ("x", "y"))
    predicted = model.predict(x, verbose=0).argmax(-1)
    print(json.dumps({"accuracy": float((predicted == y).mean()), "params": model.count_params()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
