"""Structure tab: the architecture before and after, layer by layer."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import chart, state
from pages.components.text import visible
from pruning.analysis.profile import ModelProfile
from pruning.charts import strategy as charts
from pruning.intake.store import model_folder
from pruning.runs.folder import RunFolder
from pruning.strategy import estimates
from pruning.strategy.estimates import Prices
from pruning.strategy.plan import PruningPlan

_NAME = 48


def show(folder: RunFolder, *_: object) -> None:
    """Draw what each layer kept; the figures come from the plan that was carried out."""
    plan = PruningPlan.from_dict(folder.read(folder.plan))
    profile = state.profile(plan.model)
    if profile is None:
        st.info("The model of this run is no longer in the studio.", icon=":material/info:")
        return
    priced = estimates.price(profile, model_folder(plan.model), plan)
    rows = _rows(profile, priced)
    unit = "channels" if plan.method == "channels" else "weights"
    cut = rows[rows["width before"] > 0]
    if len(cut):
        drawn = cut.rename(columns={"width before": "before", "width after": "after"})
        drawn = drawn.assign(
            name=[f"{i}. {name}" for i, name in enumerate(drawn["layer"], 1)],
            state=[
                "cut" if a < b else "locked" for b, a in zip(drawn.before, drawn.after, strict=True)
            ],
        )
        chart.show(
            charts.kept_widths,
            drawn[["name", "before", "after", "state"]],
            key="structure",
            unit=unit,
            alt=f"{unit.capitalize()} of {len(drawn)} layers before and after.",
        )
    st.dataframe(rows, hide_index=True, height=420)
    if plan.method == "weights":
        st.caption(
            "Zero weights stay in their place: widths, parameters and FLOPs do not change; "
            "the width columns count weights that are not zero."
        )


def _rows(profile: ModelProfile, priced: Prices) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "layer": visible(price.name, _NAME),
                "class": layer.cls,
                "width before": price.width,
                "width after": price.kept_width,
                "parameters before": price.params_before,
                "parameters after": price.params_after,
                "FLOPs before": price.flops_before,
                "FLOPs after": price.flops_after,
            }
            for layer, price in zip(profile.layers, priced.layers, strict=True)
        ]
    )
