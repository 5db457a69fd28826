"""Channel atoms: which values of different tensors are the same channel.

Every channel that a layer makes is an *atom*, a number. Where two tensors are added their atoms
are united, because one cannot lose a channel without the other. Atoms that may not be removed are
frozen, with the reason. All of it is a union-find forest over integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AtomArray = NDArray[np.int64]
"""Atoms along one axis of a tensor or weight, shape (length of the axis,)."""

NO_ATOMS: AtomArray = np.zeros(0, np.int64)


@dataclass(frozen=True, order=True)
class Request:
    """Why channels are removed only when asked for.

    Attributes:
        grave: 1 when the cut model is not the original without these channels, else 0.
        kind: What the plan names to ask for them, see ``Group.on_request``.
        reason: A sentence for a newcomer.
    """

    grave: int
    kind: str
    reason: str


class Atoms:
    """The union-find forest. Classes of united atoms are known by their smallest atom."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._reasons: dict[int, str] = {}
        self._requests: dict[int, Request] = {}

    def __len__(self) -> int:
        return len(self._parent)

    def new(self, count: int) -> AtomArray:
        """Make ``count`` fresh atoms. -> (count,)."""
        first = len(self._parent)
        self._parent.extend(range(first, first + count))
        return np.arange(first, first + count, dtype=np.int64)

    def unite(self, one: Any, other: Any) -> None:
        """Make ``one[i]`` and ``other[i]`` the same channel. Both (n,)."""
        if one is other:
            return
        for a, b in zip(np.asarray(one).tolist(), np.asarray(other).tolist(), strict=True):
            root_a, root_b = self._root(a), self._root(b)
            if root_a != root_b:
                self._parent[max(root_a, root_b)] = min(root_a, root_b)

    def freeze(self, atoms: Any, reason: str, *, foremost: bool = False) -> None:
        """Forbid to remove ``atoms``; the first reason given for them is told.

        Args:
            atoms: (n,).
            reason: A sentence for a newcomer.
            foremost: Tell this reason before all that were given earlier.
        """
        if foremost:
            self._reasons = {**dict.fromkeys(np.asarray(atoms).tolist(), reason), **self._reasons}
            self._reasons.update(dict.fromkeys(np.asarray(atoms).tolist(), reason))
        for atom in np.asarray(atoms).tolist():
            self._reasons.setdefault(atom, reason)

    def are_frozen(self, atoms: Any) -> bool:
        """Whether all of ``atoms`` were frozen so far, themselves and not by being united. (n,)."""
        return all(atom in self._reasons for atom in np.asarray(atoms).tolist())

    def meet(self, one: Any, other: Any) -> bool:
        """Whether a channel is among both, by all that was united so far. Both (n,)."""
        known = {self._root(atom) for atom in np.asarray(one).tolist()}
        return any(self._root(atom) in known for atom in np.asarray(other).tolist())

    def on_request(self, atoms: Any, request: Request) -> None:
        """Let ``atoms`` be removed only when the user asks for that kind of removal. (n,)."""
        for atom in np.asarray(atoms).tolist():
            self._requests[atom] = max(request, self._requests.get(atom, request))

    def requests(self) -> dict[int, Request]:
        """What a class has to be asked for, by root; the gravest where there are several."""
        found: dict[int, Request] = {}
        for atom, request in self._requests.items():
            root = self._root(atom)
            found[root] = max(request, found.get(root, request))
        return found

    def roots(self) -> AtomArray:
        """Root of every atom. -> (number of atoms,)."""
        parent = np.asarray(self._parent, np.int64)
        while len(parent) and not np.array_equal(parent, parent[parent]):
            parent = parent[parent]
        return parent

    def reasons(self) -> dict[int, str]:
        """Why a class is frozen, by root, in the order in which reasons were given."""
        reasons: dict[int, str] = {}
        for atom, reason in self._reasons.items():
            reasons.setdefault(self._root(atom), reason)
        return reasons

    def _root(self, atom: int) -> int:
        parent = self._parent
        while parent[atom] != atom:
            parent[atom] = parent[parent[atom]]
            atom = parent[atom]
        return atom
