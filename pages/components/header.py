"""The line at the top of every page: what is open, each a link to where it is chosen."""

from __future__ import annotations

import streamlit as st

from pages.components import glossary, state
from pages.components.text import plain, visible
from pruning import quantities, storage
from pruning.analysis.profile import ModelProfile
from pruning.intake import store
from pruning.runs import library
from pruning.strategy.plan import PruningPlan

FAMILIES = {"keras3": "Keras 3", "tf_keras": "Keras 2 (tf_keras)"}
_SHORT = {"keras3": "Keras 3", "tf_keras": "Keras 2"}
_NAME_LENGTH = 32
_PLAN_PLACE = "place of the plan in the header"


def line() -> None:
    """Draw the line: model · data · plan · run."""
    opened = state.current()
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="header", border=False
    ):
        model, data = _model(opened), _data(opened)
        state.link("upload", model, icon=":material/deployed_code:", help=_model_help(opened))
        state.link("upload", data, icon=":material/dataset:", help=_data_help(opened))
        if opened.plan:
            st.session_state[_PLAN_PLACE] = st.empty()
            _plan(opened)
        if opened.run:
            state.link("retraining", plain(opened.run), icon=":material/model_training:")
        glossary.button()


def plan_is(model: str, plan: PruningPlan | None) -> None:
    """Tell what the strategy page's form comes to, which is known only after the line is drawn.

    Args:
        model: That the page is for.
        plan: With the name of the saved plan if it is that one; ``None`` when it is no plan.
    """
    state.note_plan(model, plan)
    _plan(state.current())


def require(
    *, model: bool = False, data: bool = False, plan: bool = False, run: bool = False
) -> state.Current:
    """Return what is open, or say what is missing, link to where it is chosen, and stop the page.

    Args:
        model: A model must be open and its profile read.
        data: Prepared data must be open.
        plan: A saved plan must be open.
        run: A run must be open.
    """
    opened = state.current()
    if model and not opened.model:
        _missing("No model is open yet.", "Open a demo or bring your own model", "upload")
    if model and not model_is_here(opened):
        _missing(gone("model"), "Open a demo or bring your own model", "upload")
    if data and not state.manifest(opened.data):
        _missing("No data is open yet.", "Choose the data that the model is judged on", "upload")
    if plan and not opened.plan:
        _missing("No plan is open yet.", "Choose a strategy", "strategy")
    if run and not opened.run:
        what = "No run is open yet."
        if not library.is_empty():
            _missing(what, "Start a run, or open one of the earlier ones", "runs")
        _missing(what, *before_a_run())
    return opened


def model_is_here(opened: state.Current) -> bool:
    """Whether the model that is open, if any, is stored: not deleted, and no other studio's."""
    return not opened.model or store.has_model(opened.model)


def source_is_here(opened: state.Current) -> bool:
    """The same of a data file that is not prepared yet."""
    return not opened.source or store.has_data(opened.source)


def gone(kind: str) -> str:
    """Say that what a link names is not here."""
    return (
        f"The {kind} of this link is not in this studio: it was deleted, or uploaded to another "
        "one. Upload it again, or open another."
    )


def before_a_run() -> tuple[str, state.Page]:
    """What to do where there is no run at all, in words, and the page for it."""
    if state.current().model:
        return "Choose a strategy", "strategy"
    return "Open a demo or bring your own model", "upload"


def model_name(model: str) -> str:
    """Name under which the model was uploaded."""
    record = storage.home() / "models" / model / "upload.json"
    return str(storage.read_json(record).get("name", model)) if record.is_file() else model


def passport(profile: ModelProfile) -> str:
    """Say a model in a few words: ``Keras 3 · 4.98 MB · 1.24 M parameters``."""
    return " · ".join(
        (
            _SHORT.get(profile.family, profile.family),
            quantities.size(profile.bytes),
            f"{quantities.count(profile.params)} parameters",
        )
    )


def _missing(what: str, action: str, page: state.Page) -> None:
    with st.container(border=True, key=f"missing_{page}"):
        st.markdown(what)
        state.link(page, action, icon=":material/arrow_forward:")
    st.stop()


def _model(opened: state.Current) -> str:
    if not opened.model:
        return "No model yet"
    if not model_is_here(opened):
        return "Model not in this studio"
    name = plain(model_name(opened.model), _NAME_LENGTH)
    profile = state.profile(opened.model)
    return f"**{name}** {passport(profile)}" if profile else f"**{name}**"


def _model_help(opened: state.Current) -> str | None:
    return _whole(model_name(opened.model)) if opened.model else None


def _data_help(opened: state.Current) -> str | None:
    manifest = state.manifest(opened.data)
    return _whole(manifest.name) if manifest else None


def _whole(name: str) -> str | None:
    """A name that the line shortens, for who hovers over it."""
    return plain(name) if len(visible(name)) > _NAME_LENGTH else None


def _plan(opened: state.Current) -> None:
    """Draw the saved plan that is open, and whether the form says something else by now."""
    if not opened.plan:
        return
    words = plain(opened.plan, _NAME_LENGTH)
    if state.plan_changed(opened):
        words += " · changed since it was saved"
    with st.session_state[_PLAN_PLACE]:
        state.link("strategy", words, icon=":material/tune:", help=_whole(opened.plan))


def _data(opened: state.Current) -> str:
    manifest = state.manifest(opened.data)
    if manifest is None:
        if opened.data or not source_is_here(opened):
            return "Data not in this studio"
        return "Data not ready yet" if opened.source else "No data yet"
    samples = quantities.plural(sum(manifest.counts.values()), "sample")
    words = [manifest.modality, samples]
    if manifest.classes:
        words.append(quantities.plural(len(manifest.classes), "class", "classes"))
    return f"**{plain(manifest.name, _NAME_LENGTH)}** {' · '.join(words)}"
