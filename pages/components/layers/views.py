"""What the layers page shows, each part a function of the profile and the selected layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.layers import graph, selection, tables
from pages.components.layers.advice import advice, group_of
from pages.components.text import plain, visible
from pruning import quantities, storage
from pruning.analysis.profile import Group, Layer, ModelProfile, load_scores
from pruning.charts import layers as charts

TABLE_HEIGHT = 460
Chart = alt.Chart | alt.LayerChart | alt.FacetChart


def costs(profile: ModelProfile, layer: Layer) -> None:
    """Draw where the parameters and the FLOPs are; a click selects a layer."""

    def build() -> Chart:
        return charts.cost_bars(charts.segments(_frame(profile), layer.name), layer.name)

    st.vega_lite_chart(
        _spec("costs", *_version(profile), layer.name, build),
        key=selection.CHART,
        on_select=selection.from_chart,
        selection_mode=charts.SELECTION,
        alt=f"Share of each layer in {quantities.count(profile.params)} parameters and "
        f"{quantities.count(profile.flops)} FLOPs; the table below has the same figures.",
    )
    st.caption(
        "Each block is a layer, in the model's order: :blue[■] it shrinks when channels are "
        "removed, :gray[■] frozen. Click one to select it."
    )


def picker(profile: ModelProfile, layer: Layer) -> None:
    """Draw the select box that finds a layer by typing."""
    st.session_state[selection.BOX] = layer.name
    st.selectbox(
        "Selected layer",
        [entry.name for entry in profile.layers],
        key=selection.BOX,
        format_func=lambda name: visible(name, tables.NAME_LENGTH),
        on_change=selection.from_box,
        filter_mode="contains",
    )


def table(profile: ModelProfile, layer: Layer) -> None:
    """Draw the table of layers with its filters; a row selects a layer."""
    with st.container(horizontal=True, vertical_alignment="center"):
        words = st.text_input(
            "Filter",
            key="filter",
            bind="query-params",
            placeholder="Filter by name or type",
            label_visibility="collapsed",
            icon=":material/search:",
            width=260,
        )
        kind = st.segmented_control(
            "Show", tables.KINDS, default="All", key="show", bind="query-params",
            label_visibility="collapsed", required=True,
        )  # fmt: skip
    frame = _frame(profile)
    shown = tables.filtered(frame, words or "", kind or "All")
    names = shown["full_name"].tolist()
    if not names:
        st.info(f"No layer matches this filter; the model has {len(profile.layers)} layers.")
        return
    selection.mark_row(selection.TABLE, names, layer.name)
    st.dataframe(
        shown,
        key=selection.TABLE,
        height=TABLE_HEIGHT,
        hide_index=True,
        column_order=tuple(tables.COLUMNS),
        column_config=tables.columns(frame),
        on_select=lambda: selection.from_rows(selection.TABLE, names),
        selection_mode="single-row",
        placeholder="",
        alt="Layers of the model",
    )
    st.caption(f"{len(names)} of {quantities.plural(len(profile.layers), 'layer')}")


def model_graph(profile: ModelProfile, layer: Layer) -> None:
    """Draw the model's graph, whole or around the selected layer."""
    nodes = graph.nodes(profile)
    center = next(n for n, node in nodes.items() if layer in node.layers)
    whole = len(nodes) <= graph.READABLE
    if graph.READABLE < len(nodes) <= graph.LARGEST:
        whole = st.toggle("Whole model", key="whole", bind="query-params")
    shown = nodes if whole else graph.around(nodes, center)
    with st.container(height=TABLE_HEIGHT, border=True, key="layers_graph"):
        st.graphviz_chart(
            graph.dot(profile, shown, layer.name),
            width="content",
            alt=f"Graph of the model around {visible(layer.name, tables.NAME_LENGTH)}",
        )
    st.caption(
        f"{len(shown)} of {quantities.plural(len(nodes), 'node')}. Same colour: channels that are "
        "removed together; grey: frozen; outlined: selected."
    )


def detail(profile: ModelProfile, layer: Layer) -> None:
    """Draw the selected layer: facts, weights, channel scores, its group, the advice."""
    st.subheader(plain(layer.name, 80), anchor=False, help=plain(layer.name))
    st.markdown(_facts(layer))
    group = group_of(profile, layer)
    scores = channel_scores(profile, group)
    st.info(advice(profile, layer, scores), icon=":material/lightbulb:")
    left, right = st.columns(2, gap="medium")
    with left:
        _weights(profile, layer)
    with right:
        _scores(profile, group, scores)
    if group is not None:
        _group(group)


