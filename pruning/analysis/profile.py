"""ModelProfile: everything the interface needs to know of a model, readable without TensorFlow.

Stored as ``profile.json`` and ``.npy`` files beside it:

    scores_<criterion>.npy  float32, all prunable groups' channel scores one after another,
                            at their ``score_offset``; not a number where the criterion does
                            not apply, with the reasons in ``scores_<criterion>.json``
    magnitudes.npy          float32 (prunable layers, QUANTILES): quantiles of |w| of each layer
                            with a ``magnitude_row``, what prices a global magnitude threshold
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pruning import storage
from pruning.analysis.cost import Cost
from pruning.analysis.input_needs import InputNeeds

QUANTILES = 1025


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of the model; ``None`` in a shape is an open dimension."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class WeightStats:
    """Distribution of a layer's prunable weights (kernels, not biases)."""

    count: int
    mean: float
    std: float
    minimum: float
    maximum: float
    histogram: tuple[int, ...]
    edges: tuple[float, ...]


@dataclass(frozen=True)
class KernelShape:
    """One of a layer's kernels, as the patterns of zeros see it.

    Attributes:
        shape: Of the variable.
        depthwise: Each output reads one input channel: there is no input axis to group along.
    """

    shape: tuple[int, ...]
    depthwise: bool = False

    @property
    def count(self) -> int:
        """Its number of weights."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """One layer as the studio sees it.

    Attributes:
        name: The layer's path: ``outer/inner`` for a layer of a nested model.
        cls: Class name, as in ``Conv2D``.
        params: All values in its weights, trainable or not.
        flops: 2 x multiply-adds for one sample, shared layers counted once per call.
        output_shape: Without the batch dimension.
        prunable: Its own output channels can be removed.
        reason: Why not, when not prunable; a sentence for a newcomer.
        zeros: Fraction of exact zeros among its kernels; 0 without kernels.
        maskable: Its kernels can be set to zero by the method *weights*.
        magnitude_row: Row in ``magnitudes.npy``, when maskable.
        groups_out: Ids of the channel groups that its output channels belong to.
        groups_in: Ids of the channel groups that it reads.
        params_cost, flops_cost: The same numbers as functions of the groups' widths.
        value_bytes: What one value of its weights takes in the model's file.
        kernels: What the method *weights* may zero, in the order of the layer's weights.
    """

    name: str
    cls: str
    params: int
    flops: int
    output_shape: tuple[int | None, ...]
    prunable: bool
    reason: str | None
    zeros: float
    maskable: bool
    magnitude_row: int | None
    stats: WeightStats | None
    groups_out: tuple[str, ...]
    groups_in: tuple[str, ...]
    params_cost: Cost
    flops_cost: Cost
    value_bytes: int = 4
    kernels: tuple[KernelShape, ...] = ()


@dataclass(frozen=True)
class Group:
    """Channels that can only be removed together, across all the layers that carry them.

    Attributes:
        id: Name of the first producing layer, with ``#2``, ``#3`` when that is taken.
        channels: How many channels there are to remove; attention groups count heads.
        layers: Every layer whose weights change, producers first.
        producers: The layers that make these channels.
        prunable: False when the group is frozen.
        reason: Why it is frozen; a sentence for a newcomer.
        unit: ``channel``, ``unit`` or ``head``.
        minimum: Smallest number of channels that may be left (at least 1).
        multiple: Channels are removed in multiples of this (grouped convolutions), else 1.
        score_offset: Where its scores begin in ``scores_<criterion>.npy``, when it can shrink.
        on_request: It is not prunable unless a plan names this kind. ``inexact``: the channels
            that stay change, too, because a layer normalises over all of them. ``rescaled``: the
            cut is exact, but a weight is multiplied by a number besides being sliced. ``summed``:
            the cut is exact, but the channels are summed over without weights.
    """

    id: str
    channels: int
    layers: tuple[str, ...]
    producers: tuple[str, ...]
    prunable: bool
    reason: str | None
    unit: str = "channel"
    minimum: int = 1
    multiple: int = 1
    score_offset: int | None = None
    on_request: str | None = None

    @property
    def can_shrink(self) -> bool:
        """It is prunable, at least on request."""
        return self.prunable or self.on_request is not None


@dataclass(frozen=True)
class Edge:
    """``target`` reads the output of ``source``; both are layer names."""

    source: str
    target: str


@dataclass(frozen=True)
class Call:
    """One use of a layer. Tensors are numbered through the model.

    Attributes:
        layer: The layer's name.
        reads, makes: Numbers of the tensors that go in and come out; inputs read nothing.
        flops: Of this call alone, for one sample.
    """

    layer: str
    reads: tuple[int, ...]
    makes: tuple[int, ...]
    flops: int


BlockKind = Literal["residual", "gate", "layer", "transformer"]


@dataclass(frozen=True)
class Block:
    """Part of the model whose output has the form of its input, and that could be left out whole.

    Attributes:
        id: Name of the layer that makes its output; ``first..last`` for a transformer block.
        kind: ``residual``: the branch beside a shortcut, with the addition. ``gate``: what computes
            the factors of a product. ``layer``: one layer with what normalises and activates it.
            ``transformer``: an attention branch and the branch that follows, whole.
        layers: Those that go when only this block is removed, in the model's order.
        params: Values in the weights that go.
        flops: That go, for one sample.
        source, target: Layers that make its input and its output.
        shape: Of its output, without the batch dimension; its input has the same when removable.
        bypasses: ``(target tensor, source tensor)`` by number: the one whose readers read the other
            instead. Several when a nested model that holds the block is called several times.
        axis: Of the channels in these tensors, the batch dimension counted.
        reason: Why it cannot be removed, a sentence for a newcomer; None when it can.
        within: Ids of the blocks that it is a part of.
    """

    id: str
    kind: BlockKind
    layers: tuple[str, ...]
    params: int
    flops: int
    source: str
    target: str
    shape: tuple[int | None, ...]
    bypasses: tuple[tuple[int, int], ...]
    axis: int
    reason: str | None = None
    within: tuple[str, ...] = ()

    @property
    def removable(self) -> bool:
        """It can be removed."""
        return self.reason is None


@dataclass(frozen=True)
class ModelProfile:
    """What is known of a model file. See the module's docstring for the arrays beside it."""

    digest: str
    name: str
    family: str  # "keras3" | "tf_keras"
    file_format: str  # "keras" | "h5"
    writer: str  # "Keras 2.3.1"
    params: int
    flops: int
    bytes: int
    # Of the file as the studio saves it, beyond the weights; cuts keep it. None: not measured.
    container_bytes: int | None
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]  # several are called after the layers that answer
    output_activation: str | None  # "softmax", "sigmoid", "linear", …, of the first output
    layers: tuple[Layer, ...]
    groups: tuple[Group, ...]
    edges: tuple[Edge, ...]
    floor_params: int
    floor_flops: int
    criteria: tuple[str, ...] = ()  # those with a scores file
    notes: tuple[str, ...] = field(default=())
    scales_itself: bool = False  # Rescaling or Normalization comes first: feed raw values
    # A cut changes more of the file than its layers' weights: constants written into operators.
    bytes_vary: bool = False
    vocabulary: int | None = None  # input_dim of the embedding that reads the first input
    calls: tuple[Call, ...] = ()  # inputs come before their readers
    ends: tuple[int, ...] = ()  # numbers of the tensors that the model answers with
    blocks: tuple[Block, ...] = ()
    other_needs: tuple[InputNeeds, ...] = ()  # of the inputs after the first
    output_activations: tuple[str | None, ...] = ()  # the first is ``output_activation``

    def layer(self, name: str) -> Layer:
        """Return the layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)

    def block(self, name: str) -> Block:
        """Return the block of that id."""
        return next(block for block in self.blocks if block.id == name)

    @property
    def removable_blocks(self) -> tuple[Block, ...]:
        """The blocks that can be removed, in the model's order."""
        return tuple(block for block in self.blocks if block.removable)

    @property
    def prunable_groups(self) -> tuple[Group, ...]:
        """The groups that are not frozen, in the model's order."""
        return tuple(group for group in self.groups if group.prunable)

    def requested(self, kinds: Collection[str]) -> ModelProfile:
        """Copy in which the groups that are cut on request of ``kinds`` are prunable."""
        opened = tuple(
            replace(group, prunable=True, reason=None) if group.on_request in kinds else group
            for group in self.groups
        )
        return self if opened == self.groups else replace(self, groups=opened)

    def to_dict(self) -> dict[str, Any]:
        """JSON form of the whole profile."""
        record = asdict(self)
        for entry, layer in zip(record["layers"], self.layers, strict=True):
            entry["params_cost"] = layer.params_cost.to_list()
            entry["flops_cost"] = layer.flops_cost.to_list()
        return record

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> ModelProfile:
        """Inverse of :meth:`to_dict`."""
        fields = {key: value for key, value in record.items() if key != "format"}
        fields["inputs"] = tuple(_tensor(entry) for entry in record["inputs"])
        fields["outputs"] = tuple(_tensor(entry) for entry in record["outputs"])
        fields["layers"] = tuple(_layer(entry) for entry in record["layers"])
        fields["groups"] = tuple(Group(**_tuples(entry)) for entry in record["groups"])
        fields["edges"] = tuple(Edge(**entry) for entry in record["edges"])
        fields["calls"] = tuple(Call(**_tuples(entry)) for entry in record.get("calls", ()))
        fields["blocks"] = tuple(_block(entry) for entry in record.get("blocks", ()))
        fields["other_needs"] = tuple(InputNeeds(**n) for n in record.get("other_needs", ()))
        return cls(**_tuples(fields))

    def save(self, folder: Path) -> None:
        """Write ``profile.json`` into ``folder``."""
        storage.write_json(folder / "profile.json", self.to_dict())

    @classmethod
    def load(cls, folder: Path) -> ModelProfile:
        """Read ``profile.json`` from ``folder``."""
        return cls.from_dict(storage.read_json(folder / "profile.json"))


