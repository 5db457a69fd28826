"""Which layer is selected: ``layer=`` in the URL, chosen in a table, a chart, or the select box."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pruning.analysis.profile import Layer, ModelProfile
from pruning.charts.layers import SELECTION

PARAMETER = "layer"
CHART, TABLE, GROUPS, BOX = "layers_costs", "layers_table", "layers_groups", "layers_box"


def selected(profile: ModelProfile) -> Layer:
    """The layer that the URL names, or else the one with the most parameters to gain."""
    name = st.query_params.get(PARAMETER)
    for layer in profile.layers:
        if layer.name == name:
            return layer
    return max(profile.layers, key=lambda layer: (layer.prunable, layer.params))


def choose(name: str) -> None:
    """Select the layer of that name."""
    st.query_params[PARAMETER] = name


def from_box() -> None:
    """Callback of the select box."""
    choose(st.session_state[BOX])


def from_chart() -> None:
    """Callback of the chart; a click beside the bars changes nothing."""
    points = st.session_state[CHART]["selection"].get(SELECTION, [])
    if points:
        choose(points[0]["name"])


def from_rows(key: str, names: Sequence[str]) -> None:
    """Callback of a table whose rows stand for ``names``; no row changes nothing."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(names):
        choose(names[rows[0]])


def mark_row(key: str, names: Sequence[str], name: str) -> None:
    """Show ``name`` as the selected row of the table that will be drawn with ``key``."""
    rows = [names.index(name)] if name in names else []
    stored = st.session_state.get(key)
    if stored is None or list(stored["selection"]["rows"]) != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
