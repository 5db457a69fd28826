"""LiteRT latency ÷ FLOPs after half of the channels of ResNet50 and VGG16 are gone.

    .venv/bin/python benchmarks/latency.py [--side 224] [--family keras3] [--round-to 8]

One thread, one picture; before and after take turns. A cut that removes work has to remove time:
the ratio of latencies ÷ the ratio of FLOPs is to be at most 1.1. The weights are random, which
LiteRT's time does not depend on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from pruning.analysis.profiler import analyse
from pruning.comparison import latency
from pruning.frameworks._base import framework
from pruning.surgery.channels import cut

GOAL = 1.1
MODELS = ("ResNet50", "VGG16")


def measured(family: str, name: str, side: int, round_to: int) -> dict[str, float]:
    """Cut half of the channels of every group; FLOPs and latency of both."""
    door = framework(family)
    model = getattr(door.keras.applications, name)(weights=None, input_shape=(side, side, 3))
    file = SimpleNamespace(file_format="keras", writer="")
    loaded = SimpleNamespace(model=model, framework=door, file=file)
    analysis = analyse(loaded, for_pricing=False)
    kept = {
        group.id: range(min(group.channels, -(-(group.channels // 2) // round_to) * round_to))
        for group in analysis.groups
        if group.prunable
    }
    smaller = cut(analysis, kept).model
    counts = {group.id: len(kept.get(group.id, range(group.channels))) for group in analysis.groups}
    flops = sum(layer.flops_cost.value(counts) for layer in analysis.profile.layers)
    sample = [np.random.default_rng(0).uniform(0, 255, (1, side, side, 3)).astype("float32")]
    before, after = latency.measure(model, smaller, sample)
    assert before.median_ms is not None, before.note
    assert after.median_ms is not None, after.note
    flops_left = flops / analysis.profile.flops
    time_left = after.median_ms / before.median_ms
    return {"flops": flops_left, "latency": time_left, "ratio": time_left / flops_left}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--family", default="keras3", choices=["keras3", "tf_keras"])
    parser.add_argument("--round-to", type=int, default=1)
    options = parser.parse_args()
    print("| model | FLOPs left | latency left | latency ÷ FLOPs | goal |")
    print("|---|--:|--:|--:|--:|")
    results = {}
    for name in MODELS:
        found = measured(options.family, name, options.side, options.round_to)
        print(
            f"| {name} | {found['flops']:.3f} | {found['latency']:.3f} | {found['ratio']:.2f} "
            f"| {GOAL} |",
            flush=True,
        )
        results[name] = found
    print(json.dumps(results))


if __name__ == "__main__":
    main()
