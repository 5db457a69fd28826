"""Ratios and locks that a person set by hand, over what the target asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import streamlit as st

from pruning.strategy.plan import PruningPlan

_KEY = "plan edits"


@dataclass
class Edits:
    """What was set by hand for one model and method.

    Attributes:
        ratios: By name, in [0, 1).
        locked: Names that stay whole.
        removed: Blocks that go in any case (method layers).
        opened: A plan that was opened; its ratios stand as they are until a choice is changed.
        revision: A new number makes a fresh table.
    """

    ratios: dict[str, float] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    opened: PruningPlan | None = None
    revision: int = 0

    def __bool__(self) -> bool:
        return bool(self.ratios or self.locked or self.removed)


def current(model: str, method: str) -> Edits:
    """The edits of this model and method in this session."""
    known: dict[tuple[str, str], Edits] = st.session_state.setdefault(_KEY, {})
    return known.setdefault((model, method), Edits())


def clear(edits: Edits) -> None:
    """Forget all edits."""
    edits.ratios.clear()
    edits.locked.clear()
    edits.removed.clear()
    edits.opened = None
    edits.revision += 1


def take(edits: Edits, plan: PruningPlan) -> None:
    """Take over an opened plan as it is, whatever the solver would do today."""
    clear(edits)
    edits.locked.update(plan.locked)
    edits.removed.update(plan.removed)
    edits.ratios.update({name: ratio for name, ratio in plan.ratios.items() if ratio > 0})
    edits.opened = plan


def apply(
    edits: Edits, key: str, names: list[str], within: Mapping[str, Collection[str]] | None = None
) -> None:
    """Take over what was changed in the table of that key.

    Args:
        edits: Where to.
        key: Of the table.
        names: Of its rows.
        within: Of blocks, by id: those that each is a part of. The last tick wins: a block that
            shall stay keeps those around it, one that shall go takes those inside along.
    """
    for row, changed in st.session_state[key]["edited_rows"].items():
        name = names[int(row)]
        if "lock" in changed:
            (edits.locked.add if changed["lock"] else edits.locked.discard)(name)
            if changed["lock"]:
                edits.removed.difference_update({name, *(within or {}).get(name, ())})
        if "remove" in changed:  # a block that shall not go is locked, or the solver takes it again
            (edits.removed.add if changed["remove"] else edits.removed.discard)(name)
            inside = {part for part, outer in (within or {}).items() if name in outer}
            if changed["remove"]:
                edits.locked.difference_update({name, *inside})
            else:
                edits.locked.add(name)
        if "removed" in changed:
            if changed["removed"] is None:
                edits.ratios.pop(name, None)
            else:
                edits.ratios[name] = min(0.99, max(0.0, float(changed["removed"]) / 100))
    edits.revision += 1


def heading(edits: Edits, words: str) -> None:
    """Draw the line above an editable table, and the way back from what was changed in it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(words)
        if edits:
            st.button(
                "Forget my changes",
                icon=":material/undo:",
                on_click=clear,
                args=(edits,),
                key="forget",
            )
