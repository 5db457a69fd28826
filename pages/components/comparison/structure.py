"""Structure tab: the architecture before and after, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.components import chart, heading, proof, state
from pages.components.columns import COUNT, NAME_CELL, NAME_WIDTH
from pages.components.text import apart, visible
from pruning import quantities
from pruning.analysis.profile import Layer, ModelProfile
from pruning.charts import strategy as charts
from pruning.intake.store import model_folder
from pruning.runs.folder import RunFolder
from pruning.runs.status import status
from pruning.strategy import estimates
from pruning.strategy.estimates import Prices
from pruning.strategy.plan import PruningPlan
from pruning.strategy.prices import LayerPrice

_NAME = 48
_BAR = 20  # characters that fit under a bar
_DRAWN = 600  # layers in the chart: a pixel each
_TALLEST = 14  # rows of a table that is shown whole


def show(folder: RunFolder, *_: object) -> None:
    """Draw what each layer kept; the figures come from the plan that was carried out."""
    proof.show(status(folder).results)
    plan = PruningPlan.from_dict(folder.read(folder.plan))
    profile = state.profile(plan.model)
    if profile is None:
        st.info("The model of this run is no longer in the studio.", icon=":material/info:")
        return
    priced = estimates.price(profile, model_folder(plan.model), plan)
    rows = _rows(profile, priced, plan.method)
    if plan.method == "layers":
        _removed(folder)
    _widths(rows, plan.method)
    _table(rows, plan.method)


def _removed(folder: RunFolder) -> None:
    """Say which blocks were left out, and who reads what instead."""
    record = folder.read(folder.layers)
    blocks, gone = record.get("blocks", []), record.get("removed", [])
    words = quantities.plural(len(blocks), "block")
    them = "it" if len(blocks) == 1 else "them"
    heading.part(f"{words} left out, {quantities.plural(len(gone), 'layer')} with {them}")
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Block": visible(block["id"], _NAME),
                    "Readers of": visible(block["output_of"], _NAME),
                    "now read": visible(block["replaced_by_output_of"], _NAME),
                }
                for block in blocks
            ]
        ),
        hide_index=True,
    )


def _widths(rows: pd.DataFrame, method: str) -> None:
    """Draw what was kept of each layer that has weights; what only passes on is as wide."""
    cut = rows[(rows["width before"] > 0) & (rows["parameters before"] > 0)]
    if cut.empty:
        return
    unit, drawn = "weights" if method == "weights" else "channels", _drawn(cut)
    chart.show(
        charts.kept_widths,
        drawn.head(_DRAWN),
        key="structure",
        unit=unit,
        states=charts.BLOCK_STATES if method == "layers" else charts.STATES,
        crowded=len(drawn) > charts.CROWD,
        alt=f"{unit.capitalize()} of {len(drawn)} layers before and after.",
    )
    if len(drawn) > _DRAWN:
        st.caption(f"The first {_DRAWN} of {len(drawn)} layers; all are in the table.")


def _drawn(rows: pd.DataFrame) -> pd.DataFrame:
    """What the chart of widths needs, a bar each."""
    return pd.DataFrame(
        {
            "name": apart(list(rows["whole"]), _BAR),
            "whole": rows["whole"],
            "before": rows["width before"],
            "after": rows["width after"],
            "state": rows["state"],
        }
    )


def _table(rows: pd.DataFrame, method: str) -> None:
    """Both architectures side by side; layers without parameters and work are left out."""
    shown = rows[(rows["parameters before"] > 0) | (rows["FLOPs before"] > 0)]
    number = st.column_config.NumberColumn
    left = "nonzero weights" if method == "weights" else "channels"
    st.dataframe(
        shown.drop(columns=["whole", "state"]),
        hide_index=True,
        height="content" if len(shown) <= _TALLEST else 420,
        column_config={
            "layer": st.column_config.TextColumn("Layer", pinned=True, width=NAME_WIDTH),
            "class": "Type",
            "width before": number(f"{left.capitalize()} before", format=COUNT),
            "width after": number("after", format=COUNT),
            "parameters before": number("Parameters before", format=COUNT),
            "parameters after": number("after", format=COUNT),
            "FLOPs before": number("FLOPs before", format=COUNT),
            "FLOPs after": number("after", format=COUNT),
        },
    )
    gone = rows["parameters before"].sum() - rows["parameters after"].sum()
    words = f"Removed: {quantities.count(gone)} parameters. " if gone else ""
    if method == "weights":
        words += "Zero weights stay in their place: parameters and FLOPs do not change."
    st.caption(f"{words} Layers without parameters are left out.")


def _rows(profile: ModelProfile, priced: Prices, method: str) -> pd.DataFrame:
    names = apart([price.name for price in priced.layers], NAME_CELL)
    return pd.DataFrame(
        [
            {
                "layer": name,
                "whole": visible(price.name),
                "class": layer.cls,
                "width before": price.width,
                "width after": price.kept_width,
                "parameters before": price.params_before,
                "parameters after": price.params_after,
                "FLOPs before": price.flops_before,
                "FLOPs after": price.flops_after,
                "state": _state(layer, price, priced.kept, method),
            }
            for name, layer, price in zip(names, profile.layers, priced.layers, strict=True)
        ]
    )


def _state(layer: Layer, price: LayerPrice, kept: Mapping[str, int], method: str) -> str:
    """What became of a layer, in the words of the strategy page."""
    cut = price.kept_width < price.width
    if method == "layers":
        return "removed" if cut else "stays"
    if cut:
        return "cut"
    frozen = method == "channels" and not any(group in kept for group in layer.groups_out)
    return "frozen" if frozen else "whole"
