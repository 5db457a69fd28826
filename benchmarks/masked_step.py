"""Masked training step ÷ plain step, TF-MOT's beside it.

    PYTHONPATH=. python benchmarks/masked_step.py [--rounds 12] [--steps 50] [--frequency 100]

Three copies of one tf_keras network (and two of its Keras 3 twin) are trained on the same batch:
plain, with the studio's masks, with TF-MOT's wrappers. The variants take turns, a round of
``--steps`` steps each, so that a busy machine slows all of them alike; ratios are taken within a
round and their median is reported. Masks are computed again every ``--frequency`` steps by both
engines, and that time counts; 100 is a plan's default. Two clocks: wall time, and the processor
time of all threads, which other work on the machine does not blur.
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


def measure(steps: dict[str, Step], rounds: int, length: int) -> dict[str, np.ndarray]:
    """Seconds a step of each variant: (rounds, 2), wall and processor, after a round of warm-up."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    number = 1
    for turn in range(rounds + 1):
        for name, step in steps.items():
            wall, processor = time.perf_counter(), time.process_time()
            for offset in range(length):
                step(number + offset)
            if turn:
                wall = time.perf_counter() - wall
                spent[name].append((wall / length, (time.process_time() - processor) / length))
        number += length
    return {name: np.array(values) for name, values in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--frequency", type=int, default=100)
    arguments = parser.parse_args()
    results: dict[str, Any] = {"goal": 1.03, "batch": BATCH, **vars(arguments)}
    head = ("family", "variant", "wall ms", "÷ plain", "cpu ms", "÷ plain")
    print("".join(f"{word:>10}" for word in head), file=sys.stderr)
    for family in ("keras3", "tf_keras"):
        spent = measure(variants(family, arguments.frequency), arguments.rounds, arguments.steps)
        results[family] = {}
        for name, seconds in spent.items():
            ratio, cpu_ratio = np.median(seconds / spent["plain"], axis=0).round(4).tolist()
            wall, cpu = (1000 * np.median(seconds, axis=0)).round(2).tolist()
            cells = (family, name, wall, f"{ratio:.3f}", cpu, f"{cpu_ratio:.3f}")
            print("".join(f"{cell:>10}" for cell in cells), file=sys.stderr)
            results[family][name] = {
                "step_ms": wall,
                "ratio": ratio,
                "cpu_ms": cpu,
                "cpu_ratio": cpu_ratio,
            }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
