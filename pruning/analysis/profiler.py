"""From a loaded model to its :class:`ModelProfile`, and to what surgery and scoring need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning import storage
from pruning.analysis.blocks import find_blocks
from pruning.analysis.call_graph import CallGraph, call_graph
from pruning.analysis.cost import Cost
from pruning.analysis.graph import Traced, trace
from pruning.analysis.groups import (
    ChannelGroups,
    channel_rows,
    flops_cost,
    make_groups,
    params_cost,
)
from pruning.analysis.input_needs import input_needs
from pruning.analysis.layer_rules._base import LayerTrace
from pruning.analysis.layer_rules._settings import activation_name
from pruning.analysis.profile import Edge, Group, KernelShape, Layer, ModelProfile, TensorSpec
from pruning.analysis.statistics import weight_stats, zero_fraction
from pruning.analysis.stored import Stored, bytes_vary
from pruning.frameworks._base import Framework, Node
from pruning.frameworks.names import is_depthwise

if TYPE_CHECKING:
    from pruning.intake.model_file import LoadedModel

NO_WEIGHTS = "It has no weights: what comes in goes out with the same channels."
FOLLOWS = "It makes no channels of its own: it shrinks with the layers before it."


@dataclass(eq=False)
class Analysis:
    """Everything known of a loaded model; needs the model's Keras, unlike its ``profile``.

    Attributes:
        model: As loaded; never changed.
        flat: The same layers as one graph without nested models.
        graph: Its calls, numbered as in the profile.
        length: A size of open dimensions that the model has answered to.
    """

    framework: Framework
    model: Any
    flat: Any
    traced: Traced
    channels: ChannelGroups
    profile: ModelProfile
    graph: CallGraph
    length: int

    @property
    def groups(self) -> tuple[Group, ...]:
        """All channel groups."""
        return self.channels.groups

    @property
    def layers(self) -> list[LayerTrace]:
        """What the rules said of each layer, in the model's order."""
        return list(self.traced.layers.values())


@dataclass(eq=False)
class _Profiling:
    """Adds up layer by layer while the profile is built."""

    channels: ChannelGroups
    stored: Stored
    for_pricing: bool
    prunable: dict[str, Group] = field(default_factory=dict)
    full: dict[str, int] = field(default_factory=dict)
    rows: int = 0

    def __post_init__(self) -> None:
        self.prunable = {group.id: group for group in self.channels.groups if group.prunable}
        self.full = {group.id: group.channels for group in self.channels.groups}


def analyse_file(
    path: Path, name: str = "", *, length: int | None = None, for_pricing: bool = True
) -> tuple[LoadedModel, Analysis]:
    """Load a model file and analyse it; see :func:`analyse`.

    Args:
        path: A ``.keras`` or ``.h5`` file.
        name: The model's name for people; the file's by default.
        length: What an open dimension counts as.
        for_pricing: Also measure what a cut does not need.

    Raises:
        ModelFileError: The file is no model that the studio can work on.
    """
    from pruning.intake.model_file import load

    loaded = load(path)
    size, digest = path.stat().st_size, storage.digest_file(path)
    return loaded, analyse(
        loaded,
        digest=digest,
        name=name or path.name,
        bytes=size,
        length=length,
        for_pricing=for_pricing,
    )


