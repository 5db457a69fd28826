"""What the choices come to: the price, the widths, the table to edit."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.components import chart, figures, state
from pages.components import scores as stored_scores
from pages.components.columns import COUNT
from pages.components.strategy import blocks, edits
from pages.components.strategy.form import Choices
from pages.components.text import apart, visible
from pruning import quantities
from pruning.analysis.profile import ModelProfile
from pruning.charts import strategy as charts
from pruning.errors import PlanError
from pruning.intake.store import model_folder
from pruning.runs.influences import Influences
from pruning.strategy import estimates
from pruning.strategy.channel_scores import ChannelScores
from pruning.strategy.criteria import criterion
from pruning.strategy.estimates import Prices
from pruning.strategy.plan import PruningPlan, Target
from pruning.strategy.planner import make_plan

_LATER = "known after the run"
_NAME = 28  # characters that fit into the first column: both ends are seen
_BAR = 20  # characters that fit under a bar
_CHART_ENTRIES = 600  # a pixel each
_TALLEST = 11  # rows of a table that is shown whole


def scores(profile: ModelProfile, choices: Choices, data: str | None) -> ChannelScores | None:
    """What the chosen criterion says of the channels; ``None`` for other methods.

    While it is being computed, shows that and stops the page.
    """
    if choices.method != "channels":
        return None
    found = stored_scores.computed(
        profile,
        choices.criterion,
        data,
        choices.calibration_samples,
        choices.training.seed,
    )
    if found is None:
        st.stop()
    return found


def influences(profile: ModelProfile, choices: Choices, data: str | None) -> Influences | None:
    """What the blocks are worth; ``None`` for other methods than layers.

    While that is being measured, shows it and stops the page.
    """
    if choices.method != "layers":
        return None
    found = blocks.influences(
        profile, choices.criterion, data, choices.calibration_samples, choices.training.seed
    )
    if found is None:
        st.stop()
    return found


def plan(
    profile: ModelProfile,
    choices: Choices,
    scored: ChannelScores | None = None,
    worth: Influences | None = None,
) -> PruningPlan:
    """Solve the choices, with the table's edits, into a plan.

    Args:
        profile: The model.
        choices: What the form says.
        scored: What the criterion says of the channels (method channels).
        worth: What the blocks are worth (method layers).

    Raises:
        PlanError: The target cannot be reached.
    """
    own = edits.current(profile.digest, choices.method)
    if own.opened is not None and not _still_says(choices, own.opened):
        edits.clear(own)
    solved = _solved(profile, choices, None if own.opened else choices.target, scored, worth)
    if own.opened is None:
        return solved
    return replace(solved, target=own.opened.target, fixed=own.opened.fixed)


def by_hand(
    profile: ModelProfile,
    choices: Choices,
    scored: ChannelScores | None = None,
    worth: Influences | None = None,
) -> None:
    """Draw what was set by hand, where no plan comes of it: there it can be taken back.

    Args:
        profile: The model.
        choices: What the form says.
        scored: What the criterion says of the channels (method channels).
        worth: What the blocks are worth (method layers).
    """
    own = edits.current(profile.digest, choices.method)
    if not own:
        return
    try:
        chosen = _solved(profile, choices, None, scored, worth)
    except PlanError:  # it is not the target that cannot be met
        edits.heading(own, "")
        return
    if worth is not None:
        blocks.show(profile, chosen, worth)
    else:
        _table(profile, chosen, _rows(profile, chosen, prices(profile, chosen, None, scored)))


def _solved(
    profile: ModelProfile,
    choices: Choices,
    target: Target | None,
    scored: ChannelScores | None,
    worth: Influences | None,
) -> PruningPlan:
    """The choices and the table's edits with a target, or by themselves."""
    own = edits.current(profile.digest, choices.method)
    # N:M has a share of its own: of what was set by hand only the locks hold.
    ratios = own.ratios if own.opened or choices.target is not None else {}
    asked = PruningPlan(
        profile.digest,
        **{**vars(choices), "target": target},
        locked=tuple(sorted(own.locked)),
        ratios={name: ratio for name, ratio in ratios.items() if name not in own.locked},
        removed=tuple(sorted(own.removed)),
    )
    return make_plan(
        profile,
        model_folder(profile.digest),
        asked,
        scores=scored,
        influences=None if worth is None else worth.values,
    )


