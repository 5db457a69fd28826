"""ResNet-20 on Fashion-MNIST with 80 % and 90 % zero weights: the studio and TF-MOT.

    .venv/bin/python benchmarks/accuracy_zeros.py [--seeds 0 1 2] [--epochs 3]
        [--base-epochs 8] [--train-samples 10000] [--test-samples N] [--scope global] [--json FILE]

For each seed one tf_keras network is trained; both tools start from its file, zero the same share
of all kernels along the same polynomial schedule, and train for the same epochs with the same
optimizer, batch and learning rate, which falls along a cosine, validation after each epoch
included. ``--scope global`` lets the studio share the zeros out between the layers, which TF-MOT
cannot.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import resnet20
from benchmarks.peers import ask
from pruning import api
from pruning.frameworks._base import framework
from pruning.strategy.plan import Schedule, Training

SPARSITIES = (0.8, 0.9)
SCHEDULE = Schedule()


def studio(model: Path, data: Path, options: argparse.Namespace, seed: int) -> list[dict[str, Any]]:
    """Zero each share of all kernels while training on."""
    training = Training(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=seed,
    )
    found = []
    for final in SPARSITIES:
        planned = api.plan(
            model,
            f"sparsity={final}",
            method="weights",
            scope=options.scope,
            schedule=SCHEDULE,
            training=training,
            latency=False,
        )
        ends: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            done = api.prune(
                model,
                planned.plan,
                data=data,
                out=folder,
                report=lambda line, ends=ends: ends.append(line["t"]) if _closes(line) else None,
            ).to_dict()
        seconds = done["seconds"]["retrain"]
        epochs = np.diff(ends) if len(ends) > 1 else np.array([seconds])
        found.append(
            {
                "sparsity": final,
                "zeros": done["sparsity"],
                "accuracy": done["accuracy"]["after"],
                "seconds": seconds,
                "epoch_seconds": float(np.min(epochs)),
            }
        )
    return found


def _closes(line: Any) -> bool:
    """Whether a line of metrics is the last one of its epoch."""
    return "val_loss" in line


def run(seed: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Train one network; let both tools zero its weights."""
    door = framework("tf_keras")
    data = resnet20.write_data(folder / "data.npz", options.train_samples, options.test_samples)
    model = resnet20.train(door.keras, data, options.base_epochs, seed)
    path = folder / "model.keras"
    door.save(model, path)
    settings = {
        "seed": seed,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "sparsities": SPARSITIES,
        "end": SCHEDULE.end,
        "frequency": SCHEDULE.frequency,
    }
    ours = studio(path, folder / "data.npz", options, seed)
    paths = (str(path), str(folder / "data.npz"))
    theirs = ask("tfmot", "inside_peers/resnet20_tfmot.py", *paths, json.dumps(settings))
    return {
        "seed": seed,
        "baseline": resnet20.accuracy(model, data),
        "studio": ours,
        "tfmot": theirs,
    }


def report(rows: list[dict[str, Any]]) -> None:
    """Accuracy, zeros and time of each tool, and the paired difference in points.

    A seed changes the numbers and not the work, so the quietest time of the seeds is the least
    disturbed one.
    """
    print("| zeros | tool | zeros in kernels | accuracy, mean (lowest to highest) | s an epoch |")
    print("|---|---|--:|--:|--:|")
    for place, final in enumerate(SPARSITIES):
        for tool in ("studio", "tfmot"):
            results = [row[tool][place] for row in rows]
            accuracies = [result["accuracy"] for result in results]
            print(
                f"| {final:.0%} | {tool} | {np.mean([r['zeros'] for r in results]):.4f} "
                f"| {np.mean(accuracies):.4f} ({min(accuracies):.4f} to {max(accuracies):.4f}) "
                f"| {np.median([r['epoch_seconds'] for r in results]):.1f} |"
            )
        pairs = [r["studio"][place]["accuracy"] - r["tfmot"][place]["accuracy"] for r in rows]
        print(f"{final:.0%}: {100 * np.mean(pairs):+.2f} points beside TF-MOT (goal: not below 0)")
        for name, words in (("seconds", "whole retraining"), ("epoch_seconds", "epoch")):
            quiet = {tool: min(r[tool][place][name] for r in rows) for tool in ("studio", "tfmot")}
            print(
                f"{final:.0%}: {quiet['studio'] / quiet['tfmot']:.2f} of TF-MOT's time, quietest "
                f"{words} of each (goal: below 1): {quiet['studio']:.1f} and {quiet['tfmot']:.1f} s"
            )
    print(f"baseline: {np.mean([row['baseline'] for row in rows]):.4f}")


def main() -> None:
    parser = resnet20.parser(__doc__)
    parser.add_argument("--scope", default="global", choices=["uniform", "global"])
    resnet20.over_seeds(parser.parse_args(), run, report)


if __name__ == "__main__":
    main()
