"""What is open: read from the URL, so that a link pasted elsewhere opens the same.

The URL holds ``model``, ``data``, ``plan`` and ``run`` (``source`` and ``job`` while data is being
prepared); pages add their own (``layer``). Streamlit clears the URL when a person uses the
navigation, so the last state is kept in the session and put back (:func:`synchronise`). A URL
that names anything is the whole truth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import streamlit as st

from pruning import storage
from pruning.analysis.profile import ModelProfile
from pruning.comparison.result import Interval, Scores
from pruning.intake.dataset import Manifest, prepared_folder
from pruning.runs.folder import RunFolder, runs_folder
from pruning.runs.status import DAMAGE
from pruning.strategy.plan import PruningPlan
from pruning.strategy.prices import Timed

Page = Literal["upload", "layers", "strategy", "retraining", "comparison", "runs"]
KEYS = ("model", "data", "plan", "run", "source", "job")

_SESSION_KEY = "what is open"
_PLAN_KEY = "plan on the strategy page"
_PLAN_OF = "model on the strategy page"
# Ids become folder names: nothing that could climb out of the home folder gets through.
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}")


@dataclass(frozen=True)
class Current:
    """What the URL names; each is ``None`` when it is not open.

    Attributes:
        model: Id of the model, a folder under ``models/``.
        data: Ref of prepared data, see ``pruning.intake.dataset``.
        plan: Name of a saved plan.
        run: Id of a run, a folder under ``runs/``.
        source: Id of an uploaded data file that is not prepared yet.
        job: Key of the job that prepares or prepared it, when its settings were chosen by hand.
    """

    model: str | None = None
    data: str | None = None
    plan: str | None = None
    run: str | None = None
    source: str | None = None
    job: str | None = None

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """Query parameters that name the same, with ``changes``; ``None`` removes one."""
        named = {key: getattr(self, key) for key in KEYS} | changes
        return {key: value for key, value in named.items() if value}


def current() -> Current:
    """Return what is open. Ids that cannot be ids read as not open.

    A URL that names a run and nothing else opens what the run was made from.
    """
    query = st.query_params
    ids = {key: query.get(key, "") for key in KEYS if key != "plan"}
    if {key for key in KEYS if key in query} == {"run"}:
        ids |= _made_from(ids["run"])  # not put into the URL: "back" would lead here again
    return Current(
        **{key: value if _ID.fullmatch(value) else None for key, value in ids.items()},
        plan=query.get("plan") or None,
    )


def synchronise() -> None:
    """Put the session's state into a URL that names nothing. Called once a run, by the frame."""
    named = {key: st.query_params[key] for key in KEYS if key in st.query_params}
    if named:
        st.session_state[_SESSION_KEY] = named
    else:
        # At once: each change of the URL is a step for the browser's back button.
        st.query_params.update(st.session_state.get(_SESSION_KEY, {}))


def _made_from(run: str) -> dict[str, str]:
    """Model and data of a run, for a link that names nothing else; empty where it is not known."""
    if not _ID.fullmatch(run):
        return {}
    path = RunFolder(runs_folder() / run).request
    try:
        request = _record(str(path), path.stat().st_mtime_ns)
        return {key: str(request[key]) for key in ("model", "data") if request.get(key)}
    except DAMAGE:
        return {}


def select(**changes: str | None) -> None:
    """Open something on this page: ``select(model=id, data=None)``. Shown from the next run on."""
    for key, value in changes.items():
        if not value and key in st.query_params:
            del st.query_params[key]
    st.query_params.update({key: value for key, value in changes.items() if value})
    named = {key: st.query_params[key] for key in KEYS if key in st.query_params}
    st.session_state[_SESSION_KEY] = named


def go(page: Page, **changes: str | None) -> NoReturn:
    """Go to another page with the same things open, with ``changes``.

    Any other parameter (``layer="conv_1"``) is handed on as well.
    """
    st.session_state[_SESSION_KEY] = {
        key: value for key, value in current().parameters(**changes).items() if key in KEYS
    }
    st.switch_page(f"{page}.py", query_params=current().parameters(**changes))


