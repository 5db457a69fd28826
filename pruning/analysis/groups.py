"""Channel groups: classes of united atoms that occur in the same way everywhere.

Two classes belong to one group when every weight axis, configuration entry and work term holds
equally many atoms of the one as of the other. Removing any ``n`` channels of a group then changes
all widths by the same numbers, which makes prices exact before it is known *which* channels go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.cost import Cost, Term, Width
from pruning.analysis.graph import Traced
from pruning.analysis.layer_rules._base import LayerTrace, Unit, WeightAxes
from pruning.analysis.profile import Group

SINGLE = "There is only one of these channels, and one must be left."

Kept = Mapping[str, Any]
"""Kept channels by group id: (kept,) integers. A missing group is left whole."""


@dataclass(eq=False)
class ChannelGroups:
    """All groups of a model, and where their channels are.

    Attributes:
        groups: In the model's order, frozen ones included.
        roots: Root of every atom, (atoms,).
        members: Roots of each group's channels, ascending, by group id.
    """

    groups: tuple[Group, ...]
    roots: AtomArray
    members: dict[str, AtomArray]

    def __post_init__(self) -> None:
        # Number of the group of every atom's class; -1 where no layer makes the class.
        self._number = np.full(len(self.roots), -1, np.int64)
        for number, group in enumerate(self.groups):
            self._number[self.members[group.id]] = number
        self._number = self._number[self.roots]

    def ids(self, atoms: AtomArray) -> tuple[str, ...]:
        """Ids of the groups of ``atoms``, in the order in which they occur."""
        numbers, first = np.unique(self._number[atoms], return_index=True)
        ordered = numbers[np.argsort(first)].tolist()
        return tuple(self.groups[number].id for number in ordered if number >= 0)

    def width(self, atoms: AtomArray) -> Width:
        """How long an axis with ``atoms`` is, as a function of the kept channels."""
        multiples: dict[str, int] = {}
        constant = 0
        numbers, counts = np.unique(self._number[atoms], return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            group = self.groups[number] if number >= 0 else None
            if group is not None and group.can_shrink:
                multiples[group.id] = count // group.channels
            else:
                constant += count
        return Width(constant, multiples)

    def removed(self, kept: Kept) -> np.ndarray:
        """Mark every atom that goes. -> bool (atoms,)."""
        gone = np.zeros(len(self.roots), bool)
        for name, indices in kept.items():
            members = self.members[name]
            gone[np.delete(members, np.asarray(indices, np.int64))] = True
        return gone[self.roots]


def make_groups(traced: Traced) -> ChannelGroups:
    """Build the groups of a traced model; ids depend on nothing but the model."""
    roots = traced.atoms.roots()
    reasons = traced.atoms.reasons()
    requests = traced.atoms.requests()
    producers: dict[int, dict[str, Unit]] = {}
    for layer in traced.layers.values():
        for key, atoms in layer.made.items():
            for root in np.unique(roots[atoms]).tolist():
                producers.setdefault(root, {}).setdefault(layer.name, layer.units[key])
    classes: dict[Any, list[int]] = {}
    for root, signature in _signatures(traced, roots).items():
        if root in producers:
            kind = (signature, reasons.get(root), requests.get(root))
            classes.setdefault(kind, []).append(root)
    sources = _sources(traced, roots)

    def order(item: tuple[Any, list[int]]) -> tuple[int, list[int], int]:
        (signature, _, _), found = item
        return sources[found[0]], np.frombuffer(signature, np.int64).tolist(), min(found)

    groups: list[Group] = []
    members: dict[str, AtomArray] = {}
    taken: Counter[str] = Counter()
    touching = _touching(traced, roots, [found[0] for found in classes.values()])
    for (_, reason, request), found in sorted(classes.items(), key=order):
        makers = tuple(producers[found[0]])
        taken[makers[0]] += 1
        name = makers[0] if taken[makers[0]] == 1 else f"{makers[0]}#{taken[makers[0]]}"
        followers = tuple(n for n in touching[found[0]] if n not in makers)
        if reason is None and len(found) == 1:
            reason = SINGLE
        asked = request if reason is None else None
        groups.append(
            Group(
                id=name,
                channels=len(found),
                layers=makers + followers,
                producers=makers,
                prunable=reason is None and asked is None,
                reason=reason if asked is None else f"Only on request: {asked.reason}",
                on_request=None if asked is None else asked.kind,
                unit=producers[found[0]][makers[0]],
            )
        )
        members[name] = np.array(sorted(found), np.int64)
    return ChannelGroups(tuple(groups), roots, members)


def params_cost(layer: LayerTrace, groups: ChannelGroups) -> Cost:
    """Values in all weights of the layer, as a function of the kept channels."""
    terms = []
    for index, variable in enumerate(layer.variables):
        axes = layer.weights.get(index)
        along = axes.axes if axes else {}
        widths = [
            groups.width(along[axis]) if axis in along else Width(int(size))
            for axis, size in enumerate(variable.shape)
        ]
        terms.append(_term(1, widths))
    return Cost(tuple(terms))


def flops_cost(layer: LayerTrace, groups: ChannelGroups) -> Cost:
    """2 x multiply-adds of all calls of the layer, as a function of the kept channels."""
    return Cost(
        tuple(
            _term(
                2 * work.multiply_adds,
                [Width(w) if isinstance(w, int) else groups.width(w) for w in work.widths],
            )
            for work in layer.work
        )
    )


def occurrences(layer: LayerTrace) -> Iterator[AtomArray]:
    """All places in which the layer's weights, settings and work depend on channels."""
    for axes in layer.weights.values():
        yield from axes.axes.values()
    for setting in (*layer.settings.values(), *layer.arguments.values()):
        yield setting.atoms
    for constant in layer.constants.values():
        yield constant.atoms
    for numbers in layer.numbers.values():
        yield numbers.picked
    for work in layer.work:
        yield from (width for width in work.widths if not isinstance(width, int))