def load_scores(profile: ModelProfile, folder: Path, criterion: str) -> dict[str, np.ndarray]:
    """Channel scores of every prunable group. -> {group id: (channels,)}, larger = keep.

    A group that the criterion does not apply to is left out.
    """
    flat = storage.read_array(folder / f"scores_{criterion}.npy")
    scores = {}
    for group in profile.prunable_groups:
        if group.score_offset is None:
            continue
        values = flat[group.score_offset : group.score_offset + group.channels]
        if np.isfinite(values).all():
            scores[group.id] = values
    return scores


def load_magnitudes(profile: ModelProfile, folder: Path) -> dict[str, np.ndarray]:
    """Quantiles of |w| of every maskable layer. -> {layer name: (QUANTILES,)}."""
    rows = storage.read_array(folder / "magnitudes.npy")
    return {
        layer.name: rows[layer.magnitude_row]
        for layer in profile.layers
        if layer.magnitude_row is not None
    }


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}


def _tensor(entry: dict[str, Any]) -> TensorSpec:
    return TensorSpec(**_tuples(entry))


def _block(entry: dict[str, Any]) -> Block:
    pairs = tuple((int(target), int(source)) for target, source in entry["bypasses"])
    return Block(**{**_tuples(entry), "bypasses": pairs})


def _layer(entry: dict[str, Any]) -> Layer:
    fields = _tuples(entry)
    fields["stats"] = WeightStats(**_tuples(entry["stats"])) if entry["stats"] else None
    fields["params_cost"] = Cost.from_list(entry["params_cost"])
    fields["flops_cost"] = Cost.from_list(entry["flops_cost"])
    fields["kernels"] = tuple(
        KernelShape(tuple(kernel["shape"]), kernel["depthwise"])
        for kernel in entry.get("kernels", ())
    )
    return Layer(**fields)
