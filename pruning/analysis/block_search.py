"""Looks for what could be left out of a graph whole, whatever its layers are called.

A block has one tensor that goes in and one that comes out, of the same shape and type. Leaving it
out means that all who read its output read its input instead. Four kinds are looked for:

1. *residual*: an addition of which one summand is computed from another. That other one is the
   shortcut; without the branch the sum is the shortcut alone. So is a mean, a maximum or minimum
   (as in FReLU), and a difference of which the first term is the shortcut.
2. *gate*: the same for a product (squeeze-and-excite).
3. *layer*: a layer with matrix-like work whose output has its input's shape, together with the
   normalisation, activation and dropout that follow it and that nothing else reads.
4. *transformer*: a residual branch with attention and the one that follows it, whole, in
   both orders of normalisation. Their normalisations go, too, where these come last.

Of an addition whose summands have a common origin but no identity between them, as in a residual
block with a projection, the summand with the least work is the shortcut. Where none is one (they
do equally much, or one gate opens one as it closes the other, as in a highway network), the block
begins at the origin; if that has another form, the block is told of with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from pruning.analysis.call_graph import CallGraph
from pruning.analysis.profile import BlockKind, Call

_SUMS = frozenset(
    {
        *("Add", "CustomScaleLayer", "ops.Add"),
        *("tf.math.add", "tf.__operators__.add", "tf.math.add_n", "tf.add"),
        "Average",
    }
)
_DIFFERENCES = frozenset(
    {"Subtract", "ops.Subtract", "tf.math.subtract", "tf.__operators__.sub", "tf.subtract"}
)
_PRODUCTS = frozenset(
    {"Multiply", "ops.Multiply", "tf.math.multiply", "tf.__operators__.mul", "tf.multiply"}
)
_EXTREMES = frozenset(
    {
        *("Maximum", "ops.Maximum", "tf.math.maximum", "tf.maximum"),
        *("Minimum", "ops.Minimum", "tf.math.minimum", "tf.minimum"),
    }
)
_BRANCHED = _SUMS | _DIFFERENCES | _PRODUCTS | _EXTREMES
_MIXES = frozenset(
    {"ops.Matmul", "ops.Einsum", "tf.linalg.matmul", "tf.matmul", "tf.einsum", "Dot"}
)

NO_SHORTCUT = "Its branches do equally much work: none of them is a shortcut that could stay."


@dataclass(frozen=True)
class Found:
    """A block before it has a name.

    Attributes:
        kind: As in the profile.
        source, target: Numbers of its input and its output tensor.
        reason: Why it cannot be left out, as far as its form tells.
        parts: Layers that a transformer block is called after.
    """

    kind: BlockKind
    source: int
    target: int
    reason: str | None = None
    parts: tuple[str, ...] = ()


def search_blocks(graph: CallGraph) -> list[Found]:
    """All blocks of a model in the order of their outputs, those that have to stay as well."""
    return _Search(graph).run()


@dataclass(frozen=True, eq=False)
class _Search:
    """One kind after the other: branches are looked for first, and tell where the others are."""

    graph: CallGraph

    def run(self) -> list[Found]:
        branches = list(self._branches())
        found = [
            *branches,
            *self._transformers([b for b in branches if b.kind == "residual"]),
            *self._units([b for b in branches if b.reason is None]),
        ]
        return sorted(found, key=lambda b: (b.target, b.source))

    # -- 1 and 2: branches beside a shortcut

    def _branches(self) -> Iterator[Found]:
        for number, (call, key) in enumerate(zip(self.graph.calls, self.graph.keys, strict=True)):
            if key not in _BRANCHED or len(call.reads) < 2 or len(call.makes) != 1:
                continue
            kind: BlockKind = "gate" if key in _PRODUCTS else "residual"
            shortcut = self._shortcut(call, key)
            if shortcut is not None:
                found = Found(kind, shortcut, call.makes[0])
                if self._work(found):
                    yield found
            elif key in _SUMS and (told := self._projection(number)) is not None:
                yield told

    def _shortcut(self, call: Call, key: str) -> int | None:
        """The summand that all others are computed from, in the form of the sum."""
        reads, target = call.reads, call.makes[0]
        for tensor in reads[:1] if key in _DIFFERENCES else reads:
            others = [other for other in reads if other != tensor]
            from_it = all(self.graph.comes_before(tensor, other) for other in others)
            if from_it and self.graph.alike(tensor, target):
                return tensor
        return None

    def _projection(self, number: int) -> Found | None:
        """A sum of branches of one origin: all but the one with the least work may go."""
        graph, call = self.graph, self.graph.calls[number]
        origin = self._origin(call)
        # A shortcut of the origin itself, with another shape, was broadcast: no projection.
        if origin is None or origin in call.reads:
            return None
        found = Found("residual", origin, call.makes[0])
        paths = self._paths(origin, call)
        work = {tensor: self._flops(path) for tensor, path in paths.items()}
        shortcut = min(paths, key=lambda tensor: (work[tensor], len(paths[tensor])))
        whole = graph.alike(origin, found.target)
        even = list(work.values()).count(work[shortcut]) > 1
        others = {n for tensor, path in paths.items() if tensor != shortcut for n in path}
        if whole and (even or not others.isdisjoint(paths[shortcut])):
            return found
        if even:
            return replace(found, reason=NO_SHORTCUT)
        if not graph.alike(shortcut, found.target):
            return replace(found, reason=self._unlike(paths[shortcut], shortcut, found.target))
        return replace(found, source=shortcut)

    def _paths(self, origin: int, call: Call) -> dict[int, list[int]]:
        """Calls between a tensor and each of those that a call reads."""
        return {tensor: self.graph.between(origin, tensor) for tensor in call.reads}

    def _origin(self, call: Call) -> int | None:
        """The last tensor of numbers from which work leads to some summands and not to all."""
        common = -1
        for tensor in call.reads:
            common &= self.graph.before[tensor] | 1 << tensor
        while common > 0:
            origin = common.bit_length() - 1
            if "float" in self.graph.dtype(origin):
                paths = [set(path) for path in self._paths(origin, call).values()]
                if self._works(paths[0].union(*paths) - paths[0].intersection(*paths)):
                    return origin
            common &= ~(1 << origin)
        return None

    def _unlike(self, path: Sequence[int], shortcut: int, target: int) -> str:
        past = self.graph.calls[path[0]].layer
        passed = f"{past!r}" if len(path) == 1 else f"{len(path)} layers ({past!r} …)"
        made, wanted = (_shape(self.graph.shapes[tensor][1:]) for tensor in (shortcut, target))
        return (
            f"Its shortcut passes {passed}, which makes {made} where the sum has {wanted}. Nothing "
            "could be read in place of the block's output."
        )

    def _work(self, found: Found) -> bool:
        """Whether something with weights or matrix-like work lies in it."""
        return self._works(self.graph.between(found.source, found.target))

    def _works(self, calls: Collection[int]) -> bool:
        return any(self.graph.calls[n].flops or self.graph.records[n].variables for n in calls)

    # -- 3: single layers

    def _units(self, branches: list[Found]) -> Iterator[Found]:
        inside = [set(self.graph.between(b.source, b.target)) for b in branches]
        for number, call in enumerate(self.graph.calls):
            if not call.flops or not self._keeps_form(number):
                continue
            target, followers = self._followed(call.makes[0])
            numbers = {number, *followers}
            # What is left of a branch without its only work is hardly worth keeping.
            only = any(numbers <= calls and self._flops(calls) == call.flops for calls in inside)
            if not only:
                yield Found("layer", call.reads[0], target)

    def _keeps_form(self, number: int) -> bool:
        call = self.graph.calls[number]
        one = len(call.reads) == 1 and len(call.makes) == 1
        return one and self.graph.alike(call.reads[0], call.makes[0])

    def _followed(self, tensor: int, most: int = 1000) -> tuple[int, list[int]]:
        """Walk on over what only normalises, activates or drops. -> its output, the calls."""
        passed: list[int] = []
        while len(passed) < most:
            readers = self.graph.readers[tensor]
            if len(readers) != 1 or tensor in self.graph.ends:
                break
            if self.graph.calls[readers[0]].flops or not self._keeps_form(readers[0]):
                break
            passed.append(readers[0])
            tensor = self.graph.calls[readers[0]].makes[0]
        return tensor, passed

    def _flops(self, calls: Collection[int]) -> int:
        return sum(self.graph.calls[number].flops for number in calls)

    # -- 4: whole transformer blocks

    def _transformers(self, branches: list[Found]) -> Iterator[Found]:
        begins = {b.source: b for b in branches if b.reason is None}
        for first in begins.values():
            if not self._mixes(first):
                continue
            chain, last, lag = [first], first, 0
            while (step := self._next(last, begins)) is not None:
                lag = step[1]
                if self._mixes(step[0]) and not self._mixes(last):
                    break
                chain.append(step[0])
                last = step[0]
                if not self._mixes(last):
                    break
            if len(chain) > 1 and not self._mixes(last):
                target, _ = self._followed(last.target, lag)
                yield Found(
                    "transformer", first.source, target,
                    parts=(self._maker(first.target), self._maker(last.target)),
                )  # fmt: skip

    def _next(self, block: Found, begins: dict[int, Found]) -> tuple[Found, int] | None:
        """The branch that begins where ``block`` ends, and how many normalisations lie between."""
        tensor = block.target
        if tensor in begins:
            return begins[tensor], 0
        for steps in range(1, 4):
            readers = self.graph.readers[tensor]
            if len(readers) != 1 or self.graph.calls[readers[0]].flops:
                return None
            if not self._keeps_form(readers[0]):
                return None
            tensor = self.graph.calls[readers[0]].makes[0]
            if tensor in begins:
                return begins[tensor], steps
        return None

    def _mixes(self, block: Found) -> bool:
        """Whether positions look at each other in it."""
        inside = self.graph.between(block.source, block.target)
        keys = [self.graph.keys[number] for number in inside]
        return any("Attention" in key or key in _MIXES for key in keys)

    def _maker(self, tensor: int) -> str:
        return self.graph.calls[self.graph.maker[tensor]].layer


def _shape(shape: tuple[int | None, ...]) -> str:
    return "×".join("?" if size is None else str(size) for size in shape)
