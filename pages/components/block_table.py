"""The blocks of a model as a table: what could be left out whole, and why something could not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.components.columns import COUNT
from pages.components.text import labels, visible
from pruning.analysis.profile import Block

NAME = 40
KINDS = {
    "residual": "branch beside a shortcut",
    "gate": "gate",
    "layer": "layer",
    "transformer": "transformer block",
}

#: How the columns of :func:`block_table` are shown.
COLUMNS: dict[str, Any] = {
    "Parameters": st.column_config.NumberColumn(format=COUNT),
    "FLOPs": st.column_config.NumberColumn(format=COUNT),
}


def block_table(blocks: Sequence[Block]) -> pd.DataFrame:
    """Blocks in the model's order, with the reason where they must stay."""
    ends = (name for block in blocks for name in (block.source, block.target))
    layers = (name for block in blocks for name in block.layers)
    names = labels((*(block.id for block in blocks), *ends, *layers), NAME)
    return pd.DataFrame(
        [
            {
                "Block": names[block.id],
                "What it is": KINDS[block.kind],
                "Can be removed": "yes" if block.removable else visible(block.reason or "no"),
                "Parameters": block.params,
                "FLOPs": block.flops,
                "From": names[block.source],
                "To": names[block.target],
                "Layers": [names[name] for name in block.layers],
            }
            for block in blocks
        ]
    )
