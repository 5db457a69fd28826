"""Which channels and how many weights stay, given a plan: pure functions of scores and counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pruning.analysis.profile import Group, ModelProfile
from pruning.errors import MismatchError
from pruning.strategy.plan import PruningPlan, removed_count


def kept_count(group: Group, ratio: float, round_to: int = 1) -> int:
    """How many channels of ``group`` stay at ``ratio``."""
    return group.channels - removed_count(
        group.channels,
        ratio,
        minimum=group.minimum,
        multiple=group.multiple,
        round_to=round_to,
    )


def kept_channels(
    profile: ModelProfile, plan: PruningPlan, scores: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Choose the channels that stay: the best scores, among equals the lower index.

    A group with ``multiple`` m > 1 belongs to a convolution in m blocks of channels; the same
    number stays in each block.

    Args:
        profile: The model.
        plan: A plan for it, method *channels*.
        scores: Group id -> (channels,), larger = keep; needed for the groups with a ratio.

    Returns:
        Prunable group id -> int64 (kept,), ascending.

    Raises:
        MismatchError: Scores are missing, or do not have one value per channel.
    """
    kept = {}
    for group in profile.requested(plan.on_request).prunable_groups:
        count = kept_count(group, plan.ratios.get(group.id, 0.0), plan.round_to)
        if count == group.channels:
            kept[group.id] = np.arange(group.channels, dtype=np.int64)
        else:
            kept[group.id] = _best(_checked(group, scores), count, group.multiple)
    return kept


def _best(scores: np.ndarray, count: int, blocks: int) -> np.ndarray:
    rows = scores.reshape(blocks, -1)
    best = np.argsort(-rows, axis=1, kind="stable")[:, : count // blocks]
    offsets = np.arange(blocks)[:, None] * rows.shape[1]
    return np.sort((best + offsets).ravel()).astype(np.int64)


def _checked(group: Group, scores: Mapping[str, np.ndarray]) -> np.ndarray:
    values = scores.get(group.id)
    if values is None or values.shape != (group.channels,):
        found = "none" if values is None else f"shape {values.shape}"
        raise MismatchError(
            f"The scores of {group.id!r} do not fit the model: {found}.",
            expected=f"One score for each of its {group.channels} channels.",
            fix="Analyse the model again.",
        )
    return values
