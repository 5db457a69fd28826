"""What the layers page shows, each part a function of the profile and the selected layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import chart, heading, state
from pages.components.layers import graph, in_view, selection, tables
from pages.components.layers.advice import advice, group_of
from pages.components.layers.planned import Planned, planned
from pages.components.text import apart, labels, plain, visible
from pruning import quantities, storage
from pruning.analysis.profile import Group, Layer, ModelProfile, load_scores
from pruning.charts import layers as charts
from pruning.charts.theme import SELECTED
from pruning.strategy.criteria import criterion

TABLE_HEIGHT = 460
_TALLEST = 12  # rows that fit into it
_LATENCY_HELP = (
    "Latency: each layer alone on LiteRT, one thread, one sample; in the whole model neighbours "
    "are joined and take less."
)


Latencies = Mapping[str, float | None]
"""Milliseconds of each layer alone, by name; empty until they are measured."""


def costs(profile: ModelProfile, layer: Layer, latencies: Latencies) -> None:
    """Draw where the parameters, the FLOPs and the time are; a click selects a layer."""
    missing = [entry for entry in profile.layers if entry.flops and not latencies.get(entry.name)]
    timed = {} if missing else latencies  # a bar of some layers would look like one of all
    chart.show(
        charts.cost_bars,
        charts.segments(_timed(_frame(profile), timed), layer.name),
        key=selection.CHART,
        alt=f"Share of each layer in {quantities.count(profile.params)} parameters and "
        f"{quantities.count(profile.flops)} FLOPs; the table below has the same figures.",
        on_select=selection.from_chart,
        selection=charts.SELECTION,
        selected=layer.name,
    )
    st.caption(
        "Each block is a layer, in the model's order: :blue[■] filled, it shrinks when channels "
        "are removed; :gray[□] an outline, it keeps its size. Click one to select it."
        + (f" {_LATENCY_HELP}" if any(timed.values()) else "")
    )
    if latencies and missing:
        layers = quantities.plural(len(missing), "layer")
        st.caption(
            f":material/info: The time of {layers} could not be measured alone, so that there is "
            "no bar of it; the table has the others'."
        )


def picker(profile: ModelProfile, layer: Layer) -> None:
    """Draw the select box that finds a layer by typing."""
    st.session_state[selection.BOX] = layer.name
    names = labels((entry.name for entry in profile.layers), tables.NAME_LENGTH)
    st.selectbox(
        "Selected layer",
        [entry.name for entry in profile.layers],
        key=selection.BOX,
        format_func=lambda name: names.get(name, name),
        on_change=selection.from_box,
        filter_mode="contains",
    )


def table(profile: ModelProfile, layer: Layer, latencies: Latencies) -> None:
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
            label_visibility="collapsed", required=True, wrap=True,)  # fmt: skip
    frame = _timed(_frame(profile), latencies)
    in_units, units = tables.in_units(frame)
    shown = tables.filtered(in_units, words or "", kind or "All")
    names = shown["full_name"].tolist()
    if not names:
        st.info(f"No layer matches this filter; the model has {len(profile.layers)} layers.")
        return
    selection.mark_row(selection.TABLE, names, layer.name)
    st.dataframe(
        shown,
        key=selection.TABLE,
        height="content" if len(names) <= _TALLEST else TABLE_HEIGHT,
        hide_index=True,
        column_order=[name for name in tables.COLUMNS if name in frame],
        column_config=tables.columns(frame) | units,
        on_select=lambda: selection.from_rows(selection.TABLE, names),
        selection_mode="single-row",
        placeholder="",
        alt="Layers of the model",
    )
    st.caption(f"{len(names):,} of {quantities.plural(len(profile.layers), 'layer')}")


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
        in_view.keep(graph.elements(profile)[center], SELECTED)
    st.caption(
        f"{len(shown):,} of {quantities.plural(len(nodes), 'node')}. Same colour: channels that "
        "are removed together; grey, dashed: frozen; outlined: selected."
    )


def detail(profile: ModelProfile, layer: Layer, latencies: Latencies) -> None:
    """Draw the selected layer: facts, weights, channel scores, its group, the advice."""
    heading.section(plain(layer.name, 80), help=plain(layer.name))
    st.markdown(_facts(layer, latencies.get(layer.name)))
    group = group_of(profile, layer)
    scores = channel_scores(profile, group)
    plan = planned(profile, layer, group)
    st.info(advice(profile, layer, scores), icon=":material/lightbulb:")
    left, right = st.columns(2, gap="medium")
    with left:
        _weights(layer, plan)
    with right:
        if plan and plan.scores is not None:
            scores = plan.scores
        _scores(group, scores, plan)
    if group is not None:
        _group(group)
    state.link("strategy", "Choose what to remove", icon=":material/arrow_forward:")


def groups(profile: ModelProfile, layer: Layer) -> None:
    """Draw the table of channel groups; a row selects the group's first layer."""
    heading.section("Channel groups")
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
    if group is None or group.score_offset is None:
        return None
    if not (folder / "scores_l1.npy").is_file():
        return None
    return load_scores(profile, folder, "l1").get(group.id)