def groups(profile: ModelProfile, layer: Layer) -> None:
    """Draw the table of channel groups; a row selects the group's first layer."""
    st.subheader("Channel groups", anchor=False)
    st.caption(
        "Layers joined by additions, depthwise convolutions and the like share their channels: "
        "remove one and it is gone from all of them."
    )
    if not profile.groups:
        st.info("This model has no channels to remove; the method *weights* still applies.")
        return
    own = group_of(profile, layer)
    ids = [group.id for group in profile.groups]
    firsts = [(group.producers or group.layers or ("",))[0] for group in profile.groups]
    selection.mark_row(selection.GROUPS, ids, own.id if own else "")
    st.dataframe(
        tables.group_frame(*_version(profile), profile.groups),
        key=selection.GROUPS,
        hide_index=True,
        column_config=tables.GROUP_COLUMNS,
        on_select=lambda: selection.from_rows(selection.GROUPS, firsts),
        selection_mode="single-row",
        alt="Channel groups of the model",
    )


def channel_scores(profile: ModelProfile, group: Group | None) -> np.ndarray | None:
    """L1 scores of a group's channels, (channels,), or ``None`` when there are none."""
    folder = storage.home() / "models" / profile.digest
    if group is None or group.score_offset is None or not (folder / "scores_l1.npy").is_file():
        return None
    return load_scores(profile, folder, "l1").get(group.id)


def _frame(profile: ModelProfile) -> pd.DataFrame:
    return tables.layer_frame(*_version(profile), profile)


def _version(profile: ModelProfile) -> tuple[str, int]:
    """Key of what is cached of a profile: the model's digest, and when it was analysed."""
    return profile.digest, state.profile_changed(profile.digest)


@st.cache_data(max_entries=256, show_spinner=False)
def _spec(
    what: str, digest: str, changed: int, name: str, _build: Callable[[], Chart]
) -> dict[str, Any]:
    """A chart of a layer or group as Vega-Lite: Altair's checks cost more than all else here."""
    spec: dict[str, Any] = _build().to_dict()
    return spec


def _facts(layer: Layer) -> str:
    facts = [
        plain(layer.cls),
        f"output {quantities.shape(layer.output_shape)}",
        f"{quantities.count(layer.params)} parameters",
        f"{quantities.count(layer.flops)} FLOPs",
    ]
    if layer.stats:
        facts.append(f"{quantities.percent(layer.zeros)} zeros")
    return " · ".join(facts)


def _weights(profile: ModelProfile, layer: Layer) -> None:
    if layer.stats is None:
        st.caption("No weights to draw: this layer has no kernels.")
        return
    stats = layer.stats
    st.markdown("**Weights**")

    def build() -> Chart:
        return charts.weight_histogram(stats.edges, stats.histogram)

    st.vega_lite_chart(
        _spec("weights", *_version(profile), layer.name, build),
        key="layers_histogram",
        alt=f"Histogram of {quantities.plural(stats.count, 'weight')}",
    )
    st.caption(
        f"{quantities.plural(stats.count, 'weight')}, mean {stats.mean:.2g}, deviation "
        f"{stats.std:.2g}, from {stats.minimum:.2g} to {stats.maximum:.2g}"
    )


def _scores(profile: ModelProfile, group: Group | None, scores: np.ndarray | None) -> None:
    if group is None or scores is None:
        st.caption("No channel scores: these channels are not removed.")
        return
    st.markdown("**Channel scores**")

    def build() -> Chart:
        return charts.sorted_scores(scores, group.unit)

    st.vega_lite_chart(
        _spec("scores", *_version(profile), group.id, build),
        key="layers_scores",
        alt=f"L1 scores of {quantities.plural(group.channels, group.unit)}, weakest first",
    )
    st.caption(
        "Sum of a channel's absolute weights, averaged over the layers that make it and scaled to "
        "a mean of 1; the weakest are cut first."
    )


def _group(group: Group) -> None:
    members = [f"`{visible(name, tables.NAME_LENGTH).replace('`', 'ʼ')}`" for name in group.layers]
    more = f" and {len(members) - 12} more" if len(members) > 12 else ""
    st.markdown(
        f"**Moves with** {quantities.plural(len(members), 'layer')} · "
        f"{quantities.plural(group.channels, group.unit)}: {', '.join(members[:12])}{more}"
    )
