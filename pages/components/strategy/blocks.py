"""Method *layers*: the blocks of a model, what each is worth, which of them go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import chart, jobs, state, works
from pages.components.block_table import COLUMNS, KINDS, NAME, block_table
from pages.components.columns import COUNT
from pages.components.strategy import edits
from pages.components.text import labels, visible
from pruning import quantities, storage
from pruning.analysis.profile import Block, ModelProfile
from pruning.charts import blocks as charts
from pruning.runs.influences import Influences
from pruning.runs.jobs.influences import influences_path
from pruning.strategy.criteria import criterion as criterion_of
from pruning.strategy.plan import PruningPlan

_TALLEST = 11  # rows of a table that is shown whole
_BAR = 16  # characters that fit under a bar behind its number


def influences(
    profile: ModelProfile, criterion: str, data: str | None, samples: int, seed: int
) -> Influences | None:
    """What the blocks are worth; measured when nobody has yet.

    Returns:
        None while that goes on, or without data; the page says so.
    """
    if not profile.removable_blocks:
        return Influences(criterion, 0, "train", {})  # the planner says why there are none
    if not data or state.manifest(data) is None:
        with st.container(border=True, key="criterion_needs_data"):
            st.markdown("Which layers matter least is measured on data, and no data is open.")
            state.link("upload", "Choose data", icon=":material/arrow_forward:")
        return None
    asked = (profile.digest, data, criterion, samples, seed)
    path = influences_path(*asked)
    if not path.is_file():
        jobs.follow(works.influences(*asked))
        if not path.is_file():
            return None
    return Influences.from_dict(storage.read_json(path))


def show(profile: ModelProfile, chosen: PruningPlan, found: Influences) -> None:
    """Draw the chart of influences, the table to edit, and what cannot go with its reason."""
    rows = _rows(profile, chosen, found)
    title = criterion_of(found.criterion, "layers").title
    chart.show(
        charts.influences,
        rows[["bar", "whole", "influence", "state"]].rename(columns={"bar": "name"}),
        key="influences",
        title=title,
        alt=f"{title} of {len(rows)} blocks; {len(chosen.removed)} of them are removed.",
    )
    st.caption(
        f"Measured on {found.samples:,} samples of the "
        f"{'training' if found.split == 'train' else 'validation'} split. The blocks that matter "
        "least go first, until the target is met; those that the target can spare are put back."
    )
    if (rows["state"] == charts.INSIDE).any():
        st.caption(
            "A block inside a removed one goes with it, and has no tick of its own. Lock it, and "
            "the outer one stays, too."
        )
    _table(profile, rows)
    _frozen([block for block in profile.blocks if not block.removable])


def _rows(profile: ModelProfile, chosen: PruningPlan, found: Influences) -> pd.DataFrame:
    """One row a removable block, in the model's order."""
    numbers = {block.id: number for number, block in enumerate(profile.removable_blocks, 1)}
    names, under_bars = labels(numbers, NAME), labels(numbers, _BAR)
    return pd.DataFrame(
        [
            {
                "id": block.id,
                "name": f"{numbers[block.id]}. {names[block.id]}",
                "bar": f"{numbers[block.id]}. {under_bars[block.id]}",
                "whole": visible(block.id),
                "kind": KINDS[block.kind],
                "influence": found.values.get(block.id),
                "params": block.params,
                "flops": block.flops,
                "layers": len(block.layers),
                "remove": block.id in chosen.removed,
                "lock": block.id in chosen.locked,
                "state": _state(block, chosen),
                "fate": _fate(block, chosen, numbers),
            }
            for block in profile.removable_blocks
        ]
    )


def _state(block: Block, chosen: PruningPlan) -> str:
    if block.id in chosen.removed:
        return "removed"
    if any(outer in chosen.removed for outer in block.within):
        return charts.INSIDE
    return "locked" if block.id in chosen.locked else "stays"


def _fate(block: Block, chosen: PruningPlan, numbers: Mapping[str, int]) -> str:
    """The state, with the number of the removed block that this one is a part of."""
    state = _state(block, chosen)
    if state != charts.INSIDE:
        return state
    outer = next(name for name in block.within if name in chosen.removed)
    return f"inside {numbers[outer]}, which goes"


def _table(profile: ModelProfile, rows: pd.DataFrame) -> None:
    own = edits.current(profile.digest, "layers")
    edits.heading(own, "**By block**: choose one to remove, or lock it; the rest follows.")
    key = f"blocks_{own.revision}"
    within = {block.id: block.within for block in profile.removable_blocks}
    shown = ["name", "fate", "remove", "lock", "influence", "params", "flops", "layers", "kind"]
    st.data_editor(
        rows[shown],
        hide_index=True,
        disabled=[name for name in shown if name not in ("remove", "lock")],
        height="content" if len(rows) <= _TALLEST else 420,
        column_config=_columns(),
        key=key,
        on_change=edits.apply,
        args=(own, key, list(rows["id"]), within),
    )


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "name": column.TextColumn("Block", width="medium"),
        "fate": column.TextColumn("State"),
        "kind": column.TextColumn("What it is"),
        "influence": column.NumberColumn("Influence", format="%.4f"),
        "params": column.NumberColumn("Parameters", format=COUNT),
        "flops": column.NumberColumn("FLOPs", format=COUNT),
        "layers": column.NumberColumn("Layers", help="How many layers go with it."),
        "remove": column.CheckboxColumn("Remove"),
        "lock": column.CheckboxColumn("Lock"),
    }


def _frozen(blocks: list[Block]) -> None:
    if not blocks:
        return
    words = quantities.plural(len(blocks), "block")
    with st.expander(f"{words} that cannot go, and why", icon=":material/lock:"):
        st.dataframe(block_table(blocks), hide_index=True, column_config=COLUMNS)
