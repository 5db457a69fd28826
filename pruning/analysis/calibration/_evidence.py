"""What a criterion is handed: the statistics it needs, one row per channel, item by item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration._base import KERNEL, Gathered
from pruning.analysis.groups import channel_rows

if TYPE_CHECKING:
    from pruning.analysis.atoms import AtomArray
    from pruning.analysis.layer_rules._base import WeightAxes
    from pruning.analysis.profiler import Analysis

Items = dict[str, Sequence[tuple[np.ndarray, ...]]]

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


class _Rows(Sequence[tuple[np.ndarray, ...]]):
    """Rows of a group's producers, made when they are read: all at once are a second model."""

    def __init__(self) -> None:
        self._makers: list[Callable[[], tuple[np.ndarray, ...]]] = []

    def add(self, make: Callable[[], tuple[np.ndarray, ...]]) -> None:
        self._makers.append(make)

    def __len__(self) -> int:
        return len(self._makers)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [make() for make in self._makers[place]]
        return self._makers[place]()


def _by_kernel(analysis: Analysis, needs: Sequence[str], gathered: Gathered) -> Items:
    items = {group.id: _Rows() for group in analysis.groups if group.can_shrink}
    roots = analysis.channels.roots
    for record in analysis.layers:
        for index, axes in record.weights.items():
            name = f"{record.name}/{index}"
            known = all(n == KERNEL or name in gathered.found[n].weights for n in needs)
            if not (axes.kernel and axes.makes and known):
                continue
            variable = record.variables[index]
            made = {n for atoms in axes.makes.values() for n in analysis.channels.ids(atoms)}
            for group in sorted(made & items.keys()):
                members = analysis.channels.members[group]

                def rows(
                    name: str = name,
                    variable: Any = variable,
                    axes: WeightAxes = axes,
                    members: AtomArray = members,
                ) -> tuple[np.ndarray, ...]:
                    arrays = (
                        _value(variable) if need == KERNEL else gathered.found[need].weights[name]
                        for need in needs
                    )
                    found = (channel_rows(array, axes, members, roots) for array in arrays)
                    return tuple(array for array in found if array is not None)

                items[group].add(rows)
    return dict(items)


def _value(variable: object) -> np.ndarray:
    value: np.ndarray = variable.numpy()  # type: ignore[attr-defined]
    return np.asarray(value, np.float32) if value.dtype.itemsize < 4 else np.asarray(value)
