"""Walk a model's calls and let each layer's rule say what it does to channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pruning.analysis.atoms import Atoms
from pruning.analysis.layer_rules import rule_for
from pruning.analysis.layer_rules._base import (
    Call,
    Channels,
    LayerTrace,
    NotUnderstoodError,
    Shape,
    Work,
)
from pruning.frameworks._base import Framework, Node
from pruning.frameworks.running import fixed_batch, model_errors

Sizes = dict[int, tuple[int, ...]]
_UNFORESEEN = (
    *(ArithmeticError, AttributeError, LookupError, StopIteration),
    *(TypeError, ValueError, NotImplementedError),
)


@dataclass(eq=False)
class Traced:
    """What the rules said of a whole model.

    Attributes:
        layers: By ``id(layer)``, in the order of their first call.
        edges: (source layer name, target layer name) of every tensor that is read, each once.
        notes: Sentences for the user, such as how open dimensions were counted.
        calls: Every call in order, with its layer's record and the work of this call alone.
        sizes: Of every tensor, by its id: for one sample, open dimensions counted.
    """

    atoms: Atoms
    layers: dict[int, LayerTrace] = field(default_factory=dict)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    calls: list[tuple[Node, LayerTrace, list[Work]]] = field(default_factory=list)
    sizes: Sizes = field(default_factory=dict)


def trace(framework: Framework, flat_model: Any, length: int) -> Traced:
    """Follow the channels through all calls of a flat model.

    Args:
        framework: Of the model's Keras.
        flat_model: Without nested models, see :meth:`Framework.flat`.
        length: Size that an open dimension counts as.
    """
    nodes = framework.nodes(flat_model)
    traced = Traced(Atoms())
    sizes, counted_rows = _sizes(framework, flat_model, nodes, length, traced.notes)
    together = 1  # samples that the rows are of
    if not counted_rows and (whole := _whole_batch(framework, flat_model, nodes)):
        counted_rows, together = whole
    traced.sizes = sizes
    channels: dict[int, Channels] = {}
    sources: dict[int, str] = {}
    rows: dict[int, int] = {}  # of each tensor, that are one sample
    for node in nodes:
        record = traced.layers.get(id(node.layer))
        if record is None:
            name = framework.path_of(flat_model, node.layer)
            record = LayerTrace(node.layer, name, rule_for(node.layer).effect)
            record.variables = list(getattr(node.layer, "weights", ()))
            record.output_shape = framework.shape(node.outputs[0])[1:]
            traced.layers[id(node.layer)] = record
        call = _call(framework, node, record, traced.atoms, channels, sizes)
        if counted_rows and node.inputs:
            call.times = rows[id(node.inputs[0])]
        else:
            call.times = max((rows[id(tensor)] for tensor in node.inputs), default=1)
        counted = len(record.work)
        sums = [channels.summed for channels in call.inputs if not record.variables]
        for tensor, carried in zip(node.outputs, _outputs(call), strict=True):
            summed = np.concatenate([carried.summed, *sums])
            channels[id(tensor)] = replace(carried, summed=np.unique(summed))
            sources[id(tensor)] = record.name
            rows[id(tensor)] = counted_rows.get(id(tensor)) or call.times_after or call.times
        if together > 1:
            record.work[counted:] = [_share(work, together) for work in record.work[counted:]]
        traced.calls.append((node, record, record.work[counted:]))
        record.inputs += call.inputs
        record.outputs += [channels[id(tensor)] for tensor in node.outputs]
        traced.edges |= dict.fromkeys((sources[id(tensor)], record.name) for tensor in node.inputs)
    for tensor in flat_model.outputs:
        channels[id(tensor)] = channels[id(tensor)].decided()
        copies = channels[id(tensor)].copies
        if copies is not None:
            traced.atoms.freeze(copies.atoms, "These are outputs of the model.")
        traced.atoms.freeze(
            channels[id(tensor)].atoms,
            "These are outputs of the model: one for every class or value it predicts.",
            foremost=True,
        )
    for record in traced.layers.values():
        record.inputs = [given.decided() for given in record.inputs]
        record.outputs = [made.decided() for made in record.outputs]
    return traced


def _call(
    framework: Framework,
    node: Node,
    record: LayerTrace,
    atoms: Atoms,
    channels: dict[int, Channels],
    sizes: Sizes,
) -> Call:
    return Call(
        layer=node.layer,
        atoms=atoms,
        record=record,
        tensors=node.inputs,
        inputs=tuple(channels[id(tensor)] for tensor in node.inputs),
        input_shapes=tuple(framework.shape(tensor) for tensor in node.inputs),
        output_shapes=tuple(framework.shape(tensor) for tensor in node.outputs),
        input_sizes=tuple(sizes[id(tensor)] for tensor in node.inputs),
        output_sizes=tuple(sizes[id(tensor)] for tensor in node.outputs),
        args=node.args,
        kwargs=node.kwargs,
        rule_for=rule_for,
        framework=framework,
    )


def _outputs(call: Call) -> Sequence[Channels]:
    """What the rule says; frozen when it does not understand a setting, or says too little."""
    rule = call.rule_for(call.layer)
    call.inputs = tuple(channels.settled() for channels in call.inputs)
    try:
        outputs = rule.trace(call)
    except NotUnderstoodError as error:
        return _refused(call, str(error))
    # A rule meets settings that nobody foresaw; they must freeze a group, never the model.
    except _UNFORESEEN as error:
        return _refused(call, f"{type(error).__name__}: {str(error)[:120]}")
    call.settle_choices(outputs if rule.by_value else ())
    if not rule.by_value:  # of its input it knows the channels alone
        given = [channels for channels in call.inputs if channels.copies is not None]
        outputs = [replace(o, copies=None) if any(o is g for g in given) else o for o in outputs]
    _settle_copies(call, outputs)
    _settle_sizes(call, outputs if rule.by_value else ())
    for channels, size in zip(outputs, call.output_sizes, strict=True):
        if channels.axis is not None and len(channels.atoms) != size[channels.axis]:
            return _refused(call, "its output has an unexpected width.")
    return outputs


def _settle_copies(call: Call, outputs: Sequence[Channels]) -> None:
    """Repeated values that a rule neither hands on nor lets follow channels are positions to it."""
    handed = [channels.copies.atoms for channels in outputs if channels.copies is not None]
    for channels in call.inputs:
        copies = channels.copies
        if copies is not None and not any(copies.atoms is x for x in (*handed, *call.followed)):
            call.freeze(copies.atoms, f"{call.record.name!r} reads these values as positions.")


def _settle_sizes(call: Call, handed: Sequence[Channels]) -> None:
    """Sizes that a rule neither hands on nor picks from hold the number of the channels, too."""
    for channels in call.inputs:
        known = (*call.followed, *(made.atoms for made in handed))
        if channels.sizes_of is not None and not any(channels.atoms is x for x in known):
            call.freeze(channels.atoms, f"{call.record.name!r} computes with the width of a layer.")


def _refused(call: Call, why: str) -> Sequence[Channels]:
    reason = f"{call.record.name!r} is used in a way the studio does not know: {why}"
    call.record.reason = reason
    call.settle_choices(())
    _settle_copies(call, ())
    for made in call.record.made.values():
        call.freeze(made, reason)
    for weight in call.record.weights.values():  # what other calls said of them
        for atoms in weight.axes.values():
            call.freeze(atoms, reason)
    return call.frozen_outputs(reason)


def _sizes(
    framework: Framework, flat_model: Any, nodes: list[Node], length: int, notes: list[str]
) -> tuple[Sizes, dict[int, int]]:
    """Sizes of all tensors for one sample, open dimensions counted as ``length``.

    Returns:
        The sizes, and how many rows each tensor has for one sample: of several when branches stand
        on the first axis, or steps. No rows where the rules' own count will do.
    """
    tensors = {id(t): t for node in nodes for t in (*node.inputs, *node.outputs)}
    shapes = {key: framework.shape(tensor) for key, tensor in tensors.items()}
    known = all(None not in shape[1:] for shape in shapes.values())
    if known and not any(map(_repeats_rows, nodes)):
        return {key: _counted(shape, 1) for key, shape in shapes.items()}, {}
    try:
        measured = _measured(framework, flat_model, tensors, length)
    except model_errors() as error:
        if not known:
            notes.append(
                f"Open dimensions count as 1: the model does not run with {length} "
                f"({str(error).splitlines()[0][:80]}). Give another length."
            )
        return {key: _counted(shape, 1) for key, shape in shapes.items()}, {}
    # Tensors that are stacked in front of the samples have an open dimension of their own.
    if any(None in framework.shape(tensor)[1:] for tensor in flat_model.inputs):
        notes.append(f"Open dimensions of the input count as {length} in all FLOPs.")
    sizes = {key: _counted(shape, length) for key, shape in measured.items()}
    if fixed_batch(flat_model) is not None:  # rows of what is fixed are no multiple of one sample
        return sizes, {}
    return sizes, {key: shape[0] or 1 if shape else 1 for key, shape in measured.items()}


def _whole_batch(
    framework: Framework, flat_model: Any, nodes: Sequence[Node]
) -> tuple[dict[int, int], int] | None:
    """Rows of every tensor for all samples that are read at once, and how many samples these are.

    Where their number is fixed, and steps lie on the first axis: some layer reads them there, or
    turns them there. Else the rows are the samples, and nothing is said.
    """
    samples = fixed_batch(flat_model)
    shapes = {id(t): framework.shape(t) for n in nodes for t in (*n.inputs, *n.outputs)}
    rows = {key: shape[0] if shape else 1 for key, shape in shapes.items()}
    known = {key: count for key, count in rows.items() if count is not None}
    if samples is None or len(known) < len(rows):
        return None
    begins = framework.shape(flat_model.inputs[0])[:2]
    for node in nodes:
        if getattr(node.layer, "time_major", False) and shapes[id(node.inputs[0])][:2] == begins:
            return (known, begins[1]) if begins[1] else None  # the inputs' first axis is time
    return (known, samples) if set(known.values()) - {samples, 1} else None


def _share(work: Work, samples: int) -> Work:
    """What one of so many samples has of the work for all of them."""
    return replace(work, multiply_adds=-(-work.multiply_adds // samples))


def _repeats_rows(node: Node) -> bool:
    """Whether a call may answer with more rows than it reads, without its shape telling so."""
    places = (getattr(node.layer, "axis", None), node.kwargs.get("axis"), *node.args[1:2])
    name = rule_for(node.layer).name
    return name == "repetition" or (name == "concatenation" and 0 in [*map(_number, places)])


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _measured(
    framework: Framework, flat_model: Any, tensors: dict[int, Any], length: int
) -> dict[int, Shape]:
    """Ask Keras for the shape of every tensor when one sample has a fixed size; runs nothing.

    Where Keras does not know (a layer was told that it makes an open dimension), TensorFlow does.
    """
    inputs = list(flat_model.inputs)
    keras = framework.keras
    probe = keras.Model(inputs, list(tensors.values()))
    fixed = [
        keras.Input(batch_shape=_counted(framework.shape(tensor), length), dtype=tensor.dtype)
        for tensor in inputs
    ]
    outputs = probe(fixed if len(fixed) > 1 else fixed[0])
    listed = outputs if isinstance(outputs, list | tuple) else [outputs]
    shapes = [framework.shape(output) for output in listed]
    if any(None in shape[1:] for shape in shapes):
        shapes = _drawn(framework, probe, fixed)
    if any(size is not None and size < 1 for shape in shapes for size in shape[1:]):
        raise ValueError("a layer has nothing left to read")  # Keras counts on below 0
    return dict(zip(tensors, shapes, strict=True))


def _drawn(framework: Framework, probe: Any, fixed: Sequence[Any]) -> list[Shape]:
    """Shapes of all outputs in the graph that TensorFlow draws of a model; runs nothing."""
    import tensorflow as tf

    specs = [tf.TensorSpec(framework.shape(tensor), tensor.dtype) for tensor in fixed]

    def call(*values: Any) -> Any:
        return probe(list(values) if len(values) > 1 else values[0], training=False)

    drawn = tf.function(call, autograph=False).get_concrete_function(*specs)
    return [framework.shape(output) for output in tf.nest.flatten(drawn.structured_outputs)]


def runs_with(framework: Framework, flat_model: Any, length: int) -> bool:
    """Whether a flat model accepts inputs with that size of open dimensions; runs nothing."""
    tensors = {id(t): t for node in framework.nodes(flat_model) for t in node.outputs}
    try:
        _measured(framework, flat_model, tensors, length)
    except model_errors():
        return False
    return True


def _counted(shape: Shape, length: int) -> tuple[int, ...]:
    return tuple(
        1 if position == 0 else length if size is None else size
        for position, size in enumerate(shape)
    )
