"""Slider to new figures: solve and price a plan of ResNet50, as the strategy page does.

    PYTHONPATH=. python benchmarks/slider.py [--moves 19]

The profile is made in a process of its own, for it needs TensorFlow; the rest happens here,
without TensorFlow, as in the server.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pruning.analysis.profile import ModelProfile
from pruning.strategy.estimates import price
from pruning.strategy.plan import SCOPES, PruningPlan, Target
from pruning.strategy.planner import make_plan

MAKE_PROFILE = """
import sys
from pathlib import Path
import keras
from pruning.analysis.profiler import analyse
from pruning.intake.model_file import load
from pruning.runs.jobs.profile import write_profile
folder = Path(sys.argv[1])
path = folder / "model.keras"
keras.applications.ResNet50(weights=None).save(path)
write_profile(
    analyse(load(path), digest="0" * 20, name="ResNet50", bytes=path.stat().st_size), folder
)
"""


# The slider's range of each method; without its removable blocks ResNet50 keeps 20 % of its FLOPs.
RANGES = {
    "channels": ("flops", 0.1, 0.95),
    "weights": ("sparsity", 0.1, 0.95),
    "layers": ("flops", 0.25, 0.95),
}


def moves(profile: ModelProfile, folder: Path, method: str, scope: str, count: int) -> list[float]:
    """Milliseconds of each move of the slider over its whole range."""
    kind, low, high = RANGES[method]
    # Solving costs the same with any influences; here a later block changes more.
    influences = {block.id: float(place) for place, block in enumerate(profile.blocks)}
    spent = []
    for value in np.linspace(low, high, count):
        began = time.perf_counter()
        target = Target(kind, float(value))
        plan = make_plan(
            profile,
            folder,
            PruningPlan(method=method, scope=scope, target=target),
            influences=influences,
        )
        price(profile, folder, plan)
        spent.append(1000 * (time.perf_counter() - began))
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=19)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-c", MAKE_PROFILE, name], check=True)
        profile = ModelProfile.load(folder)
        rows = {}
        for method in RANGES:
            for scope in SCOPES if method != "layers" else SCOPES[:1]:
                spent = moves(profile, folder, method, scope, arguments.moves)
                rows[f"{method}, {scope}"] = {
                    "p50_ms": round(float(np.median(spent)), 2),
                    "max_ms": round(max(spent), 2),
                }
    assert "tensorflow" not in sys.modules
    print(f"{'method, scope':<20}{'p50 ms':>10}{'max ms':>10}", file=sys.stderr)
    for row, figures in rows.items():
        print(f"{row:<20}{figures['p50_ms']:>10}{figures['max_ms']:>10}", file=sys.stderr)
    print(json.dumps({"model": "ResNet50", "goal_ms": 200, "moves": arguments.moves, **rows}))


if __name__ == "__main__":
    main()
