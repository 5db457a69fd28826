"""Walk a model's calls and let each layer's rule say what it does to channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pruning.analysis.atoms import NO_ATOMS, Atoms
from pruning.analysis.layer_rules import rule_for
from pruning.analysis.layer_rules._base import (
    Call,
    Channels,
    LayerTrace,
    NotUnderstoodError,
    Work,
)
from pruning.analysis.tensor_sizes import Sizes, find_sizes
from pruning.frameworks._base import Framework, Node

UNREAD = (
    "A nested model answers with values that are computed from these channels, and nobody reads "
    "them: the model's own answers do not need them."
)
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
        aside: Calls for outputs of nested models that nobody reads: what they read is cut in their
            weights, too, but nothing that the model answers needs their work.
        sizes: Of every tensor, by its id: for one sample, open dimensions counted.
    """

    atoms: Atoms
    layers: dict[int, LayerTrace] = field(default_factory=dict)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    calls: list[tuple[Node, LayerTrace, list[Work]]] = field(default_factory=list)
    aside: list[Node] = field(default_factory=list)
    sizes: dict[int, tuple[int, ...]] = field(default_factory=dict)


def trace(framework: Framework, flat_model: Any, length: int) -> Traced:
    """Follow the channels through all calls of a flat model.

    Args:
        framework: Of the model's Keras.
        flat_model: Without nested models, see :meth:`Framework.flat`.
        length: Size that an open dimension counts as.
    """
    nodes, aside = framework.nodes(flat_model), framework.unread(flat_model)
    sizes = find_sizes(framework, flat_model, [*nodes, *aside], length)
    walk = _Walk(framework, flat_model, sizes)
    for node in nodes:
        walk.follow(node)
    walk.follow_aside(aside)
    walk.end()
    return walk.traced


class _Walk:
    """A walk over all calls of a model, in their order.

    Args:
        framework: Of the model's Keras.
        flat_model: Without nested models.
        sizes: Of its tensors.
    """

    def __init__(self, framework: Framework, flat_model: Any, sizes: Sizes) -> None:
        self.traced = Traced(Atoms(), notes=list(sizes.notes), sizes=sizes.shapes)
        self._framework, self._model, self._sizes = framework, flat_model, sizes
        # Of each tensor, by its id:
        self._channels: dict[int, Channels] = {}
        self._sources: dict[int, str] = {}  # layer that makes it
        self._rows: dict[int, int] = {}  # that are one sample

    def follow(self, node: Node) -> None:
        """Let the rule of one call's layer say what becomes of the channels."""
        record = self._record(node)
        call = self._call(node, record)
        counted = len(record.work)
        sums = [channels.summed for channels in call.inputs if not record.variables]
        for tensor, carried in zip(node.outputs, _outputs(call), strict=True):
            summed = np.concatenate([carried.summed, *sums])
            self._channels[id(tensor)] = replace(carried, summed=np.unique(summed))
            self._sources[id(tensor)] = record.name
            rows = self._sizes.rows.get(id(tensor)) or call.times_after or call.times
            self._rows[id(tensor)] = rows
        # The rows were of so many samples; FLOPs are told for one.
        record.work[counted:] = [_share(w, self._sizes.samples) for w in record.work[counted:]]
        self.traced.calls.append((node, record, record.work[counted:]))
        record.inputs += call.inputs
        record.outputs += [self._channels[id(tensor)] for tensor in node.outputs]
        read = ((self._sources[id(tensor)], record.name) for tensor in node.inputs)
        self.traced.edges |= dict.fromkeys(read)

    def follow_aside(self, nodes: Sequence[Node]) -> None:
        """Follow calls that nothing the model answers needs; what only they make stays whole."""
        if not nodes:
            return
        traced = self.traced
        known = [self._channels[id(t)].atoms for node, *_ in traced.calls for t in node.outputs]
        met = [atoms for record in traced.layers.values() for atoms in record.made.values()]
        before = len(traced.calls)
        for node in nodes:
            counted = len(self._record(node).work)
            self.follow(node)
            del self._record(node).work[counted:]
        traced.aside += nodes
        del traced.calls[before:]
        made = [self._channels[id(tensor)].decided().atoms for n in nodes for tensor in n.outputs]
        made += [atoms for node in nodes for atoms in self._record(node).made.values()]
        roots = traced.atoms.roots()
        live = roots[np.concatenate([NO_ATOMS, *known, *met])]
        for atoms in made:
            traced.atoms.freeze(atoms[~np.isin(roots[atoms], live)], UNREAD)

    def end(self) -> None:
        """Freeze what the model answers, and settle what was left open."""
        atoms = self.traced.atoms
        for tensor in self._model.outputs:
            channels = self._channels[id(tensor)] = self._channels[id(tensor)].decided()
            if channels.copies is not None:
                atoms.freeze(channels.copies.atoms, "These are outputs of the model.")
            atoms.freeze(
                channels.atoms,
                "These are outputs of the model: one for every class or value it predicts.",
                foremost=True,
            )
        for record in self.traced.layers.values():
            record.inputs = [given.decided() for given in record.inputs]
            record.outputs = [made.decided() for made in record.outputs]

    def _record(self, node: Node) -> LayerTrace:
        """The record of a call's layer, begun at its first call."""
        record = self.traced.layers.get(id(node.layer))
        if record is None:
            name = self._framework.path_of(self._model, node.layer)
            record = LayerTrace(node.layer, name, rule_for(node.layer).effect)
            record.variables = list(getattr(node.layer, "weights", ()))
            record.output_shape = self._framework.shape(node.outputs[0])[1:]
            self.traced.layers[id(node.layer)] = record
        return record

    def _call(self, node: Node, record: LayerTrace) -> Call:
        shapes = self._sizes.shapes
        call = Call(
            layer=node.layer,
            atoms=self.traced.atoms,
            record=record,
            tensors=node.inputs,
            inputs=tuple(self._channels[id(tensor)] for tensor in node.inputs),
            input_shapes=tuple(self._framework.shape(tensor) for tensor in node.inputs),
            output_shapes=tuple(self._framework.shape(tensor) for tensor in node.outputs),
            input_sizes=tuple(shapes[id(tensor)] for tensor in node.inputs),
            output_sizes=tuple(shapes[id(tensor)] for tensor in node.outputs),
            args=node.args,
            kwargs=node.kwargs,
            rule_for=rule_for,
            framework=self._framework,
        )
        rows = [self._rows[id(tensor)] for tensor in node.inputs]
        if rows:
            call.times = rows[0] if self._sizes.rows else max(rows)
        return call


def _share(work: Work, samples: int) -> Work:
    """What one of so many samples has of the work for all of them."""
    return replace(work, multiply_adds=-(-work.multiply_adds // samples))


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
