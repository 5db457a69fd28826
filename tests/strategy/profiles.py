"""A small model's profile written by hand, with figures that can be checked on paper.

    x (8, 8, 3) → conv1 3×3 → 8 (group a) → conv2 3×3 → 16 (group b) → Flatten → dense → 10

``dense`` reads 8·8·b values; its outputs are frozen. All convolutions keep the size; no strides.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pruning import storage
from pruning.analysis.cost import Cost, Term, Width
from pruning.analysis.profile import (
    QUANTILES,
    Group,
    KernelShape,
    Layer,
    ModelProfile,
    TensorSpec,
    WeightStats,
)

MODEL = "0123456789abcdef0123"
A, B, DENSE_IN = Width(0, {"a": 1}), Width(0, {"b": 1}), Width(0, {"b": 64})

# By hand: 3·3·3·8 + 8, 3·3·8·16 + 16, 8·8·16·10 + 10
PARAMS = {"conv1": 224, "conv2": 1168, "dense": 10250}
FLOPS = {"conv1": 2 * 64 * 27 * 8, "conv2": 2 * 64 * 72 * 16, "dense": 2 * 10240}
KERNELS = {"conv1": 216, "conv2": 1152, "dense": 10240}
SHAPES = {"conv1": (3, 3, 3, 8), "conv2": (3, 3, 8, 16), "dense": (1024, 10)}
CONTAINER = 20_000


def small_profile(family: str = "tf_keras") -> ModelProfile:
    """The profile of the model above."""
    layers = (
        _layer("conv1", "Conv2D", 0, (8, 8, 8), ("a",), (), params=_costs(27, (A,), A),
               flops=Cost((Term(2 * 64 * 27, (A,)),))),
        _layer("conv2", "Conv2D", 1, (8, 8, 16), ("b",), ("a",), params=_costs(9, (A, B), B),
               flops=Cost((Term(2 * 64 * 9, (A, B)),))),
        _layer("flatten", "Flatten", None, (1024,), (), ("b",), params=Cost(), flops=Cost()),
        _layer("dense", "Dense", 2, (10,), ("out",), ("b",), prunable=False,
               params=Cost((Term(10, (DENSE_IN,)), Term(10))),
               flops=Cost((Term(20, (DENSE_IN,)),))),
    )  # fmt: skip
    groups = (
        Group("a", 8, ("conv1", "conv2"), ("conv1",), True, None, score_offset=0),
        Group("b", 16, ("conv2", "dense"), ("conv2",), True, None, minimum=2, score_offset=8),
        Group("out", 10, ("dense",), ("dense",), False, "These are the model's outputs."),
    )
    floor = {"a": 1, "b": 2, "out": 10}
    return ModelProfile(
        digest=MODEL,
        name="small",
        family=family,
        file_format="h5",
        writer="Keras 2.13",
        params=sum(PARAMS.values()),
        flops=sum(FLOPS.values()),
        bytes=CONTAINER + 4 * sum(PARAMS.values()),
        container_bytes=CONTAINER,
        inputs=(TensorSpec("x", (None, 8, 8, 3), "float32"),),
        outputs=(TensorSpec("y", (None, 10), "float32"),),
        output_activation="softmax",
        layers=layers,
        groups=groups,
        edges=(),
        floor_params=sum(layer.params_cost.value(floor) for layer in layers),
        floor_flops=sum(layer.flops_cost.value(floor) for layer in layers),
        criteria=("l1", "l2"),
    )


def write_arrays(folder: Path, scores: np.ndarray | None = None) -> Path:
    """Scores and magnitudes beside the profile. scores: (24,), those of a then b."""
    if scores is None:
        scores = np.random.default_rng(0).uniform(0.5, 1.5, 24)
    for criterion in ("l1", "l2"):
        storage.write_array(folder / f"scores_{criterion}.npy", scores.astype("float32"))
    grid = np.linspace(0, 1, QUANTILES)
    # |w| uniform on 0..1, 0..2, 0..4: a global threshold t zeroes t, t/2, t/4 of them.
    rows = np.stack([grid, 2 * grid, 4 * grid]).astype("float32")
    storage.write_array(folder / "magnitudes.npy", rows)
    return folder


def _costs(area: int, widths: tuple[Width, ...], bias: Width) -> Cost:
    return Cost((Term(area, widths), Term(1, (bias,))))


def _layer(name, cls, row, shape, out, into, *, params, flops, prunable=True):  # type: ignore[no-untyped-def]
    count = KERNELS.get(name, 0)
    stats = WeightStats(count, 0.0, 1.0, -3.0, 3.0, (count,), (-3.0, 3.0)) if count else None
    return Layer(
        name=name,
        cls=cls,
        params=PARAMS.get(name, 0),
        flops=FLOPS.get(name, 0),
        output_shape=shape,
        prunable=prunable and bool(count),
        reason=None if prunable else "These are the model's outputs.",
        zeros=0.0,
        maskable=bool(count),
        magnitude_row=row,
        stats=stats,
        groups_out=out,
        groups_in=into,
        params_cost=params,
        flops_cost=flops,
        kernels=(KernelShape(SHAPES[name]),) if count else (),
    )
