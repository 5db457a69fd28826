"""Blocks that could be left out whole, as the profile lists them.

What counts as a block, and how it is found, is told in :mod:`pruning.analysis.block_search`; here
they get their names and what goes with them, and the reasons why some have to stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pruning.analysis import liveness
from pruning.analysis.block_search import Found, search_blocks
from pruning.analysis.call_graph import CallGraph
from pruning.analysis.profile import Block, Call, Layer
from pruning.frameworks._base import Framework, Place

MAKES_OUTPUT = "It makes the model's output: without it nothing would be predicted."
MAKES_ONE_OUTPUT = "It makes an output of the model: without it that would not be predicted."
READ_ASIDE = (
    "A nested model answers with values that are computed from the middle of it, and so computes "
    "it all the same, though nobody reads them."
)
ONLY_PART = "It begins in one nested model and ends in another, so that it is no block of either."


def find_blocks(
    framework: Framework, flat: object, graph: CallGraph, layers: Collection[Layer]
) -> tuple[Block, ...]:
    """Find the blocks of a model.

    Args:
        framework: The model's.
        flat: Without nested models.
        graph: Its calls.
        layers: Of its profile.
    """
    taken: Counter[str] = Counter()
    blocks: list[Block] = []
    seen: dict[tuple[Place, Place], int] = {}
    inputs = [call.layer for call in _kept(graph, {}) if not call.reads]
    params = {layer.name: layer.params for layer in layers}
    for found in search_blocks(graph):
        pair = common_places(framework, flat, graph, (found.target, found.source))
        if pair is not None and pair in seen:  # another call of the nested model that holds it
            known = blocks[seen[pair]]
            bypasses = (*known.bypasses, (found.target, found.source))
            blocks[seen[pair]] = _measured(replace(known, bypasses=bypasses), graph, params)
            continue
        reason = found.reason or (ONLY_PART if pair is None else _ends(graph, found))
        reason = reason or _starves(graph, inputs, found) or _read_aside(graph, found)
        if pair is not None and reason is None:
            seen[pair] = len(blocks)
        name = "..".join(found.parts) or _maker(graph, found)
        taken[name] += 1
        block = Block(
            id=name if taken[name] == 1 else f"{name}#{taken[name]}",
            kind=found.kind,
            layers=(),
            params=0,
            flops=0,
            source=graph.calls[graph.maker[found.source]].layer,
            target=graph.calls[graph.maker[found.target]].layer,
            shape=graph.shapes[found.target][1:],
            bypasses=((found.target, found.source),),
            axis=_axis(graph, found.target),
            reason=reason,
        )
        blocks.append(_measured(block, graph, params))
    return _with_parents([block for block in blocks if block.params or block.flops])


def common_places(
    framework: Framework, flat: object, graph: CallGraph, tensors: tuple[int, int]
) -> tuple[Place, Place] | None:
    """Places of two tensors, ``(target, source)``, in one model; None when none holds both.

    Of several models the outermost, so that a nested model goes whole. But where the source is made
    in nested ones, the innermost of these: it would go on computing the block, to answer with what
    nobody reads.
    """
    targets, sources = (framework.places(flat, graph.tensors[number]) for number in tensors)
    held = dict(targets[::-1])
    pairs = [(call, held[call], place) for call, place in sources if call in held]
    common = sorted(pairs, key=lambda entry: entry[0])
    made = sources[0][0] if sources else 0
    around = [entry for entry in common if entry[0] <= made]
    chosen = around[-1:] or common[:1]
    return chosen[0][1:] if chosen else None


def _ends(graph: CallGraph, found: Found) -> str | None:
    if found.target not in graph.ends:
        return None
    return MAKES_OUTPUT if len(graph.ends) == 1 else MAKES_ONE_OUTPUT


def _starves(graph: CallGraph, inputs: Sequence[str], found: Found) -> str | None:
    """Say so when an input of the model is read by nothing but the block."""
    if len(inputs) < 2:
        return None  # what the block begins with is computed from the only one
    needed = {call.layer for call in _kept(graph, {found.target: found.source})}
    for name in inputs:
        if name not in needed:
            return f"Nothing else reads the model's input {name!r}."
    return None


def _read_aside(graph: CallGraph, found: Found) -> str | None:
    """Say so when outputs of nested models that nobody reads are computed from within the block."""
    if not graph.aside:
        return None
    kept = {t for call in _kept(graph, {found.target: found.source}) for t in call.makes}
    return READ_ASIDE if graph.aside - kept - {found.target} else None


def _kept(graph: CallGraph, instead: liveness.Instead) -> list[Call]:
    flags = liveness.alive(graph.calls, graph.ends, instead)
    return [call for call, stays in zip(graph.calls, flags, strict=True) if stays]


def _maker(graph: CallGraph, found: Found) -> str:
    """Name of a block: of the addition or product, or of the layer itself."""
    if found.kind != "layer":
        return graph.calls[graph.maker[found.target]].layer
    first = next(n for n in graph.between(found.source, found.target) if graph.calls[n].flops)
    return graph.calls[first].layer


def _axis(graph: CallGraph, tensor: int) -> int:
    """Axis of the channels: where the rules saw them, else the last one."""
    record = graph.records[graph.maker[tensor]]
    axis = record.outputs[0].axis if record.outputs else None
    return len(graph.shapes[tensor]) - 1 if axis is None else axis


def _measured(block: Block, graph: CallGraph, params: Mapping[str, int]) -> Block:
    """The block with the layers, parameters and FLOPs that go when it alone is left out.

    Of a block that cannot be left out: those that lie in it. params: of every layer, by its name.
    """
    if block.removable:
        flags = liveness.alive(graph.calls, graph.ends, liveness.bypassed([block]))
        gone = [call for call, stays in zip(graph.calls, flags, strict=True) if not stays]
        kept = {call.layer for call, stays in zip(graph.calls, flags, strict=True) if stays}
    else:
        target, source = block.bypasses[0]
        inside = set(graph.between(source, target))
        gone = [call for number, call in enumerate(graph.calls) if number in inside]
        kept = {call.layer for number, call in enumerate(graph.calls) if number not in inside}
    names = tuple(dict.fromkeys(call.layer for call in gone if call.layer not in kept))
    return replace(
        block,
        layers=names,
        params=sum(params[name] for name in names),
        flops=sum(call.flops for call in gone),
    )


def _with_parents(blocks: list[Block]) -> tuple[Block, ...]:
    """Say of each block which removable ones it is a part of."""
    held = {block.id: frozenset(block.layers) for block in blocks}
    return tuple(
        replace(
            block,
            within=tuple(
                other.id
                for other in blocks
                if other is not block
                and other.removable
                and block.layers
                and held[block.id] < held[other.id]
            ),
        )
        for block in blocks
    )
