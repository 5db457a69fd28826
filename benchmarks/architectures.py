"""Every family of ``keras.applications`` and ``tf_keras.applications``, cut by half and proved.

    .venv/bin/python benchmarks/architectures.py [--only keras3:ResNet50 …] [--json FILE]

Each model goes the way of a user's file: built without downloaded weights, its weights made random
(BatchNorm's statistics included), saved, loaded, analysed, half of every channel group removed,
self-checked on random samples, saved, loaded again, evaluated. The floor is the smallest size that
cutting can reach, one channel a group; it is cut and counted, too.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from pruning.analysis.profiler import Analysis, analyse
from pruning.frameworks._base import framework
from pruning.frameworks.running import answer
from pruning.intake import model_file
from pruning.surgery.channels import Cut, cut
from pruning.surgery.self_check import self_check

# One member of each family, where there is one the smallest; the side of its input in pixels.
COMMON = {
    "ConvNeXtTiny": 32,
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "InceptionResNetV2": 75,
    "InceptionV3": 75,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "NASNetMobile": 64,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "VGG16": 32,
    "VGG19": 32,
    "Xception": 71,
}
MEMBERS = {
    "keras3": COMMON,
    "tf_keras": COMMON | {"RegNetX002": 32, "RegNetY002": 32, "ResNetRS50": 64},
}
HEADER = (
    "| Keras | model | M parameters | parameters left | FLOPs left | floor | error / allowed "
    "| frozen groups | seconds |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"
)
# Modules of the applications that hold no family of models.
NO_FAMILY = {"imagenet_utils"}


@dataclass(frozen=True)
class Row:
    """What became of one model.

    Attributes:
        params, flops: Share that is left after cutting half of each group.
        floor: Share of the parameters that the smallest cut leaves.
        error: Largest difference of the self-check, of logits whose size is ``scale``.
        frozen: Channel groups that stay whole, the outputs' included.
        seconds: Analysis, cut, self-check.
    """

    family: str
    model: str
    million: float
    params: float
    flops: float
    floor: float
    error: float
    tolerance: float
    groups: int
    frozen: int
    seconds: tuple[float, float, float]


def randomize(model: Any, seed: int = 0) -> None:
    """Give every weight a value that is neither 0 nor 1, so that nothing cancels by chance."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        kind, shape = weight.name.split("/")[-1].split(":")[0], tuple(weight.shape)
        if "seed" in kind or kind == "count":
            continue
        if kind in ("gamma", "moving_variance", "variance"):
            values = rng.uniform(0.5, 1.5, shape)
        elif len(shape) < 2:
            values = rng.normal(0, 0.3, shape)
        else:
            values = rng.normal(0, 1, shape) / np.sqrt(np.prod(shape[:-1]))
        weight.assign(values.astype("float32"))


def run(family: str, name: str, folder: Path) -> Row:
    """Take one model all the way.

    Raises:
        PruningError: A step failed.
        AssertionError: The cut model does not cost what was priced, or answers otherwise when
            it is loaded again.
    """
    door = framework(family)
    side = MEMBERS[family].get(name, 64)
    model = getattr(door.keras.applications, name)(
        weights=None, input_shape=(side, side, 3), classifier_activation=None
    )
    randomize(model)
    path = folder / f"{name}.keras"
    door.save(model, path)
    loaded = model_file.load(path)
    begun = perf_counter()
    analysis = analyse(loaded, digest=name, name=name, bytes=path.stat().st_size)
    seconds = [perf_counter() - begun]
    half = _kept(analysis, 0.5)
    begun = perf_counter()
    made = cut(analysis, half)
    seconds.append(perf_counter() - begun)
    begun = perf_counter()
    checked = self_check(analysis, made)
    seconds.append(perf_counter() - begun)
    params, flops = _priced(analysis, half)
    assert params == made.model.count_params(), "not the parameters that were priced"
    _save_and_load(made, folder / "cut.keras", side, checked.tolerance)
    smallest = cut(analysis, _kept(analysis, 0.0)).model.count_params()
    profile = analysis.profile
    assert smallest == profile.floor_params, "not the floor that was priced"
    return Row(
        family=family,
        model=name,
        million=profile.params / 1e6,
        params=params / profile.params,
        flops=flops / profile.flops,
        floor=smallest / profile.params,
        error=checked.max_abs_error,
        tolerance=checked.tolerance,
        groups=len(analysis.groups),
        frozen=sum(not group.prunable for group in analysis.groups),
        seconds=(seconds[0], seconds[1], seconds[2]),
    )


