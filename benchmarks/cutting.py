"""ResNet50 analysed and cut by half: time beside Torch-Pruning's, and memory.

    .venv/bin/python benchmarks/cutting.py [--rounds 3] [--turns 2]

Both start from a model in memory and end with a smaller one: dependencies found, channels scored
by their L1 norm, the least important half of every group removed. The tools take turns, each in a
process of its own; the median of all rounds counts, the first of each process left out as warm-up.
Wall time, and the processor time of all threads, which other work on the machine does not blur.
Memory is the highest resident memory beyond that of a process with its frameworks imported, ÷ the
model's file: of analysing and cutting, the loaded model and the cut one included.
Timed beside them, because a Keras model is cut by building another, PyTorch's in its place: Keras's
own copy of the whole model, and the cut model's 320 variables alone, bare, without any Keras.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.peers import ask

FAMILIES = ("keras3", "tf_keras")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    asked = [("time", family, family) for family in FAMILIES]
    asked += [("clone", family, f"{family}'s own clone_model") for family in FAMILIES]
    asked += [("variables", "keras3", "the cut model's variables alone")]
    spent: dict[str, list[Any]] = {name: [] for name in ("torch", *(name for _, _, name in asked))}
    results: dict[str, Any] = {"goal_time": 0.5, "goal_memory": 3.0}
    with tempfile.TemporaryDirectory() as folder:
        files = {family: str(Path(folder) / f"{family}.keras") for family in FAMILIES}
        for family, path in files.items():
            ask("studio", "studio_resnet50.py", "build", family, path)
            results[f"memory {family}"] = ask(
                "studio", "studio_resnet50.py", "memory", family, path
            )
        for _ in range(options.turns):
            peer = ask("torch", "inside_peers/torch_resnet50.py", str(options.rounds + 1))
            spent["torch"] += peer["rounds"][1:]
            results["params torch"] = peer["params"]
            for task, family, name in asked:
                words = (task, family, files[family], str(options.rounds + 1))
                ours = ask("studio", "studio_resnet50.py", *words)
                spent[name] += ours["rounds"][1:]
                results[f"params {name}"] = ours["params"]
    median = {name: np.median(np.array(rounds), axis=0) for name, rounds in spent.items()}
    print("| tool | wall ÷ Torch-Pruning | processor time ÷ Torch-Pruning | seconds |")
    print("|---|--:|--:|--:|")
    for name, (wall, processor) in median.items():
        ratios = median[name] / median["torch"]
        print(f"| {name} | {ratios[0]:.2f} | {ratios[1]:.2f} | {wall:.2f} / {processor:.2f} |")
        results[name] = {"wall": ratios[0], "processor": ratios[1]}
    for family in FAMILIES:
        print(f"memory, {family}: {results[f'memory {family}']['cutting']:.2f} × the file")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