def _still_says(choices: Choices, opened: PruningPlan) -> bool:
    """Whether the form was left as the opened plan had filled it, retraining aside."""
    same = ["method", "criterion", "scope", "round_to", "pattern", "block_pooling", "on_request"]
    if criterion(opened.criterion, opened.method).data_driven:
        same.append("calibration_samples")
    target = opened.target
    return all(getattr(choices, name) == getattr(opened, name) for name in same) and (
        target is None
        or choices.target is None
        or (choices.target.kind, round(100 * choices.target.value))
        == (target.kind, round(100 * target.value))
    )


def prices(
    profile: ModelProfile,
    chosen: PruningPlan,
    data: str | None,
    scored: ChannelScores | None = None,
) -> Prices:
    """Price a plan, with what was measured of the model before."""
    scores = state.baseline(profile.digest, data)
    accuracy = scores.value.value if scores and scores.metric == "accuracy" else None
    return estimates.price(
        profile,
        model_folder(profile.digest),
        chosen,
        latency=state.latency(profile.digest),
        accuracy=accuracy,
        scores=scored,
        gzip_bytes=state.gzip_bytes(profile.digest),
    )


def show(
    profile: ModelProfile,
    chosen: PruningPlan,
    priced: Prices,
    scored: ChannelScores | None = None,
    worth: Influences | None = None,
) -> None:
    """Draw the strip of figures, the chart of widths (or blocks) and the editable table."""
    figures.strip(_figures(chosen, priced), key="price")
    figures.legend()
    if priced.achieved is not None and chosen.target is not None:
        _achieved(chosen, priced.achieved)
    if scored is not None and scored.samples:
        looked = quantities.plural(scored.samples, "sample")
        title = criterion(scored.criterion, "channels").title
        st.caption(f"{title} looked at {looked} of the training split.")
    for note in priced.notes:
        st.warning(note, icon=":material/info:")
    if worth is not None:
        blocks.show(profile, chosen, worth)
        return
    rows = _rows(profile, chosen, priced)
    _chart(rows, chosen)
    _table(profile, chosen, rows)


def _figures(chosen: PruningPlan, priced: Prices) -> list[figures.Figure]:
    entries: list[tuple[str, str, figures.Unit]] = [
        ("Parameters", "params", "params"),
        ("FLOPs", "flops", "flops"),
        ("File size", "bytes", "bytes"),
        ("gzip size", "gzip_bytes", "bytes"),
        ("Latency", "latency_ms", "ms"),
    ]
    if chosen.method == "weights":
        entries[0] = ("Nonzero parameters", "nonzero_params", "params")
    strip = []
    for label, name, unit in entries:
        before, after = priced.before[name], priced.after[name]
        caption = "" if after.value is not None else _LATER
        if name == "latency_ms" and not state.timed(chosen.model):
            caption = "not measured yet"
        strip.append(
            figures.Figure(label, unit, after.value, before.value, after.basis, after.how, caption)
        )
    return [*strip, _quality(chosen, priced)]


def _quality(chosen: PruningPlan, priced: Prices) -> figures.Figure:
    """What the model is judged by: never guessed, so only what it was before."""
    before = state.baseline(chosen.model, state.current().data)
    how = priced.after["accuracy"].how
    if before is None:
        return figures.Figure("Accuracy", "accuracy", None, detail=how, caption=_LATER)
    unit = figures.quality_unit(before.metric)
    caption = f"{figures.written(before.value.value, unit)} before the run"
    return figures.Figure(figures.QUALITY[before.metric], unit, None, detail=how, caption=caption)


def _achieved(chosen: PruningPlan, achieved: float) -> None:
    target = chosen.target
    assert target is not None
    what = {"flops": "of the FLOPs", "params": "of the parameters", "bytes": "of the file size"}
    words = what.get(target.kind, "of the weights zero")
    st.caption(
        f"Asked for {quantities.percent(target.value)} {words}; "
        f"this plan comes to {quantities.percent(achieved)}."
    )