def link(
    page: Page,
    label: str,
    *,
    icon: str | None = None,
    help: str | None = None,
    **changes: str | None,
) -> None:
    """Draw a link to a page with the same things open, with ``changes``.

    Args:
        page: Where it leads.
        label: Markdown; text from files goes through ``text.plain`` first.
        icon: Material icon.
        help: Markdown shown on hover.
        changes: Query parameters; ``None`` removes one.
    """
    st.page_link(
        f"{page}.py",
        label=label,
        icon=icon,
        help=help,
        query_params=current().parameters(**changes),
    )


def note_plan(model: str, plan: PruningPlan | None) -> None:
    """Remember the plan that the strategy page shows, for what other pages draw of it.

    Args:
        model: That the page is for.
        plan: ``None`` when the form comes to no plan.
    """
    st.session_state[_PLAN_KEY], st.session_state[_PLAN_OF] = plan, model


def drawn_plan(model: str) -> PruningPlan | None:
    """The plan that the strategy page showed last in this session, when it is for this model."""
    plan: PruningPlan | None = st.session_state.get(_PLAN_KEY)
    return plan if plan is not None and plan.model == model else None


def plan_changed(opened: Current) -> bool:
    """Whether the strategy page's form says something else than the saved plan that is open."""
    if st.session_state.get(_PLAN_OF) != opened.model:
        return False
    plan = drawn_plan(opened.model or "")
    return plan is None or plan.name != opened.plan


def profile(model: str | None) -> ModelProfile | None:
    """The profile of a model, or ``None`` while there is none. Shared: never change it."""
    path = storage.home() / "models" / (model or "") / "profile.json"
    if not model or not path.is_file():
        return None
    return _profile(str(path.parent), path.stat().st_mtime_ns)


def profile_changed(model: str) -> int:
    """When a model's profile was written, for the keys of caches; 0 when there is none."""
    path = storage.home() / "models" / model / "profile.json"
    return path.stat().st_mtime_ns if path.is_file() else 0


def manifest(ref: str | None) -> Manifest | None:
    """The manifest of prepared data, or ``None`` while there is none. Shared: never change it."""
    if not ref:
        return None
    path = prepared_folder(ref) / "manifest.json"
    return _manifest(str(path), path.stat().st_mtime_ns) if path.is_file() else None


def baseline(model: str | None, ref: str | None) -> Scores | None:
    """How well the model does on the test samples before pruning, or ``None`` when unknown."""
    scores = _baseline(model, ref).get("scores")
    return scores and Scores(**{**scores, "value": Interval(**scores["value"])})


def answer_seconds(model: str, ref: str) -> float | None:
    """How long the model took for one test sample, in batches; ``None`` when unknown."""
    seconds: float | None = _baseline(model, ref).get("seconds_per_sample")
    return seconds


def _baseline(model: str | None, ref: str | None) -> dict[str, Any]:
    """What the job *baseline* found out of a model on this data; empty before it has ended."""
    path = storage.home() / "models" / (model or "") / "baselines" / f"{ref}.json"
    named = model and ref and path.is_file()
    return _record(str(path), path.stat().st_mtime_ns) if named else {}


def timed(model: str) -> bool:
    """Whether the model's latency was measured, or found not to be measurable."""
    return _measured_file(model).is_file()


def latency(model: str) -> Timed | None:
    """Latency of a model before pruning; ``None`` when not measured."""
    found = _measured(model)
    median = found.get("median_ms")
    return None if median is None else Timed(median, found.get("fixed", 0.0))


def gzip_bytes(model: str) -> int | None:
    """Measured size of a model after gzip, before pruning; ``None`` when it was not measured."""
    size: int | None = _measured(model).get("gzip_bytes")
    return size


def _measured(model: str) -> dict[str, Any]:
    """What the job *latency* found out of a model; empty before it has ended."""
    path = _measured_file(model)
    return _record(str(path), path.stat().st_mtime_ns) if path.is_file() else {}


def _measured_file(model: str) -> Path:
    return storage.home() / "models" / model / "latency.json"


@st.cache_resource(max_entries=8, show_spinner=False)
def _profile(folder: str, changed: int) -> ModelProfile:
    return ModelProfile.load(Path(folder))


@st.cache_resource(max_entries=32, show_spinner=False)
def _record(path: str, changed: int) -> dict[str, Any]:
    """A small JSON file, read once as long as it does not change. Shared: never change it."""
    return storage.read_json(Path(path))


@st.cache_resource(max_entries=32, show_spinner=False)
def _manifest(path: str, changed: int) -> Manifest:
    return Manifest.from_dict(storage.read_json(Path(path)))
