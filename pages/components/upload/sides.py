"""The two columns of the upload page, and the baseline below them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.components import errors, header, heading, jobs, state, works
from pages.components.text import plain, visible
from pages.components.upload import (
    baseline,
    demo_cards,
    earlier,
    opening,
    passport,
    settings_form,
)
from pages.components.upload.settings_form import Asked
from pruning import quantities
from pruning.analysis.profile import ModelProfile
from pruning.errors import PruningError
from pruning.intake.check import check_data
from pruning.intake.dataset import Manifest
from pruning.intake.limits import max_upload_bytes
from pruning.intake.npz_keys import named_keys
from pruning.intake.source import Source
from pruning.runs.uploads import Kind

_MODEL_FORMATS = ".keras, .h5 or .hdf5, from Keras 3, tf_keras or Keras 2"
_NAMED = 5  # classes without test samples that are named
_DATA_FORMATS = ".npz · .zip of class folders with pictures or sounds · .csv or .tsv with texts"


def stored(opened: state.Current) -> state.Current:
    """What is open without what is not in the studio: deleted, or of another one. Says so."""
    model = opened.model if header.model_is_here(opened) else None
    source = opened.source if header.source_is_here(opened) else None
    for gone, kind in ((opened.model != model, "model"), (opened.source != source, "data")):
        if gone:
            st.warning(header.gone(kind), icon=":material/search_off:")
    return replace(opened, model=model, source=source)


def failure() -> None:
    """Show what went wrong with the file that was just dropped."""
    error = opening.last_error()
    if error is not None:
        errors.show(error)


def model(opened: state.Current) -> ModelProfile | None:
    """Draw the model's column. -> its profile, or ``None`` while there is none."""
    heading.section("Model")
    if not opened.model:
        _models()
        return None
    profile = state.profile(opened.model)
    if profile is None:
        jobs.follow(works.profile(opened.model))
        if jobs.failed(works.profile(opened.model)):
            _way_back("model")
    else:
        passport.passport(profile)
    return profile


def another_model() -> None:
    """Draw the demos and the drop zone once more, folded away below an open model."""
    with st.expander("Open another model or a demo", icon=":material/folder_open:"):
        _models()


def data(opened: state.Current, profile: ModelProfile | None) -> Manifest | None:
    """Draw the data's column. -> its manifest, or ``None`` while there is none."""
    heading.section("Data")
    manifest = state.manifest(opened.data)
    identifier = (opened.data or "").partition("-")[0] if manifest else opened.source
    if manifest:
        _prepared(manifest)
    elif opened.source and opened.model and profile is None and not opened.job:
        st.caption("Waits until a model is read: the preprocessing is fitted to its input.")
    elif opened.source:
        _prepare(opened.source, opened.job, profile)
    elif opened.data:
        st.warning(header.gone("data"), icon=":material/search_off:")
    if identifier and (profile or not opened.model):
        _settings(identifier, manifest, opened.job, profile)
    if identifier:
        with st.expander("Open other data", icon=":material/folder_open:"):
            _drop_zone("data", _DATA_FORMATS, opening.drop_data, opening.reopen_data)
    else:
        _drop_zone("data", _DATA_FORMATS, opening.drop_data, opening.reopen_data)
        st.caption(
            "What the model is retrained and judged on: pictures, speech, texts, or arrays. "
            "Its preprocessing is fitted to the model's input, and shown on real samples."
        )
    if profile is not None and len(profile.inputs) > 1 and manifest is None:
        _keys([spec.name for spec in profile.inputs])
    return manifest


def judged(opened: state.Current, profile: ModelProfile, manifest: Manifest) -> None:
    """Draw the baseline, evaluated at once; when model and data do not fit, why and what to do."""
    heading.section("Before pruning")
    try:
        notes = check_data(manifest, profile)
    except PruningError as error:
        errors.show(error)
        st.button(
            "Prepare the data for this model", icon=":material/play_arrow:", key="prepare_default",
            on_click=opening.prepare_again, args=(manifest.ref.partition("-")[0],),
        )  # fmt: skip
        return
    for note in notes:
        st.caption(f":material/info: {plain(note)}")
    scores = state.baseline(opened.model, manifest.ref)
    if scores is None:
        jobs.follow(works.baseline(profile.digest, manifest.ref))
        return
    works.time_model(profile.digest)
    baseline.baseline(scores, manifest, profile, _asked(manifest, opened.job).options)
    state.link("layers", "See its layers and what they cost", icon=":material/arrow_forward:")


def _models() -> None:
    demo_cards.cards()
    _drop_zone("model", _MODEL_FORMATS, opening.drop_model, opening.reopen_model)


