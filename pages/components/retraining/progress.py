"""A run as it happens: stages, time left, curves, the end of the log."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from pages.components import errors, figures, heading, proof, state
from pages.components.badge import badge
from pages.components.retraining import curves, metrics
from pages.components.text import plain, uncoloured
from pruning import quantities
from pruning.comparison.recalibration import Recalibration
from pruning.comparison.result import Comparison
from pruning.errors import PruningError
from pruning.runs import executor, library
from pruning.runs.folder import RunFolder
from pruning.runs.pace import Pace, pace
from pruning.runs.status import Stage, Status, status
from pruning.strategy.description import describe
from pruning.strategy.plan import PruningPlan

REFRESH_SECONDS = 1.0
FIRST_SECONDS = 0.1  # until the first step: that is what a person waits for
HOLD_SECONDS = 0.3  # then it is drawn all the same; a click has to wait as long
LOOK_SECONDS = 0.05
_STAGE_MARKS = {"waiting": "○", "running": "◐", "done": "●", "skipped": "–"}
_DRAWN = "_run_drawn"  # key of the session's state: run, state and stage
_ENDED = ("failed", "killed", "cancelled")


def follow(folder: RunFolder) -> None:
    """Draw a run; while it is not finished, again and again."""
    current = status(folder)
    if current.final:
        _draw(folder, current)
        return
    waiting = _awaits_first_step(folder, current)
    st.session_state.pop(_DRAWN, None)  # a page that was just opened holds nothing back
    watch = st.fragment(_live, run_every=FIRST_SECONDS if waiting else REFRESH_SECONDS)
    watch(folder, waiting)


def _live(folder: RunFolder, waiting: bool) -> None:
    """Draw a run; the page anew when it has ended, or its first step is there."""
    current = news(folder) if waiting else status(folder)
    turned = waiting != _awaits_first_step(folder, current)
    if not current.final:
        _draw(folder, current)
    if current.final or turned:
        st.rerun()  # with another timer or none, and with what a finished run offers


def news(folder: RunFolder) -> Status:
    """The status as soon as it has gone on since the last drawing, or after a moment.

    Before its first step a run shares the cores with the browser that draws it: a drawing less is
    time for the worker.
    """
    until = time.monotonic() + HOLD_SECONDS
    current = status(folder)
    while (
        _seen(folder, current) == st.session_state.get(_DRAWN)
        and _awaits_first_step(folder, current)
        and time.monotonic() < until
    ):
        time.sleep(LOOK_SECONDS)
        current = status(folder)
    st.session_state[_DRAWN] = _seen(folder, current)
    return current


def _seen(folder: RunFolder, current: Status) -> tuple[str, str, str]:
    return folder.id, current.state, current.stage


def _awaits_first_step(folder: RunFolder, current: Status) -> bool:
    return current.state != "queued" and not metrics.progress(folder).last()


def _draw(folder: RunFolder, current: Status) -> None:
    plan = PruningPlan.from_dict(folder.read(folder.plan))
    read = metrics.progress(folder)
    found = pace(read.last())
    _heading(folder, current, plan)
    _stages(current)
    _now(current, found, plan)
    _outcome(folder, current)
    # One point is no curve, and what draws it takes a browser longer than the step's own words.
    if current.final or len(read.last()) > 1:
        curves.show(folder, read)
    _log(folder, failed=current.state == "failed")


def _log(folder: RunFolder, *, failed: bool) -> None:
    """The end of the log, sent only while it is open: what draws it takes a browser a second."""
    key = "failed_log" if failed else "log"  # a log that was closed opens when the run fails
    log = st.expander(
        "Log", icon=":material/terminal:", expanded=failed, key=key, on_change="rerun"
    )
    if log.open:
        with log, st.container(height=280, border=False, autoscroll=True, key="log_tail"):
            st.code(uncoloured(folder.log_tail()) or "Nothing yet.", language=None, wrap_lines=True)


def _words(plan: PruningPlan) -> str:
    """The name that a person gave, else what the plan does, which is never too long."""
    return plain(plan.name, 80) if plan.name else plain(describe(plan))


def _heading(folder: RunFolder, current: Status, plan: PruningPlan) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        heading.section(f"{badge(current.state)} {_words(plan)}")
        if current.state in ("queued", "running"):
            st.button(
                "Cancel this run",
                key="cancel",
                icon=":material/stop_circle:",
                on_click=executor.cancel,
                args=(folder,),
            )
    if plan.name:
        st.caption(plain(describe(plan)))
    if current.state == "queued":
        waiting = executor.queue()
        place = waiting.index(folder.id) + 1 if folder.id in waiting else 1
        st.info(
            f"Number {place} in the queue: it starts as soon as a core is free. You may close "
            "this page; the link brings you back.",
            icon=":material/schedule:",
        )


def _stages(current: Status) -> None:
    """One column a stage; where the work ended too early, it says how."""
    stages = current.stages
    if not stages:
        return
    with st.container(key="stages"), st.grid(len(stages), min_column_width=105, gap="small"):
        for stage in stages:
            mark, words = _stage(stage, current)
            name = f"**{stage.name}**" if stage.state == "running" else stage.name
            st.markdown(f"{mark} {name}  \n:gray[{words}]")


def _stage(stage: Stage, current: Status) -> tuple[str, str]:
    """Mark and words of a stage."""
    if stage.state == "running" and current.state in _ENDED:
        return "✗", current.state
    if stage.state == "waiting" and current.final:
        return _STAGE_MARKS["waiting"], "not reached"
    words = stage.state if stage.state != "running" else "…"
    if stage.seconds is not None:
        words = quantities.duration(stage.seconds)
    return _STAGE_MARKS[stage.state], words


def _now(current: Status, found: Pace | None, plan: PruningPlan) -> None:
    """One bar with how far the running stage is, and the figures of training."""
    if current.final:
        return
    if current.stage == "retrain" and found:
        words = [
            f"epoch {found.epoch} of {plan.training.epochs}" if found.epoch else "",
            f"step {found.step:,} of {found.steps:,}",
        ]
        if found.steps_per_second:
            samples = found.steps_per_second * plan.training.batch_size
            words.append(f"{quantities.count(samples)} samples/s")
        if found.seconds_left is not None:
            words.append(f"about {quantities.duration(found.seconds_left)} left")
        share = min(1.0, found.step / found.steps) if found.steps else 0.0
        st.progress(share, text=" · ".join(word for word in words if word))
    elif current.state == "running":
        text = " · ".join(word for word in (current.stage or "starting", current.words) if word)
        st.progress(current.fraction or 0.0, text=text)


def _outcome(folder: RunFolder, current: Status) -> None:
    if current.state == "done":
        _result(folder, current)
        proof.show(current.results)
        state.link("comparison", "See before and after", icon=":material/compare:", run=folder.id)
    elif current.state in ("failed", "killed") and current.error is not None:
        errors.show(current.error)
        _start_again(folder)
    elif current.state == "cancelled":
        kept = "plan, curves and log are" if folder.record.exists() else "plan is"
        st.warning(f"This run was cancelled. Its {kept} kept.")
        _start_again(folder)


def _result(folder: RunFolder, current: Status) -> None:
    results = current.results
    accuracy = results.get("accuracy") or {}
    entries = [
        _sized("Parameters", "params", results.get("params")),
        _sized("FLOPs", "flops", results.get("flops")),
        _sized("File", "bytes", results.get("bytes"), figures.AS_SAVED),
        _sized("gzip", "bytes", results.get("gzip_bytes")),
    ]
    if accuracy:
        entries.append(
            figures.Figure(
                figures.QUALITY[results.get("metric") or "accuracy"],
                figures.quality_unit(results.get("metric")),
                accuracy["after"],
                accuracy["before"],
                "measured",
                "On the same test samples; the comparison page shows the interval.",
                shown=_change_is_shown(folder),
            )
        )
    figures.strip(entries, key="result", columns=3)
    if found := results.get("recalibration"):
        st.caption(Recalibration.from_dict(found).describe())


def _change_is_shown(folder: RunFolder) -> bool:
    path = folder.comparison
    return not (path.exists() and _holds_zero(str(path), path.stat().st_mtime_ns))


@st.cache_resource(max_entries=64, show_spinner=False)
def _holds_zero(path: str, changed: int) -> bool:
    """Read once: of many classes and samples, a comparison is a large file."""
    return Comparison.load(Path(path)).difference.holds_zero


def _sized(
    label: str, unit: figures.Unit, pair: dict[str, float] | None, detail: str = ""
) -> figures.Figure:
    pair = pair or {}
    return figures.Figure(label, unit, pair.get("after"), pair.get("before"), "exact", detail)


def _start_again(folder: RunFolder) -> None:
    if st.button("Start the same plan again", icon=":material/replay:", key="again"):
        try:
            run = library.summary(folder)
            plan = PruningPlan.from_dict(folder.read(folder.plan))
            again = executor.start_run(run.model, run.data, plan)
        except PruningError as error:
            errors.show(error)
        else:
            state.go("retraining", run=again.id)
