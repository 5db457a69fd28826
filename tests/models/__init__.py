"""Small models of every supported topology, in both Kerases, shared by all tests.

``build("residual_identity", "keras3")`` returns a built model with seeded weights: biases,
BatchNorm's gamma, beta, moving mean and variance are all away from their start values.
Layers with weights have fixed names; the same name and seed give the same weights in both Kerases
wherever the layers have the same weights.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.models import convolutional, nested, sequence

FAMILIES = ("keras3", "tf_keras")
BUILDERS: dict[str, Callable[[Any], Any]] = {
    **convolutional.BUILDERS,
    **sequence.BUILDERS,
    **nested.BUILDERS,
}
NAMES = tuple(BUILDERS)


def keras_of(family: str) -> Any:
    """The module ``keras`` or ``tf_keras``."""
    return importlib.import_module({"keras3": "keras", "tf_keras": "tf_keras"}[family])


def build(name: str, family: str, seed: int = 0) -> Any:
    """Build the model of that name with seeded weights."""
    model = BUILDERS[name](keras_of(family))
    randomize(model, seed)
    return model


def randomize(model: Any, seed: int = 0) -> None:
    """Give every weight a seeded value that is neither 0 nor 1.

    A weight's values depend on the seed, its place among the model's weights and its shape.
    """
    for place, weight in enumerate(model.weights):
        rng = np.random.default_rng([seed, place, *weight.shape])
        weight.assign(_values(weight.name, tuple(weight.shape), rng).astype(_dtype(weight)))


def samples(model: Any, count: int = 4, seed: int = 1) -> list[np.ndarray]:
    """Random inputs, one array (count, *shape) per model input; token ids for ``tokens`` inputs."""
    rng = np.random.default_rng(seed)
    arrays = []
    for tensor in model.inputs:
        shape = (count, *(6 if size is None else int(size) for size in tensor.shape[1:]))
        if "int" in str(tensor.dtype) or "tokens" in tensor.name:
            arrays.append(rng.integers(0, sequence.VOCABULARY, shape).astype("int32"))
        else:
            arrays.append(rng.normal(size=shape).astype("float32"))
    return arrays


def outputs(model: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The model's outputs as arrays, in inference mode."""
    result = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    if isinstance(result, dict):
        result = list(result.values())
    return [np.asarray(r) for r in (result if isinstance(result, list | tuple) else [result])]


def _dtype(weight: Any) -> str:
    dtype = weight.dtype
    return str(getattr(dtype, "name", dtype))


def _values(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    kind = name.split("/")[-1].split(":")[0]
    if "seed" in kind or kind == "count":
        return rng.integers(1, 1000, shape)
    if kind in ("gamma", "moving_variance", "variance"):
        return rng.uniform(0.5, 1.5, shape)
    if len(shape) < 2 or "bias" in kind:
        return rng.normal(0, 0.3, shape)
    fan_in = math.prod(shape[:-1]) if "recurrent" not in kind else shape[0]
    return rng.normal(0, 1.2 / math.sqrt(fan_in), shape)
