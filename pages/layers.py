"""Layers: where the weight and the work are, what can be removed, and what moves with what."""

from __future__ import annotations

import streamlit as st

from pages.components import header, jobs, works
from pages.components.layers import blocks, selection, views

st.title("Layers", anchor=False)
opened = header.require(model=True)
profile = works.profile_or_wait(str(opened.model))
layer = selection.selected(profile)

top = st.container()
timed = jobs.follow(works.layer_latency(str(opened.model)))["layer_latency"]
latencies = (timed or {}).get("layers", {})
with top:
    views.costs(profile, layer, latencies)
left, right = st.columns([9, 4], gap="medium")
with left:
    views.table(profile, layer, latencies)
with right:
    views.picker(profile, layer)
    views.model_graph(profile, layer)
views.detail(profile, layer, latencies)
views.groups(profile, layer)
blocks.show(profile)
