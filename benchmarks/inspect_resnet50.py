"""Time and peak memory of analysing and cutting ResNet50, from the file to the profile.

    PYTHONPATH=. python benchmarks/inspect_resnet50.py [keras3|tf_keras]

Each measurement is a process of its own, started from nothing: importing TensorFlow is included in
``total`` and listed beside it. Goals: total of load and analysis at most 10 s; peak memory of
analysis and cut, beyond what TensorFlow and the loaded model take, at most 3 x the model's file.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def build(family: str, path: Path) -> None:
    keras = __import__({"keras3": "keras", "tf_keras": "tf_keras"}[family])
    keras.applications.ResNet50(weights=None).save(path)


def measure(family: str, path: Path) -> dict[str, float]:
    started = time.perf_counter()
    from pruning.frameworks._base import framework

    assert framework(family).keras  # imported, as the studio does it
    times = {"import Keras, TensorFlow": time.perf_counter() - started}
    from pruning.analysis.profiler import analyse
    from pruning.intake.model_file import load
    from pruning.surgery.channels import cut

    mark = time.perf_counter()
    loaded = load(path)
    times["load"] = time.perf_counter() - mark
    loaded_memory = _peak_bytes()
    mark = time.perf_counter()
    analysis = analyse(loaded, digest="", name=path.name, bytes=path.stat().st_size)
    times["analyse"] = time.perf_counter() - mark
    mark = time.perf_counter()
    cut(analysis, {g.id: range(max(1, g.channels // 2)) for g in analysis.groups if g.prunable})
    times["cut half"] = time.perf_counter() - mark
    times["total"] = time.perf_counter() - started
    times["peak MB beyond the loaded model"] = (_peak_bytes() - loaded_memory) / 1e6
    times["peak / file"] = (_peak_bytes() - loaded_memory) / path.stat().st_size
    times["file MB"] = path.stat().st_size / 1e6
    return times


def main() -> None:
    families = sys.argv[1:] or ["keras3", "tf_keras"]
    for family in families:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "resnet50.keras"
            _child("build", family, str(path))
            figures = json.loads(_child("measure", family, str(path)).splitlines()[-1])
        print(f"ResNet50, {family}")
        for name, value in figures.items():
            print(f"  {name:34}{value:10.2f}")


def _child(*arguments: str) -> str:
    root = Path(__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--child", *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        task, family_name, model_path = sys.argv[2:]
        if task == "build":
            build(family_name, Path(model_path))
        else:
            print(json.dumps(measure(family_name, Path(model_path))))
    else:
        main()