def families(family: str) -> set[str]:
    """Modules of that Keras's applications, one for each family of models."""
    package = framework(family).keras.applications
    return {
        name
        for name in dir(package)
        if type(getattr(package, name)).__name__ == "module" and name not in NO_FAMILY
    }


def missing(family: str) -> set[str]:
    """Families of that Keras of which no member is in the table."""
    package = framework(family).keras.applications

    def has(module: str, member: str) -> bool:
        # The module of MobileNetV3 does not hold its models, which are told by its name.
        told = member.lower().startswith(module.replace("_", ""))
        return told or hasattr(getattr(package, module), member)

    return {
        module
        for module in families(family)
        if not any(has(module, member) for member in MEMBERS[family])
    }


def _kept(analysis: Analysis, share: float) -> dict[str, np.ndarray]:
    """Random channels, as many in every group: ``share`` of them, at least the minimum."""
    rng = np.random.default_rng(0)
    return {
        group.id: rng.choice(
            group.channels, max(group.minimum, int(group.channels * share)), replace=False
        )
        for group in analysis.groups
        if group.prunable
    }


def _priced(analysis: Analysis, kept: dict[str, np.ndarray]) -> tuple[int, int]:
    counts = {group.id: group.channels for group in analysis.groups}
    counts |= {name: len(indices) for name, indices in kept.items()}
    layers = analysis.profile.layers
    return (
        sum(layer.params_cost.value(counts) for layer in layers),
        sum(layer.flops_cost.value(counts) for layer in layers),
    )


def _save_and_load(made: Cut, path: Path, side: int, tolerance: float) -> None:
    """Weights come back to the bit; answers to the order in which busy threads add up."""
    framework_of_cut = framework("tf_keras" if "tf_keras" in str(type(made.model)) else "keras3")
    framework_of_cut.save(made.model, path)
    again = model_file.load(path).model
    images = np.random.default_rng(1).uniform(0, 255, (4, side, side, 3)).astype("float32")
    for loaded, saved in zip(again.get_weights(), made.model.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, saved)
    expected = np.asarray(answer(made.model, [images]))
    answers = np.asarray(answer(again, [images]))
    np.testing.assert_allclose(answers, expected, rtol=0, atol=tolerance)


def _line(row: Row) -> str:
    analysed, cutting, checking = row.seconds
    return (
        f"| {row.family} | {row.model} | {row.million:.2f} | {row.params:.1%} | {row.flops:.1%} | "
        f"{row.floor:.2%} | {row.error:.1e} / {row.tolerance:.0e} | {row.frozen} of {row.groups} | "
        f"{analysed:.1f} + {cutting:.1f} + {checking:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="FAMILY:MODEL")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows there")
    options = parser.parse_args()
    wanted = options.only or [f"{f}:{name}" for f, members in MEMBERS.items() for name in members]
    print(HEADER, flush=True)
    rows, failures = [], []
    for entry in wanted:
        family, name = entry.split(":")
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows.append(run(family, name, Path(folder)))
                print(_line(rows[-1]), flush=True)
            # One model's failure must not hide the others' results.
            except Exception as error:
                failures.append(entry)
                print(f"| {family} | {name} | FAILED {type(error).__name__}: {error} |", flush=True)
        framework(family).keras.backend.clear_session()
        gc.collect()
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    uncovered = {f: sorted(missing(f)) for f in MEMBERS if missing(f)}
    if uncovered:
        print("families without a member in the table:", uncovered)
    if failures or uncovered:
        sys.exit(f"failed: {failures}")


if __name__ == "__main__":
    main()
