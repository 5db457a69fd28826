"""ResNet-20 on Fashion-MNIST with 2.1 and 4 times fewer FLOPs: the studio and Torch-Pruning.

    .venv/bin/python benchmarks/accuracy_channels.py [--seeds 0 1 2] [--epochs 3]
        [--base-epochs 8] [--train-samples 10000] [--test-samples N] [--criterion
        mean_activation] [--scope uniform] [--cuts 5] [--feature-matching 3]
        [--learning-rate 0.003] [--json FILE]

For each seed one network is trained; both tools start from its weights, prune it to the same share
of its FLOPs and train on for the same epochs with the same optimizer, batch and learning rate,
which falls along a cosine. The accuracy is that on the 10,000 test pictures, which neither has
seen.
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
from pruning.strategy.plan import Training

FEWER = (2.1, 4.0)


def studio(model: Path, data: Path, options: argparse.Namespace, seed: int) -> list[dict[str, Any]]:
    """Prune the model's file to each share, and train on."""
    training = Training(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=seed,
        feature_matching=options.feature_matching,
    )
    found = []
    for fewer in FEWER:
        planned = api.plan(
            model,
            f"flops={1 / fewer}",
            data=data,
            criterion=options.criterion,
            scope=options.scope,
            training=training,
            cuts=options.cuts,
            latency=False,
        )
        with tempfile.TemporaryDirectory() as folder:
            done = api.prune(model, planned.plan, data=data, out=folder).to_dict()
        found.append(
            {
                "share": 1 / fewer,
                "flops": done["flops"]["after"] / done["flops"]["before"],
                "params": done["params"]["after"],
                "accuracy": done["accuracy"]["after"],
                "epoch_seconds": done["seconds"]["retrain"] / max(1, options.epochs),
            }
        )
    return found


def run(seed: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Train one network; let both tools prune it."""
    door = framework("keras3")
    data = resnet20.write_data(folder / "data.npz", options.train_samples, options.test_samples)
    model = resnet20.train(door.keras, data, options.base_epochs, seed)
    door.save(model, folder / "model.keras")
    weights = {
        f"{layer.name}/{index}": weight
        for layer in model.layers
        for index, weight in enumerate(layer.get_weights())
    }
    answers = np.asarray(model(data["x_test"][:16], training=False))
    np.savez(folder / "weights.npz", answers=answers, **weights)
    settings = {
        "seed": seed,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "ranking": options.peer_ranking,
        "shares": [1 / fewer for fewer in FEWER],
    }
    ours = studio(folder / "model.keras", folder / "data.npz", options, seed)
    paths = (str(folder / "weights.npz"), str(folder / "data.npz"))
    theirs = ask("torch", "inside_peers/resnet20_torch.py", *paths, json.dumps(settings))
    baseline = resnet20.accuracy(model, data)
    return {"seed": seed, "baseline": baseline, "studio": ours, "torch": theirs["results"]}


def report(rows: list[dict[str, Any]]) -> None:
    """Accuracy of each tool, mean and range over the seeds, and the paired difference in points."""
    print("| FLOPs | tool | FLOPs left | parameters | accuracy, mean (lowest to highest) |")
    print("|---|---|--:|--:|--:|")
    for place, fewer in enumerate(FEWER):
        for tool in ("studio", "torch"):
            results = [row[tool][place] for row in rows]
            accuracies = [result["accuracy"] for result in results]
            print(
                f"| {fewer}× fewer | {tool} | {np.mean([r['flops'] for r in results]):.3f} "
                f"| {np.mean([r['params'] for r in results]):,.0f} | {np.mean(accuracies):.4f} "
                f"({min(accuracies):.4f} to {max(accuracies):.4f}) |"
            )
        pairs = [r["studio"][place]["accuracy"] - r["torch"][place]["accuracy"] for r in rows]
        print(f"{fewer}×: the studio is ahead by {100 * np.mean(pairs):+.2f} points (goal: +0.3)")
    print(f"baseline: {np.mean([row['baseline'] for row in rows]):.4f}")


def main() -> None:
    parser = resnet20.parser(__doc__)
    parser.add_argument("--criterion", default="mean_activation")
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--feature-matching", type=float, default=3.0)
    parser.set_defaults(learning_rate=3e-3)  # of both tools: what both do best with
    parser.add_argument("--scope", default="uniform", choices=["uniform", "layer", "global"])
    parser.add_argument("--peer-ranking", default="uniform", choices=["uniform", "global"])
    resnet20.over_seeds(parser.parse_args(), run, report)


if __name__ == "__main__":
    main()