def analyse(
    loaded: LoadedModel,
    *,
    digest: str = "",
    name: str = "",
    bytes: int = 0,
    length: int | None = None,
    for_pricing: bool = True,
) -> Analysis:
    """Analyse a loaded model.

    Args:
        loaded: The model with its framework and what is known of its file.
        digest: Identifier of the model's file.
        name: The file's name, for people.
        bytes: Size of the file.
        length: What an open dimension (time steps, tokens) counts as in FLOPs; by default what
            it was when the model answered for the first time.
        for_pricing: Also measure what pages show and files are priced by: how the weights are
            distributed, and what the file holds beside them, by saving the model once. Takes
            longer than all the rest; a cut needs none of it.
    """
    framework, model = loaded.framework, loaded.model
    flat = framework.flat(model)
    traced = trace(framework, flat, length or loaded.length)
    channels = make_groups(traced)
    stored = Stored(framework, model, loaded.file.file_format)
    state = _Profiling(channels, stored, for_pricing)
    layers = tuple(_layer(record, state) for record in traced.layers.values())
    floor = state.full | {group.id: group.minimum for group in state.prunable.values()}
    graph = call_graph(framework, flat, traced)
    nodes = framework.nodes(flat)
    activations = tuple(_activation(tensor, nodes) for tensor in flat.outputs)
    needs, *others = (input_needs(entry, nodes) for entry in flat.inputs)
    profile = ModelProfile(
        digest=digest,
        name=name,
        family=framework.family,
        file_format=loaded.file.file_format,
        writer=loaded.file.writer,
        params=sum(layer.params for layer in layers),
        flops=sum(layer.flops for layer in layers),
        bytes=bytes,
        container_bytes=stored.container_bytes(layers) if for_pricing else None,
        inputs=tuple(_tensor(framework, tensor) for tensor in model.inputs),
        outputs=_outputs(framework, model),
        output_activation=activations[0],
        layers=layers,
        groups=_with_offsets(channels.groups),
        edges=tuple(Edge(source, target) for source, target in traced.edges),
        floor_params=_total([layer.params_cost for layer in layers], floor),
        floor_flops=_total([layer.flops_cost for layer in layers], floor),
        notes=tuple(traced.notes),
        scales_itself=needs.scales_itself,
        bytes_vary=bytes_vary(traced.layers.values()),
        vocabulary=needs.vocabulary,
        calls=tuple(graph.calls),
        ends=graph.ends,
        blocks=find_blocks(framework, flat, graph, layers),
        other_needs=tuple(others),
        output_activations=activations,
    )
    return Analysis(framework, model, flat, traced, channels, profile, graph, loaded.length)


def channel_weights(analysis: Analysis) -> dict[str, list[np.ndarray]]:
    """Kernels that make each group that can shrink, one row per channel, for scoring.

    Returns:
        {group id: [(channels, values), …]}, one array per producing kernel. Gates of a recurrent
        unit, both directions of a bidirectional layer and the width of a head lie in its row.
    """
    found: dict[str, list[np.ndarray]] = {g.id: [] for g in analysis.groups if g.can_shrink}
    roots = analysis.channels.roots
    for record in analysis.layers:
        for index, axes in record.weights.items():
            if not axes.kernel or not axes.makes:
                continue
            names = {n for atoms in axes.makes.values() for n in analysis.channels.ids(atoms)}
            array = _value(record.variables[index])
            for name in sorted(names & found.keys()):
                rows = channel_rows(array, axes, analysis.channels.members[name], roots)
                if rows is not None:
                    found[name].append(rows)
    return found


def kernels(analysis: Analysis) -> dict[str, list[tuple[str, np.ndarray]]]:
    """Weights that the method *weights* may set to zero. -> {layer name: [(weight name, array)]}.

    The weight's name is ``<layer>/<index in get_weights()>``, unique in the model.
    """
    return {
        layer: [(name, _value(variable)) for name, variable in variables]
        for layer, variables in kernel_variables(analysis).items()
    }


def kernel_variables(analysis: Analysis) -> dict[str, list[tuple[str, Any]]]:
    """As :func:`kernels`, with the model's variables themselves."""
    return {
        record.name: [(f"{record.name}/{i}", record.variables[i]) for i in _kernel_indices(record)]
        for record in analysis.layers
        if _kernel_indices(record)
    }


