"""What of a model is still computed when blocks are left out. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pruning.analysis.profile import Block, Call, ModelProfile
from pruning.frameworks.execution import source

Instead = Mapping[int, int]
"""Tensor -> the tensor that its readers read instead, by number."""


def alive(calls: Sequence[Call], ends: Collection[int], instead: Instead) -> list[bool]:
    """Which calls are still needed for the model's answers. -> one flag per call."""
    needed = {source(tensor, instead) for tensor in ends}
    flags = []
    for call in reversed(calls):
        flags.append(not needed.isdisjoint(call.makes))
        if flags[-1]:
            needed.update(source(tensor, instead) for tensor in call.reads)
    return flags[::-1]


def bypassed(blocks: Collection[Block]) -> dict[int, int]:
    """Bypasses of several blocks together, as :data:`Instead`.

    Of blocks that end at the same tensor the one that begins first holds the others.
    """
    instead: dict[int, int] = {}
    for block in blocks:
        for target, origin in block.bypasses:
            instead[target] = min(origin, instead.get(target, origin))
    return instead


def unread_inputs(profile: ModelProfile, instead: Instead) -> tuple[str, ...]:
    """Inputs of the model that nobody reads any more."""
    flags = alive(profile.calls, profile.ends, instead)
    whole = alive(profile.calls, profile.ends, {})
    return tuple(
        call.layer
        for call, stays, stayed in zip(profile.calls, flags, whole, strict=True)
        if not call.reads and stayed and not stays
    )


def left(profile: ModelProfile, removed: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Parameters and FLOPs that each layer keeps when blocks are removed.

    Args:
        profile: The model.
        removed: Ids of blocks; those inside one another are fine.

    Returns:
        Parameters and FLOPs by layer name, those of layers that are gone being 0.
    """
    chosen = [block for block in profile.blocks if block.id in removed]
    flags = alive(profile.calls, profile.ends, bypassed(chosen))
    flops = dict.fromkeys((layer.name for layer in profile.layers), 0)
    kept = set()
    for call, stays in zip(profile.calls, flags, strict=True):
        if stays:
            kept.add(call.layer)
            flops[call.layer] += call.flops
    # What no answer of the model needs is not among the calls, and stays in its nested model.
    called = {call.layer for call in profile.calls}
    params = {
        layer.name: layer.params if layer.name in kept or layer.name not in called else 0
        for layer in profile.layers
    }
    return params, flops


def removed_layers(profile: ModelProfile, removed: Collection[str]) -> tuple[str, ...]:
    """Layers that go, in the model's order, also those without weights."""
    chosen = [block for block in profile.blocks if block.id in removed]
    flags = alive(profile.calls, profile.ends, bypassed(chosen))
    kept = {call.layer for call, stays in zip(profile.calls, flags, strict=True) if stays}
    return tuple(dict.fromkeys(call.layer for call in profile.calls if call.layer not in kept))
