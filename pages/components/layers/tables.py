"""A model's layers and channel groups as tables."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components.columns import COUNT, NAME_CELL, NAME_WIDTH, PERCENT, latency_unit
from pages.components.text import apart, labels, visible
from pruning import quantities
from pruning.analysis.profile import Group, Layer, ModelProfile
from pruning.charts.theme import BEFORE

NAME_LENGTH = 44
_FRACTIONS = ("params_share", "flops_share", "zeros")
KINDS = ("All", "With weights", "Can be cut", "Frozen")

#: In the order of what is asked first: beside the graph of a page of 1,440 pixels, all columns up
#: to whether a layer can be cut are seen without scrolling.
COLUMNS: dict[str, Any] = {
    "name": st.column_config.TextColumn("Layer", pinned=True, width=NAME_WIDTH),
    "cls": st.column_config.TextColumn("Type", width=116),
    "shape": st.column_config.TextColumn("Output", width=70),
    "params": st.column_config.NumberColumn("Parameters", format=COUNT, width=74),
    "params_share": None,  # see columns()
    "flops": st.column_config.NumberColumn("FLOPs", format=COUNT, help="For one sample", width=82),
    "flops_share": None,
    "weights": st.column_config.BarChartColumn(
        "Weights", help="Histogram of the layer's kernels, biases left out", width=64, color=BEFORE
    ),
    "cut": st.column_config.TextColumn("Can be cut", width=80),
    "latency": None,
    "zeros": st.column_config.NumberColumn("Zeros", format=PERCENT, width=60),
    "group": st.column_config.TextColumn("Channel group"),
    "mean": st.column_config.NumberColumn("Mean", format="%.4f"),
    "std": st.column_config.NumberColumn("Deviation", format="%.4f"),
}

GROUP_COLUMNS: dict[str, Any] = {
    "name": st.column_config.TextColumn("Channel group", pinned=True, width=NAME_WIDTH),
    "channels": st.column_config.NumberColumn("Channels", format=COUNT),
    "unit": st.column_config.TextColumn("Counted as"),
    "state": st.column_config.TextColumn("Can be cut", width="medium"),
    "producers": st.column_config.ListColumn("Made by"),
    "layers": st.column_config.ListColumn("Layers that change together", width="large"),
}


@st.cache_data(max_entries=16, show_spinner=False)
def layer_frame(digest: str, changed: int, _profile: ModelProfile) -> pd.DataFrame:
    """One row a layer, in the model's order; ``full_name`` is what identifies it.

    Args:
        digest: Of the model file, the cache's key with ``changed``.
        changed: When the profile was written.
        _profile: The profile itself.
    """
    prunable = {group.id for group in _profile.prunable_groups}
    names = apart([layer.name for layer in _profile.layers], NAME_CELL)
    return pd.DataFrame(
        [
            _layer_row(layer, name, _profile, prunable)
            for layer, name in zip(_profile.layers, names, strict=True)
        ]
    )


def filtered(frame: pd.DataFrame, words: str, kind: str) -> pd.DataFrame:
    """Keep the rows whose name or type holds every word, and that are of the kind.

    Args:
        frame: From :func:`layer_frame`.
        words: Separated by spaces; case does not matter.
        kind: One of :data:`KINDS`.
    """
    keep = pd.Series(True, index=frame.index)
    searched = (frame["full_name"] + " " + frame["cls"]).str.casefold()
    for word in words.casefold().split():
        keep &= searched.str.contains(word, regex=False)
    if kind == "With weights":
        keep &= frame["params"] > 0
    elif kind == "Can be cut":
        keep &= frame["prunable"]
    elif kind == "Frozen":
        keep &= frame["frozen"] & (frame["params"] > 0)
    return frame[keep]


def in_units(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The same with its fractions in percent and its latencies in one unit, to be shown.

    Returns:
        The table, and how its columns are shown.
    """
    shown = frame.assign(**{name: 100 * frame[name].astype(float) for name in _FRACTIONS})
    if "latency" not in frame:
        return shown, {}
    shown, unit = latency_unit(shown, ["latency"])
    column = st.column_config.NumberColumn(
        "Latency", format=unit, help="Measured: this layer alone on LiteRT", width=75
    )
    return shown, {"latency": column}


def columns(frame: pd.DataFrame) -> dict[str, Any]:
    """How the columns of :func:`layer_frame` are shown: bars as long as the largest share."""
    shares = {
        f"{what}_share": st.column_config.ProgressColumn(
            "Share",
            format=PERCENT,
            min_value=0,
            max_value=max(100 * float(frame[f"{what}_share"].max()), 1e-9),
            help=f"Of all {spelled}; the longest bar is the largest layer",
            width=74,
            color=BEFORE,
        )
        for what, spelled in (("params", "parameters"), ("flops", "FLOPs"))
    }
    return COLUMNS | shares


@st.cache_data(max_entries=16, show_spinner=False)
def group_frame(digest: str, changed: int, _groups: tuple[Group, ...]) -> pd.DataFrame:
    """One row a channel group, in the model's order; keyed as :func:`layer_frame`."""
    names = apart([group.id for group in _groups], NAME_CELL)
    layers = labels(
        (name for group in _groups for name in (*group.layers, *group.producers)), NAME_LENGTH
    )
    return pd.DataFrame(
        [
            {
                "name": shown,
                "channels": group.channels,
                "unit": group.unit if group.multiple == 1 else f"{group.unit} × {group.multiple}",
                "state": "yes" if group.prunable else visible(group.reason or "no"),
                "producers": [layers[name] for name in group.producers],
                "layers": [layers[name] for name in group.layers],
            }
            for group, shown in zip(_groups, names, strict=True)
        ],
        columns=list(GROUP_COLUMNS),
    )


def _layer_row(
    layer: Layer, name: str, profile: ModelProfile, prunable: set[str]
) -> dict[str, Any]:
    stats = layer.stats
    return {
        "full_name": layer.name,
        "name": name,
        "cls": visible(layer.cls, NAME_LENGTH),
        "shape": quantities.shape(layer.output_shape),
        "params": layer.params,
        "params_share": layer.params / max(profile.params, 1),
        "flops": layer.flops,
        "flops_share": layer.flops / max(profile.flops, 1),
        "weights": list(stats.histogram) if stats else None,
        "zeros": layer.zeros if stats else None,
        "mean": stats.mean if stats else None,
        "std": stats.std if stats else None,
        "cut": "yes" if layer.prunable else visible(layer.reason or "no"),
        "prunable": layer.prunable,
        "shrinks": any(name in prunable for name in (*layer.groups_out, *layer.groups_in)),
        "frozen": not any(name in prunable for name in layer.groups_out),
        "group": visible(", ".join(layer.groups_out), NAME_LENGTH) if layer.groups_out else "",
    }
