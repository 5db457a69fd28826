"""The studio analyses and cuts ResNet50 by half; run by ``cutting.py`` in a process of its own.

    studio_resnet50.py build FAMILY PATH         writes the model's file
    studio_resnet50.py time FAMILY PATH ROUNDS   {"rounds": [[wall, processor], …], "params"}
    studio_resnet50.py clone FAMILY PATH ROUNDS  the same, of Keras's own copy of the whole model
    studio_resnet50.py variables FAMILY PATH ROUNDS  the same, of the cut model's bare variables
    studio_resnet50.py memory FAMILY PATH        {"file", "loading", "cutting"}

Memory is the highest resident memory beyond that of the process with its frameworks imported and
warm, ÷ the size of the model's file.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from pruning.analysis.profiler import analyse
from pruning.frameworks._base import framework
from pruning.intake import model_file
from pruning.runs.calibration import score_channels
from pruning.surgery.channels import cut


class Watch:
    """Highest resident memory of this process while it runs, in bytes; looked at every 2 ms."""

    def __init__(self) -> None:
        self.highest, self._ends = 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ends.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ends.is_set():
            self.highest = max(self.highest, resident())
            sleep(0.002)


def resident() -> int:
    """Resident memory of this process, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cut_by_half(loaded: Any) -> Any:
    """Everything between a loaded model and the cut one, as a prune does it."""
    analysis = analyse(loaded, for_pricing=False)
    scores = score_channels(analysis, "l1").values
    kept = {
        group.id: np.sort(np.argsort(scores[group.id])[group.channels // 2 :])
        for group in analysis.groups
        if group.prunable
    }
    return cut(analysis, kept).model


def cloned(loaded: Any) -> Any:
    """Keras's own copy: no Keras model can be smaller than by building another one."""
    copy = loaded.framework.keras.models.clone_model(loaded.model)
    copy.set_weights(loaded.model.get_weights())
    return copy


def bare_variables(cut_weights: list[np.ndarray]) -> list[Any]:
    """What the cut model's weights are kept in, and nothing around them."""
    import tensorflow as tf

    return [tf.Variable(weight) for weight in cut_weights]


def timed_variables(path: Path, rounds: int) -> dict[str, Any]:
    """Seconds of each round, wall and processor time, for the variables of the cut model alone."""
    loaded = model_file.load(path)
    weights = cut_by_half(loaded).get_weights()
    spent = []
    for _ in range(rounds):
        wall, processor = perf_counter(), process_time()
        bare_variables(weights)
        spent.append((perf_counter() - wall, process_time() - processor))
    return {"rounds": spent, "params": sum(w.size for w in weights) / loaded.model.count_params()}


def timed(path: Path, rounds: int, work: Callable[[Any], Any]) -> dict[str, Any]:
    """Seconds of each round, wall and processor time, and parameters left."""
    spent = []
    for _ in range(rounds):
        loaded = model_file.load(path)
        before = loaded.model.count_params()
        wall, processor = perf_counter(), process_time()
        after = work(loaded).count_params()
        spent.append((perf_counter() - wall, process_time() - processor))
    return {"rounds": spent, "params": after / before}


def memory(path: Path) -> dict[str, Any]:
    """What loading adds at most, then analysing and cutting, models included, ÷ the file."""
    size, start = path.stat().st_size, resident()
    with Watch() as loading:
        loaded = model_file.load(path)
    with Watch() as cutting:
        cut_by_half(loaded)
    return {
        "file": size,
        "loading": (loading.highest - start) / size,
        "cutting": (cutting.highest - start) / size,
    }


def main() -> None:
    task, family, path = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    door = framework(family)
    if task == "build":
        door.save(door.keras.applications.ResNet50(weights=None), path)
        return
    with tempfile.TemporaryDirectory() as folder:
        # Whatever is imported late is imported by a cut of a tiny model.
        tiny = door.keras.Sequential([door.keras.Input((4,)), door.keras.layers.Dense(2)])
        door.save(tiny, Path(folder) / "tiny.keras")
        cut_by_half(model_file.load(Path(folder) / "tiny.keras"))
    if task == "memory":
        answer = memory(path)
    elif task == "variables":
        answer = timed_variables(path, int(sys.argv[4]))
    else:
        answer = timed(path, int(sys.argv[4]), cloned if task == "clone" else cut_by_half)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