def _drop_zone(
    kind: Kind, formats: str, dropped: Callable[[str], None], reopened: Callable[[str], None]
) -> None:
    key = opening.uploader_key(kind)
    megabytes = max_upload_bytes() // 2**20
    st.file_uploader(
        f"Your own {kind}: {formats}",
        key=key,
        max_upload_size=megabytes,
        on_change=dropped,
        args=(key,),
    )
    if opening.on_this_machine():
        path_key = f"{key}_path"
        st.text_input(
            "Or a path on this machine",
            key=path_key,
            placeholder="/home/me/large_file",
            help="For files too large for a browser: the studio copies the file by itself.",
            on_change=opening.take_path,
            args=(kind, path_key),
        )
    earlier.show(kind, key, reopened)


def _prepare(source: str, job: str | None, profile: ModelProfile | None) -> None:
    """Follow the preparation; when it is done, its result is what is open."""
    default = works.data(
        source, {"model": profile.digest if profile else None, "preprocessing": None, "options": {}}
    )
    work = (works.data_of(job) if job else None) or default
    results = jobs.follow(work)[work.kind]
    if jobs.failed(work):
        _way_back("data")
    if results is not None:
        state.select(data=results["ref"], source=None, job=job)
        st.rerun()


def _way_back(kind: Kind) -> None:
    """Offer what was open before a file that is no good."""
    former = opening.former(kind)
    if former is None:
        return
    manifest = state.manifest(former.data)
    name = header.model_name(str(former.model)) if kind == "model" else manifest and manifest.name
    if name:
        st.button(
            f"Go back to {plain(name, 40)}", icon=":material/undo:", key=f"back_to_{kind}",
            on_click=opening.go_back_to, args=(former,),
        )  # fmt: skip


def _prepared(manifest: Manifest) -> None:
    classes = len(manifest.classes)
    counts = ", ".join(f"{manifest.counts[split]:,} {split}" for split in manifest.counts)
    heading.part(plain(manifest.name, 60))
    named = f" · {quantities.plural(classes, 'class', 'classes')}" if classes else ""
    st.caption(f"{manifest.modality} · {manifest.task}{named} · samples: {counts}")
    settings_form.pipeline(manifest.pipeline)
    # Here, because it draws with pandas and Altair, and the very first page must not wait for them.
    from pages.components.upload import preview

    preview.samples(manifest.ref, manifest)
    for note in (*manifest.notes, *_untested(manifest)):
        st.caption(f":material/info: {plain(note)}")
    if manifest.licence or manifest.source:
        st.caption(f"Source: {plain(manifest.source, 160)} · Licence: {plain(manifest.licence)}")


def _untested(manifest: Manifest) -> list[str]:
    """Say which classes nobody will be able to judge; empty where all have test samples."""
    counts = manifest.class_counts.get("test", [])
    names = [name for name, n in zip(manifest.classes, counts, strict=False) if not n]
    if not names:
        return []
    shown = quantities.listed([visible(name, 40) for name in names], _NAMED)
    return [
        f"No test sample is of {shown}: how well the model does on it stays unknown until "
        "there are some."
    ]


def _keys(names: list[str]) -> None:
    """Say what data for a model of several inputs looks like."""
    keys = plain(named_keys(names), 300)
    st.caption(
        f":material/info: This model reads {len(names)} inputs: an .npz brings an array for each, "
        f"{keys}, beside y\\_train; val and test likewise."
    )


def _settings(
    identifier: str, manifest: Manifest | None, job: str | None, profile: ModelProfile | None
) -> None:
    """Draw the form behind an expander; its file is looked into only when it is opened."""
    if manifest is None and jobs.failed(works.look(identifier)):
        return  # the preparation has said why already: nothing of the file can be set
    form = st.expander(
        "Change preprocessing, columns or splits", icon=":material/tune:", on_change="rerun",
        key=f"settings_{identifier}", expanded=manifest is None,
    )  # fmt: skip
    if not form.open:
        return
    with form:
        looked = jobs.follow(works.look(identifier))["look"]
        if looked is not None:
            source = Source.from_dict(looked["source"])
            settings_form.draw(identifier, source, profile, _asked(manifest, job))


def _asked(manifest: Manifest | None, job: str | None) -> Asked:
    """Settings and options in use: of the prepared data, or of the job that was to prepare it."""
    work = works.data_of(job) if job else None
    request: Mapping[str, Any] = work.request if work else {}
    settings = manifest.preprocessing if manifest else request.get("preprocessing") or {}
    return Asked(settings, request.get("options") or {})