def _layer(record: LayerTrace, state: _Profiling) -> Layer:
    channels = state.channels
    params, flops = params_cost(record, channels), flops_cost(record, channels)
    maskable = _kernel_indices(record)
    arrays = [_value(record.variables[index]) for index in maskable if state.for_pricing]
    made = _ids(channels, list(record.made.values()))
    prunable = any(name in state.prunable for name in made)
    row = None
    if maskable:
        row, state.rows = state.rows, state.rows + 1
    return Layer(
        name=record.name,
        cls=_class_name(record.layer),
        params=params.value(state.full),
        flops=flops.value(state.full),
        output_shape=record.output_shape,
        prunable=prunable,
        reason=None if prunable else _reason(record, made, channels),
        zeros=zero_fraction(arrays),
        maskable=bool(maskable),
        magnitude_row=row,
        stats=weight_stats(arrays),
        groups_out=_ids(channels, [out.atoms for out in record.outputs]),
        groups_in=_ids(channels, [given.atoms for given in record.inputs]),
        params_cost=params,
        flops_cost=flops,
        value_bytes=state.stored.value_bytes(record.variables),
        kernels=tuple(_kernel_shape(record, index) for index in _kernel_indices(record)),
    )


def _reason(record: LayerTrace, made: tuple[str, ...], channels: ChannelGroups) -> str:
    by_id = {group.id: group for group in channels.groups}
    for name in made:
        if (reason := by_id[name].reason) is not None:
            return reason
    if record.reason is not None:
        return record.reason
    return FOLLOWS if record.variables else NO_WEIGHTS


def _kernel_indices(record: LayerTrace) -> list[int]:
    return [index for index, axes in sorted(record.weights.items()) if axes.kernel]


def _kernel_shape(record: LayerTrace, index: int) -> KernelShape:
    variable = record.variables[index]
    name = variable.name.split(":")[0].rpartition("/")[2]
    return KernelShape(tuple(record.weights[index].shape), is_depthwise(record.layer, name))


def _class_name(layer: Any) -> str:
    symbol = getattr(layer, "symbol", None)
    return f"tf.{symbol}" if symbol else type(layer).__name__


def _ids(channels: ChannelGroups, atoms: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for entry in atoms for name in channels.ids(entry)))


def _with_offsets(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    offset = 0
    placed = []
    for group in groups:
        placed.append(replace(group, score_offset=offset if group.can_shrink else None))
        offset += group.channels if group.can_shrink else 0
    return tuple(placed)


def _total(costs: list[Cost], kept: dict[str, int]) -> int:
    return sum(cost.value(kept) for cost in costs)


def _tensor(framework: Framework, tensor: Any) -> TensorSpec:
    name = str(tensor.name).split(":")[0]
    dtype = str(getattr(tensor.dtype, "name", tensor.dtype))
    return TensorSpec(name, framework.shape(tensor)[1:], dtype)


def _outputs(framework: Framework, model: Any) -> tuple[TensorSpec, ...]:
    specs = tuple(_tensor(framework, tensor) for tensor in model.outputs)
    if len(specs) == 1:
        return specs
    # Keras makes up the names of these tensors, and knows the outputs by their layers.
    names = zip(specs, model.output_names, strict=True)
    return tuple(replace(spec, name=str(name)) for spec, name in names)


def _activation(output: Any, nodes: Sequence[Node]) -> str | None:
    """Activation of the layer that makes an output; ``linear`` when it has none."""
    node = next(n for n in nodes if any(t is output for t in n.outputs))
    layer = node.layer
    while hasattr(layer, "layer") and hasattr(layer.layer, "get_config"):
        layer = layer.layer
    cls = type(layer).__name__.lower()
    if getattr(layer, "symbol", None):
        cls = str(layer.symbol).rsplit(".", 1)[-1]
    if cls in ("softmax", "sigmoid", "tanh", "relu", "softplus"):
        return cls
    return activation_name(getattr(layer, "activation", None))


def _value(variable: Any) -> np.ndarray:
    value = variable.numpy()
    return np.asarray(value, np.float32) if value.dtype.itemsize < 4 else np.asarray(value)