def _frame(profile: ModelProfile) -> pd.DataFrame:
    return tables.layer_frame(*_version(profile), profile)


def _version(profile: ModelProfile) -> tuple[str, int]:
    """Key of what is cached of a profile: the model's digest, and when it was analysed."""
    return profile.digest, state.profile_changed(profile.digest)


def _timed(frame: pd.DataFrame, latencies: Latencies) -> pd.DataFrame:
    """The table of layers with their latency, when it was measured."""
    if not any(latencies.values()):
        return frame
    return frame.assign(latency=frame["full_name"].map(dict(latencies)).astype(float))


def _facts(layer: Layer, latency: float | None) -> str:
    facts = [
        plain(layer.cls),
        f"output {quantities.shape(layer.output_shape)}",
        f"{quantities.count(layer.params)} parameters",
        f"{quantities.count(layer.flops)} FLOPs",
    ]
    if latency is not None:
        facts.append(f"{quantities.milliseconds(latency)} alone")
    if layer.stats:
        facts.append(f"{quantities.percent(layer.zeros)} zeros")
    return " · ".join(facts)


def _weights(layer: Layer, plan: Planned | None) -> None:
    if layer.stats is None:
        st.caption("No weights to draw: this layer has no kernels.")
        return
    stats = layer.stats
    threshold = plan.threshold if plan else None
    heading.part("Weights")
    chart.show(
        charts.weight_histogram,
        charts.histogram_rows(stats.edges, stats.histogram),
        key="layers_histogram",
        alt=f"Histogram of {quantities.plural(stats.count, 'weight')}",
        threshold=threshold,
    )
    words = (
        f"{quantities.plural(stats.count, 'weight')}, mean {stats.mean:.2g}, deviation "
        f"{stats.std:.2g}, from {stats.minimum:.2g} to {stats.maximum:.2g}"
    )
    st.caption(quantities.minus(words))
    if plan and threshold is not None:
        st.caption(
            f":orange[┆] Between the dashed lines weights become zero (|w| ≤ {threshold:.3g}) by "
            f"the current plan: {plain(plan.words, 80)}"
        )


def _scores(group: Group | None, scores: np.ndarray | None, plan: Planned | None) -> None:
    if group is None or scores is None:
        st.caption("No channel scores: these channels are not removed.")
        return
    kept = plan.kept if plan else None
    removed = 0 if kept is None else len(scores) - len(kept)
    found = criterion(plan.criterion if plan and kept is not None else "l1", "channels")
    title = f"{found.title} score"
    heading.part("Channel scores")
    chart.show(
        charts.sorted_scores,
        charts.score_rows(scores, kept),
        key="layers_scores",
        alt=f"{title}s of {quantities.plural(group.channels, group.unit)}, weakest first"
        + (f"; the current plan removes {removed}" if removed else ""),
        unit=group.unit,
        title=title,
        planned=removed > 0,
    )
    scaled = ", scaled to a mean of 1" if found.unit == "relative" else ""
    st.caption(
        f"By the criterion {found.title}, averaged over the layers that make a channel{scaled}; "
        "the weakest are cut first."
    )
    if plan and kept is not None:
        what = f"{removed:,} of {quantities.plural(len(scores), group.unit)}"
        st.caption(f":orange[┆] The current plan removes {what}: {plain(plan.words, 80)}")


def _group(group: Group) -> None:
    names = apart(group.layers, tables.NAME_LENGTH)
    members = [f"`{name.replace('`', 'ʼ')}`" for name in names]
    st.markdown(
        f"**Moves with** {quantities.plural(len(members), 'layer')} · "
        f"{quantities.plural(group.channels, group.unit)}: {quantities.listed(members, 12)}"
    )
