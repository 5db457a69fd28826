"""Union-find over channel atoms, against a naive count of connected components."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pruning.analysis.atoms import Atoms

COUNT = 12
PAIRS = st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)), max_size=20)


@given(PAIRS)
def test_roots_are_the_smallest_atom_that_can_be_reached(pairs: list[tuple[int, int]]) -> None:
    atoms = Atoms()
    atoms.new(COUNT)
    for a, b in pairs:
        atoms.unite([a], [b])
    reached = np.eye(COUNT, dtype=bool)
    for a, b in pairs:
        reached[a, b] = reached[b, a] = True
    for _ in range(COUNT):
        reached = reached @ reached
    assert atoms.roots().tolist() == reached.argmax(axis=1).tolist()


@given(PAIRS, st.integers(0, COUNT - 1))
def test_a_reason_holds_for_the_whole_class(pairs: list[tuple[int, int]], frozen: int) -> None:
    atoms = Atoms()
    atoms.new(COUNT)
    atoms.freeze([frozen], "because")
    for a, b in pairs:
        atoms.unite([a], [b])
    root = int(atoms.roots()[frozen])
    assert atoms.reasons() == {root: "because"}


def test_the_first_reason_is_kept() -> None:
    atoms = Atoms()
    one = atoms.new(2)
    atoms.freeze(one, "first")
    atoms.freeze(one, "second")
    assert atoms.reasons() == {0: "first", 1: "first"}


def test_the_foremost_reason_is_told_for_the_whole_class() -> None:
    atoms = Atoms()
    atoms.new(3)
    atoms.freeze([0, 1], "first")
    atoms.freeze([1], "foremost", foremost=True)
    atoms.unite([0], [1])
    assert atoms.reasons() == {0: "foremost"}


def test_new_atoms_follow_one_another() -> None:
    atoms = Atoms()
    assert atoms.new(2).tolist() == [0, 1]
    assert atoms.new(3).tolist() == [2, 3, 4]
    assert len(atoms) == 5
    assert Atoms().roots().tolist() == []