def _rows(profile: ModelProfile, chosen: PruningPlan, priced: Prices) -> pd.DataFrame:
    """One row a channel group or masked layer, in the model's order."""
    if chosen.method == "channels":
        entries = [
            (group.id, group.channels, group.reason, group.unit + "s", len(group.layers))
            for group in profile.groups
        ]
    else:
        entries = [
            (layer.name, layer.stats.count if layer.stats else 0, None, "weights", 1)
            for layer in profile.layers
            if layer.maskable
        ]
    rows = []
    names = apart([name for name, *_ in entries], _NAME)
    for shown, (name, before, reason, unit, layers) in zip(names, entries, strict=True):
        frozen = chosen.method == "channels" and name not in priced.kept
        locked = name in chosen.locked
        after = priced.kept.get(name, before)
        rows.append(
            {
                "id": name,
                "name": shown,
                "before": before,
                "after": after,
                "removed": 100 * (1 - after / before) if before else 0.0,
                "lock": locked,
                "state": "frozen" if frozen else "locked" if locked else "cut",
                "unit": unit,
                "layers": layers,
                "why": reason or "",
            }
        )
    columns = ["id", "name", "before", "after", "removed", "lock", "state", "unit", "layers", "why"]
    return pd.DataFrame(rows, columns=columns)


def _chart(rows: pd.DataFrame, chosen: PruningPlan) -> None:
    if rows.empty:
        return
    shown = rows.head(_CHART_ENTRIES).copy()
    shown["name"] = apart(list(shown["id"]), _BAR)
    shown["whole"] = [visible(name) for name in shown["id"]]
    untouched = (shown["state"] != "frozen") & (shown["after"] >= shown["before"])
    shown["state"] = shown["state"].where(~untouched, "whole")
    unit = "channels" if chosen.method == "channels" else "weights"
    cut = int((rows["after"] < rows["before"]).sum())
    chart.show(
        charts.kept_widths,
        shown[["name", "whole", "before", "after", "state"]],
        key="widths",
        unit=unit,
        crowded=len(shown) > charts.CROWD,
        alt=f"Kept over original {unit} of {len(shown)} groups or layers; {cut} are cut.",
    )
    if len(rows) > len(shown):
        st.caption(f"The first {len(shown)} of {len(rows)}; all are in the table.")


def _table(profile: ModelProfile, chosen: PruningPlan, rows: pd.DataFrame) -> None:
    own = edits.current(profile.digest, chosen.method)
    fixed = chosen.pattern_of_zeros.fixed is not None
    editable = rows[rows["state"] != "frozen"].reset_index(drop=True)
    names = list(editable["id"])
    key = f"ratios_{chosen.method}_{own.revision}"
    what = "group of channels" if chosen.method == "channels" else "layer"
    edit = "lock what shall stay whole" if fixed else "type a share to remove, or lock it"
    edits.heading(own, f"**By {what}**: {edit}; the rest follows.")
    # A layer whose weights become zero changes alone.
    shown = ["name", "before", "after", "removed", "lock"]
    shown += ["layers"] if chosen.method == "channels" else []
    st.data_editor(
        editable[shown],
        hide_index=True,
        disabled=["name", "before", "after", "layers", *(["removed"] if fixed else [])],
        height="content" if len(editable) <= _TALLEST else 420,
        column_config={
            "name": st.column_config.TextColumn("Name", width="medium"),
            "before": st.column_config.NumberColumn("Before", format=COUNT),
            "after": st.column_config.NumberColumn("After", format=COUNT),
            "removed": st.column_config.NumberColumn(
                "Removed %", min_value=0, max_value=99, step=0.01, format="%.1f"
            ),
            "lock": st.column_config.CheckboxColumn("Lock"),
            "layers": st.column_config.NumberColumn(
                "Layers", help="How many layers change when this group is cut."
            ),
        },
        key=key,
        on_change=edits.apply,
        args=(own, key, names),
    )
    frozen = rows[rows["state"] == "frozen"]
    if len(frozen):
        with st.expander(f"{len(frozen)} frozen, and why", icon=":material/lock:"):
            st.dataframe(
                frozen[["name", "before", "why"]],
                hide_index=True,
                column_config={
                    "name": "Name",
                    "before": st.column_config.NumberColumn("Channels", format=COUNT),
                    "why": "Why",
                },
            )
