"""Masked training step ÷ plain step, TF-MOT's beside it.

    python benchmarks/masked_step.py [--rounds 12] [--steps 50] [--frequency 10]

Three copies of one tf_keras network (and two of its Keras 3 twin) are trained on the same batch:
plain, with the studio's masks, with TF-MOT's wrappers. The variants take turns, a round of
``--steps`` steps each, so that a busy machine slows all of them alike; ratios are taken within a
round and their median is reported. Masks are computed again every ``--frequency`` steps by both
engines, and that time counts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pruning.frameworks._base import Framework, framework
from pruning.strategy.plan import PruningPlan, Schedule
from pruning.strategy.schedules import StepSchedule
from pruning.surgery.masks import WeightMasks, kernels_of
from pruning.training.reference import TfmotZeroing
from pruning.training.zeroing import MaskZeroing

SPARSITY = 0.8
BATCH, SIDE = 64, 28
Step = Callable[[int], None]


def network(keras: Any) -> Any:
    """A convolutional network of 0.4 M weights on 28×28 pictures."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 1)),
            layers.Conv2D(32, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(256, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="head"),
        ]
    )


def stepper(model: Any, zeroing: MaskZeroing | None, callbacks: list[Any]) -> Step:
    """A function that trains one step on a fixed batch."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, SIDE, SIDE, 1)).astype("float32")
    y = rng.integers(0, 10, BATCH)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", jit_compile=False)
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin()

    def step(number: int) -> None:
        if zeroing is not None:
            zeroing.before_step(number)
        model.train_on_batch(x, y)

    return step


def variants(family: str, frequency: int) -> dict[str, Step]:
    """The steps to compare, by name."""
    kind = framework(family)
    models = {name: network(kind.keras) for name in ("plain", "masked", "tfmot")}
    ratios = {kernel.layer: SPARSITY for kernel in kernels_of(models["plain"], kind)}
    plan = PruningPlan(
        "", method="weights", criterion="magnitude", ratios=ratios, schedule=Schedule("constant")
    )
    schedule = StepSchedule("constant", 0.0, 1, 10**9, frequency, 3.0)
    masks = MaskZeroing(WeightMasks(models["masked"], kind, plan), schedule)
    steps = {
        "plain": stepper(models["plain"], None, []),
        "masked": stepper(models["masked"], masks, []),
    }
    if family == "tf_keras":
        steps["tfmot"] = tfmot_stepper(models["tfmot"], kind, plan, schedule)
    return steps


def tfmot_stepper(model: Any, kind: Framework, plan: PruningPlan, schedule: StepSchedule) -> Step:
    """The same network in TF-MOT's wrappers."""
    reference = TfmotZeroing(model, kind, plan, schedule)
    return stepper(reference.trainee, None, reference.callbacks)


def measure(steps: dict[str, Step], rounds: int, length: int) -> dict[str, list[float]]:
    """Seconds a step of each variant, one value a round, after a round of warm-up."""
    spent: dict[str, list[float]] = {name: [] for name in steps}
    number = 1
    for turn in range(rounds + 1):
        for name, step in steps.items():
            began = time.perf_counter()
            for offset in range(length):
                step(number + offset)
            if turn:
                spent[name].append((time.perf_counter() - began) / length)
        number += length
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--frequency", type=int, default=10)
    arguments = parser.parse_args()
    results: dict[str, Any] = {"goal": 1.03, "batch": BATCH, **vars(arguments)}
    print(f"{'family':<10}{'variant':<10}{'step ms':>10}{'÷ plain':>10}", file=sys.stderr)
    for family in ("keras3", "tf_keras"):
        spent = measure(variants(family, arguments.frequency), arguments.rounds, arguments.steps)
        plain = np.array(spent["plain"])
        results[family] = {}
        for name, seconds in spent.items():
            ratio = float(np.median(np.array(seconds) / plain))
            milliseconds = 1000 * float(np.median(seconds))
            print(f"{family:<10}{name:<10}{milliseconds:>10.2f}{ratio:>10.3f}", file=sys.stderr)
            results[family][name] = {"step_ms": round(milliseconds, 3), "ratio": round(ratio, 4)}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
