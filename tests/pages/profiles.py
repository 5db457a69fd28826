"""Profiles written by hand, as the analysis would: what the pages are tested on, without Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pruning import storage
from pruning.analysis.cost import Cost, Term, Width
from pruning.analysis.profile import (
    QUANTILES,
    Edge,
    Group,
    KernelShape,
    Layer,
    ModelProfile,
    TensorSpec,
    WeightStats,
)

MODEL = "0123456789abcdef0123"
HOSTILE = "<img src=x onerror=alert(1)> :red[x] **b** $y$ " + "very_long_" * 12 + "ß漢字/conv"


def constant(size: int) -> Width:
    return Width(size)


def of(group: str) -> Width:
    return Width(0, {group: 1})


def _kernels(cls: str, count: int) -> tuple[KernelShape, ...]:
    """All of a layer's weights behind one output."""
    shape = (count, 1) if cls == "Dense" else (1, 1, count, 1)
    return (KernelShape(shape),) if count else ()


class Builder:
    """Collects layers, groups and edges of a convolutional model."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.groups: dict[str, dict] = {}
        self.edges: list[Edge] = []
        self.rows = 0
        self.rng = np.random.default_rng(0)

    def add(self, name, cls, inputs, shape, *, out=None, into=None, params=(), flops=(), why=None):
        weights = Cost(tuple(params))
        kept = {key: entry["channels"] for key, entry in self.groups.items()}
        kernels = weights.value(kept) if cls in ("Conv2D", "Dense") else 0
        stats = None
        if kernels:
            values = self.rng.normal(0, 0.05, min(kernels, 4000))
            histogram, edges = np.histogram(values, 40)
            stats = WeightStats(
                kernels, float(values.mean()), float(values.std()), float(values.min()),
                float(values.max()), tuple(map(int, histogram)), tuple(map(float, edges)),
            )  # fmt: skip
        self.layers.append(
            Layer(
                name=name,
                cls=cls,
                params=weights.value(kept),
                flops=Cost(tuple(flops)).value(kept),
                output_shape=shape,
                prunable=why is None and kernels > 0,
                reason=why or (None if kernels else f"{cls} has no channels of its own."),
                zeros=0.0,
                maskable=kernels > 0,
                magnitude_row=self.rows if kernels else None,
                stats=stats,
                groups_out=(out,) if out else (),
                groups_in=(into,) if into else (),
                params_cost=weights,
                flops_cost=Cost(tuple(flops)),
                kernels=_kernels(cls, kernels),
            )
        )
        self.rows += kernels > 0
        self.edges += [Edge(source, name) for source in inputs]
        for group in (out, into):
            if group and name not in self.groups[group]["layers"]:
                self.groups[group]["layers"].append(name)
        if out and kernels:
            self.groups[out]["producers"].append(name)
        return name

    def group(self, name, channels, reason=None):
        self.groups[name] = {
            "channels": channels, "layers": [], "producers": [], "reason": reason
        }  # fmt: skip
        return name

    def conv(self, name, source, side, into, out, before=None, kernel=3, why=None):
        read = of(into) if into else constant(before)
        square = kernel * kernel
        self.add(
            name, "Conv2D", [source], (side, side, self.groups[out]["channels"]),
            out=out, into=into, why=why,
            params=(Term(square, (read, of(out))), Term(1, (of(out),))),
            flops=(Term(2 * square * side * side, (read, of(out))),),
        )  # fmt: skip
        return self.add(
            f"{name}_bn", "BatchNormalization", [name],
            (side, side, self.groups[out]["channels"]), out=out, params=(Term(4, (of(out),)),),
        )  # fmt: skip


def resnet(blocks: tuple[int, ...] = (3, 3, 3), width: int = 16, odd_name: str | None = None):
    """Build the profile of a residual network for 32×32 pictures, about 20 layers a stage."""
    b = Builder()
    image = b.add("image", "InputLayer", [], (32, 32, 3), why="It is the model's input.")
    stem = b.group("stem", width)
    last = b.conv("stem", image, 32, None, stem, before=3)
    trunk, side = stem, 32
    for stage, count in enumerate(blocks):
        for block in range(count):
            prefix = f"stage{stage + 1}_block{block + 1}"
            skip, source = last, trunk
            if stage and not block:
                side //= 2
                trunk = b.group(f"{prefix}_skip", width * 2**stage)
                skip = b.conv(f"{prefix}_skip", last, side, source, trunk, kernel=1)
            name = odd_name if odd_name and not stage and not block else f"{prefix}_conv1"
            inner = b.group(name, width * 2**stage)
            first = b.conv(name, last, side, source, inner)
            relu = b.add(f"{prefix}_relu1", "ReLU", [first], b.layers[-1].output_shape, out=inner)
            second = b.conv(f"{prefix}_conv2", relu, side, inner, trunk)
            added = b.add(
                f"{prefix}_add", "Add", [skip, second], b.layers[-1].output_shape, out=trunk
            )
            last = b.add(f"{prefix}_relu2", "ReLU", [added], b.layers[-1].output_shape, out=trunk)
    channels = b.groups[trunk]["channels"]
    pooled = b.add("pool", "GlobalAveragePooling2D", [last], (channels,), out=trunk)
    classes = b.group("scores", 10, reason="These are the model's outputs.")
    b.add(
        "scores", "Dense", [pooled], (10,), out=classes, into=trunk,
        params=(Term(1, (of(trunk), of(classes))), Term(1, (of(classes),))),
        flops=(Term(2, (of(trunk), of(classes))),), why="It makes the model's outputs.",
    )  # fmt: skip
    return finish(b, "resnet.keras")


def finish(b: Builder, name: str, model: str = MODEL) -> ModelProfile:
    groups, offset = [], 0
    for key, entry in b.groups.items():
        prunable = entry["reason"] is None
        groups.append(
            Group(
                id=key,
                channels=entry["channels"],
                layers=tuple(entry["layers"]),
                producers=tuple(entry["producers"]),
                prunable=prunable,
                reason=entry["reason"],
                score_offset=offset if prunable else None,
            )
        )
        offset += entry["channels"] if prunable else 0
    full = {group.id: group.channels for group in groups}
    least = {group.id: 1 if group.prunable else group.channels for group in groups}
    params = sum(layer.params for layer in b.layers)
    return ModelProfile(
        digest=model, name=name, family="keras3", file_format="keras", writer="Keras 3.15.1",
        params=params, flops=sum(layer.flops_cost.value(full) for layer in b.layers),
        bytes=4 * params + 50_000, container_bytes=50_000,
        inputs=(TensorSpec("image", b.layers[0].output_shape, "float32"),),
        outputs=(TensorSpec("scores", b.layers[-1].output_shape, "float32"),),
        output_activation="softmax", layers=tuple(b.layers), groups=tuple(groups),
        edges=tuple(b.edges),
        floor_params=sum(layer.params_cost.value(least) for layer in b.layers),
        floor_flops=sum(layer.flops_cost.value(least) for layer in b.layers),
        criteria=("l1", "l2"),
    )  # fmt: skip


def store(profile: ModelProfile, home: Path, model: str = MODEL) -> Path:
    """Write the profile and its arrays as the profile job does. -> the model's folder."""
    folder = home / "models" / model
    profile.save(folder)
    storage.write_bytes(folder / "model.keras", b"not opened by the pages")
    storage.write_json(
        folder / "upload.json", {"name": profile.name, "bytes": profile.bytes, "uploaded": 1e9}
    )
    total = sum(group.channels for group in profile.prunable_groups)
    scores = np.random.default_rng(1).gamma(2.0, 1.0, total).astype(np.float32)
    storage.write_array(folder / "scores_l1.npy", scores)
    storage.write_array(folder / "scores_l2.npy", scores)
    storage.write_json(folder / "latency.json", {"median_ms": 2.0})
    rows = sum(layer.maskable for layer in profile.layers)
    storage.write_array(folder / "magnitudes.npy", np.zeros((rows, QUANTILES), np.float32))
    return folder
