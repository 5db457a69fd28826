"""The calls of a flat model as numbers: who reads what, who comes before whom."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from pruning.analysis.graph import Traced
from pruning.analysis.layer_rules import key_of
from pruning.analysis.layer_rules._base import LayerTrace, Shape, Work
from pruning.analysis.profile import Call
from pruning.frameworks._base import Framework


@dataclass(eq=False)
class CallGraph:
    """Calls and tensors by number; inputs come before their readers.

    Attributes:
        tensors: Symbolic tensors of the flat model.
        shapes: Theirs, batch dimension included.
        sizes: Theirs for one sample, open dimensions counted.
        calls: As the profile stores them.
        records: Of the calls' layers.
        keys: Under which a rule covers the calls' layers.
        ends: Tensors that the model answers with.
        aside: Tensors from which outputs of nested models are computed that nobody reads.
        maker: Number of the call that makes each tensor.
        readers: Numbers of the calls that read each tensor.
        before: Bit ``i`` of ``before[t]``: tensor ``t`` is computed from tensor ``i``.
    """

    tensors: list[Any] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    sizes: list[tuple[int, ...]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    records: list[LayerTrace] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    ends: tuple[int, ...] = ()
    aside: frozenset[int] = frozenset()
    maker: list[int] = field(default_factory=list)
    readers: list[list[int]] = field(default_factory=list)
    before: list[int] = field(default_factory=list)

    def comes_before(self, first: int, second: int) -> bool:
        """Whether tensor ``second`` is computed from tensor ``first``."""
        return bool(self.before[second] >> first & 1)

    def between(self, first: int, second: int) -> list[int]:
        """Calls on the ways from tensor ``first`` to tensor ``second``, the last one included."""
        passed = self.before[second] | 1 << second
        on_the_way = (
            self.maker[tensor]
            for tensor in range(first + 1, second + 1)
            if passed >> tensor & 1 and self.before[tensor] >> first & 1
        )
        return list(dict.fromkeys(on_the_way))

    def dtype(self, tensor: int) -> str:
        """Name of a tensor's type."""
        dtype = self.tensors[tensor].dtype
        return str(getattr(dtype, "name", dtype))

    def alike(self, one: int, other: int) -> bool:
        """Whether one tensor can be read in place of the other.

        An open dimension may have become another on the way, such as half as many steps.
        """
        of = [(self.shapes[n], self.sizes[n], self.dtype(n)) for n in (one, other)]
        return of[0] == of[1]


def call_graph(framework: Framework, flat: Any, traced: Traced) -> CallGraph:
    """Number the calls and tensors of a traced model."""
    graph = CallGraph()
    numbers: dict[int, int] = {}
    for node, record, work in traced.calls:
        reads = tuple(dict.fromkeys(numbers[id(tensor)] for tensor in node.inputs))
        behind = 0
        for tensor in reads:
            behind |= graph.before[tensor] | 1 << tensor
            graph.readers[tensor].append(len(graph.calls))
        makes = []
        for tensor in node.outputs:
            numbers[id(tensor)] = len(graph.tensors)
            makes.append(len(graph.tensors))
            graph.tensors.append(tensor)
            graph.shapes.append(framework.shape(tensor))
            graph.sizes.append(traced.sizes[id(tensor)])
            graph.maker.append(len(graph.calls))
            graph.readers.append([])
            graph.before.append(behind)
        graph.calls.append(Call(record.name, reads, tuple(makes), _flops(work)))
        graph.records.append(record)
        graph.keys.append(key_of(node.layer))
    read = (id(tensor) for node in traced.aside for tensor in node.inputs)
    graph.aside = frozenset(numbers[key] for key in read if key in numbers)
    graph.ends = tuple(numbers[id(tensor)] for tensor in flat.outputs)
    return graph


def _flops(work: list[Work]) -> int:
    return sum(
        2 * part.multiply_adds * math.prod(w if isinstance(w, int) else len(w) for w in part.widths)
        for part in work
    )