def channel_rows(
    array: np.ndarray, axes: WeightAxes, group: AtomArray, roots: AtomArray
) -> np.ndarray | None:
    """Values of a kernel by the channel of ``group`` that they make. -> (channels, values).

    ``None`` when the kernel makes no channels of that group.
    """
    return _rows(array, axes.makes, group, roots)


def carried_rows(
    array: np.ndarray, axes: WeightAxes, group: AtomArray, roots: AtomArray
) -> np.ndarray | None:
    """As :func:`channel_rows`, for a weight that follows the channels, such as BatchNorm's."""
    return _rows(array, axes.carries, group, roots)


def read_rows(
    array: np.ndarray, axes: WeightAxes, group: AtomArray, roots: AtomArray
) -> np.ndarray | None:
    """As :func:`channel_rows`, for a weight that sums over the channels."""
    return _rows(array, axes.reads, group, roots)


def _rows(
    array: np.ndarray, along: Mapping[int, AtomArray], group: AtomArray, roots: AtomArray
) -> np.ndarray | None:
    parts = []
    for axis, atoms in along.items():
        place = np.flatnonzero(np.isin(roots[atoms], group))
        if not len(place):
            continue
        order = place[np.argsort(roots[atoms][place], kind="stable")]
        whole = np.array_equal(order, np.arange(array.shape[axis]))  # as a rule; a copy less
        taken = array if whole else np.take(array, order, axis=axis)
        parts.append(np.moveaxis(taken, axis, 0).reshape(len(group), -1))
    return np.concatenate(parts, axis=1) if parts else None


def _signatures(traced: Traced, roots: AtomArray) -> dict[int, bytes]:
    """How often each class occurs in each place. -> {root: its places and counts, as bytes}."""
    # One array often stands in several places: along a kernel, a bias and in the configuration.
    places = {id(a): a for layer in traced.layers.values() for a in occurrences(layer)}
    if not places:
        return {}
    held = roots[np.concatenate(list(places.values()))]
    place = np.repeat(np.arange(len(places)), [len(atoms) for atoms in places.values()])
    pairs, counts = np.unique(held * len(places) + place, return_counts=True)
    found, first = np.unique(pairs // len(places), return_index=True)
    described = np.stack([pairs % len(places), counts], axis=1)
    return {
        root: rows.tobytes()
        for root, rows in zip(found.tolist(), np.split(described, first[1:]), strict=True)
    }


def _sources(traced: Traced, roots: AtomArray) -> dict[int, int]:
    """Number of the first array of made channels that a class is in, by root.

    Groups of one array are told apart by where they occur: the same after a cut, which the lowest
    number of their channels need not be when these are picked here and there.
    """
    sources: dict[int, int] = {}
    made = [atoms for layer in traced.layers.values() for atoms in layer.made.values()]
    for number, atoms in enumerate(sorted(made, key=lambda atoms: int(roots[atoms].min()))):
        for root in np.unique(roots[atoms]).tolist():
            sources.setdefault(root, number)
    return sources


def _touching(traced: Traced, roots: AtomArray, wanted: list[int]) -> dict[int, list[str]]:
    """Layers whose weights hold a class, in the model's order. -> {wanted root: [layer name]}."""
    touching: dict[int, list[str]] = {root: [] for root in wanted}
    asked = np.array(wanted, np.int64)
    for layer in traced.layers.values():
        held = [atoms for axes in layer.weights.values() for atoms in axes.axes.values()]
        if held:
            for root in asked[np.isin(asked, roots[np.concatenate(held)])].tolist():
                touching[root].append(layer.name)
    return touching


def _term(coefficient: int, widths: list[Width]) -> Term:
    """Fold constant widths into the coefficient: fewer numbers to store and to multiply."""
    open_widths = []
    for width in widths:
        if width.groups:
            open_widths.append(width)
        else:
            coefficient *= width.constant
    return Term(coefficient, tuple(open_widths))
