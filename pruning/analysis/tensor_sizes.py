"""Sizes of all tensors of a model for one sample, and how many rows of each are one sample.

FLOPs are told for one sample. Open dimensions have no size until one is chosen, and some models
put branches or steps on the first axis, where the samples usually are alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pruning.analysis.layer_rules import rule_for
from pruning.analysis.layer_rules._base import Shape
from pruning.frameworks._base import Framework, Node
from pruning.frameworks.running import fixed_batch, model_errors


@dataclass(frozen=True, eq=False)
class Sizes:
    """Of all tensors of a model, by their ids.

    Attributes:
        shapes: For one sample, open dimensions counted.
        rows: How many rows of each tensor ``samples`` samples have, where branches or steps lie
            on the first axis. Empty where the rules' own count will do.
        samples: The ``rows`` are of.
        notes: Sentences for the user, such as how open dimensions were counted.
    """

    shapes: dict[int, tuple[int, ...]]
    rows: dict[int, int] = field(default_factory=dict)
    samples: int = 1
    notes: tuple[str, ...] = ()


def find_sizes(framework: Framework, flat_model: Any, nodes: Sequence[Node], length: int) -> Sizes:
    """Sizes of all tensors; runs nothing.

    Args:
        framework: Of the model's Keras.
        flat_model: Without nested models, see :meth:`Framework.flat`.
        nodes: Its calls.
        length: Size that an open dimension counts as.
    """
    sizes = _of_one_sample(framework, flat_model, nodes, length)
    if not sizes.rows and (whole := _whole_batch(framework, flat_model, nodes)):
        rows, samples = whole
        return replace(sizes, rows=rows, samples=samples)
    return sizes


def runs_with(framework: Framework, flat_model: Any, length: int) -> bool:
    """Whether a flat model accepts inputs with that size of open dimensions; runs nothing."""
    tensors = {id(t): t for node in framework.nodes(flat_model) for t in node.outputs}
    try:
        _measured(framework, flat_model, tensors, length)
    except model_errors():
        return False
    return True


def _of_one_sample(
    framework: Framework, flat_model: Any, nodes: Sequence[Node], length: int
) -> Sizes:
    tensors = {id(t): t for node in nodes for t in (*node.inputs, *node.outputs)}
    shapes = {key: framework.shape(tensor) for key, tensor in tensors.items()}
    known = all(None not in shape[1:] for shape in shapes.values())
    if known and not any(map(_repeats_rows, nodes)):
        return Sizes(_counted(shapes, 1))
    try:
        measured = _measured(framework, flat_model, tensors, length)
    except model_errors() as error:
        told = str(error).splitlines()[0][:80]
        note = f"Open dimensions count as 1: the model does not run with {length} ({told})."
        return Sizes(_counted(shapes, 1), notes=() if known else (f"{note} Give another length.",))
    # Tensors that are stacked in front of the samples have an open dimension of their own.
    opened = any(None in framework.shape(tensor)[1:] for tensor in flat_model.inputs)
    notes = (f"Open dimensions of the input count as {length} in all FLOPs.",) if opened else ()
    sizes = Sizes(_counted(measured, length), notes=notes)
    if fixed_batch(flat_model) is not None:  # rows of what is fixed are no multiple of one sample
        return sizes
    rows = {key: shape[0] or 1 if shape else 1 for key, shape in measured.items()}
    return replace(sizes, rows=rows)


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
        keras.Input(batch_shape=_sized(framework.shape(tensor), length), dtype=tensor.dtype)
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


def _counted(shapes: Mapping[int, Shape], length: int) -> dict[int, tuple[int, ...]]:
    return {key: _sized(shape, length) for key, shape in shapes.items()}


def _sized(shape: Shape, length: int) -> tuple[int, ...]:
    return tuple(
        1 if position == 0 else length if size is None else size
        for position, size in enumerate(shape)
    )
