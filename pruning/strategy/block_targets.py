"""Targets of the method *layers*: which blocks are left out.

Greedy: blocks are left out in the order of their influence, the lowest first, until the target is
met; those that bring nothing beside the ones already chosen are passed over. Then, from the
highest influence down, each is put back without which the target is met all the same. What is
left is at or below the target, and no chosen block can be spared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping

from pruning.analysis import liveness
from pruning.analysis.profile import Block, ModelProfile
from pruning.errors import OutdatedError, PlanError
from pruning.strategy import sizes
from pruning.strategy.plan import Target
from pruning.strategy.problem import asked

_ROUNDING = 1e-12


def choose_blocks(
    profile: ModelProfile,
    target: Target,
    influences: Mapping[str, float] | None,
    *,
    locked: Collection[str] = (),
    fixed: Collection[str] = (),
) -> tuple[str, ...]:
    """Choose the blocks to leave out.

    Args:
        profile: The model.
        target: What is to be left.
        influences: What each removable block changes, by id; larger = keep.
        locked: Blocks that stay, and those that they are a part of with them.
        fixed: Blocks that go in any case.

    Returns:
        Ids, those of the user first, then by influence.

    Raises:
        PlanError: No block can go, the influences are missing, or the target is out of reach.
    """
    check_reachable(profile, target, locked=locked, fixed=fixed)
    count = _counter(profile, target)
    order = _ordered(_free(profile, locked, fixed), influences)
    chosen = list(fixed)
    for block in order:
        now = count(chosen)
        if now <= target.value + _ROUNDING:
            break
        if count([*chosen, block.id]) < now and not _starves(profile, [*chosen, block.id]):
            chosen.append(block.id)
    if count(chosen) > target.value + _ROUNDING:
        raise _floor_error(target, count(chosen))
    for block in reversed(order):
        fewer = [name for name in chosen if name != block.id]
        if len(fewer) < len(chosen) and count(fewer) <= target.value + _ROUNDING:
            chosen = fewer
    return tuple(chosen)


def check_reachable(
    profile: ModelProfile,
    target: Target,
    *,
    locked: Collection[str] = (),
    fixed: Collection[str] = (),
) -> None:
    """Check that removing every free block would meet the target. Needs no influences.

    Raises:
        PlanError: No block can go, or the target is out of reach.
    """
    free = _free(profile, locked, fixed)
    count = _counter(profile, target)
    if not free and count(fixed) > target.value:
        raise PlanError(
            f"No block is left to remove: {len(locked)} locked, {len(fixed)} removed already.",
            expected="At least one block that may be removed.",
            fix="Unlock a block, or raise the target.",
        )
    least = count([*fixed, *(block.id for block in free)])
    if least > target.value + _ROUNDING:
        raise _floor_error(target, least)


def held(profile: ModelProfile, locked: Collection[str]) -> set[str]:
    """Blocks that stay for these locks: those locked, and those that hold a locked one."""
    outer = (name for block in profile.blocks if block.id in locked for name in block.within)
    return {*locked, *outer}


def check_inputs(profile: ModelProfile, removed: Collection[str]) -> None:
    """Check that every input of the model is still read.

    Raises:
        PlanError: One is not.
    """
    blocks = [block for block in profile.blocks if block.id in removed]
    unread = liveness.unread_inputs(profile, liveness.bypassed(blocks))
    if unread:
        raise PlanError(
            f"Without these blocks nothing reads the model's input {unread[0]!r} any more.",
            expected="A plan that leaves a use for every input.",
            fix="Lock one of the blocks that read it.",
        )


def smallest(profile: ModelProfile, kind: str) -> float:
    """What is left of ``params``, ``flops`` or ``bytes`` without any removable block, 0 to 1."""
    names = [block.id for block in profile.removable_blocks]
    return _counter(profile, Target(kind, 0.5))(names)  # type: ignore[arg-type]


def _free(profile: ModelProfile, locked: Collection[str], fixed: Collection[str]) -> list[Block]:
    removable = profile.removable_blocks
    if removable:
        taken = {*held(profile, locked), *fixed}
        return [block for block in removable if block.id not in taken]
    if not profile.calls:
        raise OutdatedError(
            "This model was analysed by an older version of the studio, which did not look for "
            "blocks."
        )
    told = next((block for block in profile.blocks), None)
    why = f" {told.id!r}: {told.reason}" if told is not None else ""
    raise PlanError(
        f"This model has no block that can be removed.{why}",
        expected="A residual branch beside a shortcut, a transformer block, or a layer whose "
        "output has the shape of its input.",
        fix="Choose another method: remove channels, or zero weights.",
    )


def _ordered(free: list[Block], influences: Mapping[str, float] | None) -> list[Block]:
    if influences is None:
        raise PlanError(
            "Which blocks matter least is not known: that is measured on data.",
            expected="Data for the method layers.",
            fix="Give --data, or open data on the upload page; or name the blocks to remove.",
        )
    missing = [block.id for block in free if block.id not in influences]
    if missing:
        raise PlanError(
            f"The influence of the block {missing[0]!r} was not measured.",
            expected="An influence for every block that can be removed.",
            fix="Measure the influences again.",
        )
    return sorted(free, key=lambda block: influences[block.id])


def _counter(profile: ModelProfile, target: Target) -> Callable[[Collection[str]], float]:
    if target.kind == "params":
        return lambda names: sum(liveness.left(profile, names)[0].values()) / profile.params
    if target.kind == "flops":
        whole = max(1, profile.flops)
        return lambda names: sum(liveness.left(profile, names)[1].values()) / whole
    if target.kind == "bytes":
        return lambda names: _bytes(profile, names) / sizes.whole_bytes(profile)
    raise PlanError(
        f"{target.kind} is not a target of the method layers.",
        expected="A target in params, flops or bytes.",
        fix="Give for example flops=0.7.",
    )


def _bytes(profile: ModelProfile, names: Collection[str]) -> int:
    params, _ = liveness.left(profile, names)
    gone = set(liveness.removed_layers(profile, names))
    return sizes.file_bytes_without(profile, {k: v for k, v in params.items() if k not in gone})


def _starves(profile: ModelProfile, names: Collection[str]) -> bool:
    blocks = [block for block in profile.blocks if block.id in names]
    return bool(liveness.unread_inputs(profile, liveness.bypassed(blocks)))


def _floor_error(target: Target, least: float) -> PlanError:
    return PlanError(
        f"The target {asked(target)} lies below what removing blocks can reach.",
        expected=f"At least {target.kind}={math.ceil(least * 1000) / 1000:g} with these locks.",
        fix="Raise the target, unlock blocks, or remove channels instead.",
    )
