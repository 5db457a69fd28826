"""What a criterion is handed: the statistics it needs, one row per channel, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pruning.analysis.calibration._base import KERNEL, Gathered
from pruning.analysis.groups import channel_rows

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

Items = dict[str, list[tuple[np.ndarray, ...]]]

NO_KERNEL = "No kernel makes its channels."


@dataclass(frozen=True, eq=False)
class Evidence:
    """The arrays that the channels of each group are scored by.

    Attributes:
        items: Group id -> one tuple of arrays for each producing kernel, or for each place where
            the channels were looked at; the arrays are in the order of the needs, (channels, …).
        reasons: Why a group has none, by its id.
    """

    items: Items
    reasons: dict[str, str]


def channel_evidence(analysis: Analysis, needs: Sequence[str], gathered: Gathered) -> Evidence:
    """Line up statistics by group and channel, for every group that can shrink.

    Args:
        analysis: Of the model.
        needs: Names of statistics, ``kernel`` among them or not: either all of them are known per
            weight, or there is just one that is known per channel.
        gathered: All of them but ``kernel``.

    Raises:
        ValueError: The needs mix what is known per weight and per channel.
    """
    groups = [group.id for group in analysis.groups if group.can_shrink]
    if any(gathered.found[name].channels for name in needs if name != KERNEL):
        if len(needs) > 1:
            raise ValueError(f"{needs} are not known of the same things")
        found = gathered.found[needs[0]]
        items: Items = {
            group: [(array,) for array in found.channels.get(group, ())] for group in groups
        }
    else:
        items = _by_kernel(analysis, needs, gathered)
    reasons = {
        group: next((f.reasons[group] for f in gathered.found.values() if group in f.reasons), None)
        for group in groups
        if not items[group]
    }
    return Evidence(
        {group: listed for group, listed in items.items() if listed},
        {group: reason or NO_KERNEL for group, reason in reasons.items()},
    )


def _by_kernel(analysis: Analysis, needs: Sequence[str], gathered: Gathered) -> Items:
    items: Items = {group.id: [] for group in analysis.groups if group.can_shrink}
    roots = analysis.channels.roots
    for record in analysis.layers:
        for index, axes in record.weights.items():
            if not axes.kernel or not axes.makes:
                continue
            name = f"{record.name}/{index}"
            arrays = [
                _value(record.variables[index])
                if need == KERNEL
                else gathered.found[need].weights.get(name)
                for need in needs
            ]
            made = {n for atoms in axes.makes.values() for n in analysis.channels.ids(atoms)}
            for group in sorted(made & items.keys()):
                members = analysis.channels.members[group]
                rows = [
                    None if array is None else channel_rows(array, axes, members, roots)
                    for array in arrays
                ]
                known = tuple(array for array in rows if array is not None)
                if len(known) == len(needs):
                    items[group].append(known)
    return items


def _value(variable: object) -> np.ndarray:
    value: np.ndarray = variable.numpy()  # type: ignore[attr-defined]
    return np.asarray(value, np.float32) if value.dtype.itemsize < 4 else np.asarray(value)
