"""The blocks of a model as a table: what could be left out whole, and why something could not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.components.columns import COUNT
from pages.components.text import visible
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
    return pd.DataFrame(
        [
            {
                "Block": visible(block.id, NAME),
                "What it is": KINDS[block.kind],
                "Can be removed": "yes" if block.removable else visible(block.reason or "no"),
                "Parameters": block.params,
                "FLOPs": block.flops,
                "From": visible(block.source, NAME),
                "To": visible(block.target, NAME),
                "Layers": [visible(name, NAME) for name in block.layers],
            }
            for block in blocks
        ]
    )
