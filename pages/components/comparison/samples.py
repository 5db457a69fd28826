"""Samples tab: what was fixed, what broke, side by side as picture, sound or text."""

from __future__ import annotations

import math
from pathlib import Path

import streamlit as st

from pages.components import masks, state
from pages.components.comparison.answered_masks import AnsweredMasks, open_masks
from pages.components.sample import Gallery
from pages.components.text import apart, plain
from pruning import quantities, storage
from pruning.comparison.outcomes import OUTCOMES, Answer, SampleOutcome, outcomes
from pruning.comparison.result import Comparison
from pruning.errors import NotFoundError
from pruning.intake.check import answers_of
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.runs.folder import RunFolder

PER_PAGE = 12
MASKS_PER_PAGE = 6  # five pictures each
_PICTURE, _OTHER, _MASKS = 190, 290, 560  # pixels of the narrowest sample, by what it is
_NAME = 40  # characters of a class
_TRUTH = 100  # of three classes with their shares
_ICONS = {
    "fixed": ":material/check_circle:",
    "broken": ":material/cancel:",
    "both wrong": ":material/do_not_disturb_on:",
    "both right": ":material/done_all:",
}
_WORDS = {
    "fixed": "only the pruned model is right",
    "broken": "only the original is right",
    "both wrong": "neither is right",
    "both right": "both are right",
}


def show(folder: RunFolder, result: Comparison) -> None:
    """Draw the test samples by outcome, filtered by class."""
    dataset = _dataset(folder)
    found = _outcomes(
        str(folder.path),
        str(dataset.folder),
        folder.comparison.stat().st_mtime_ns,
        activation(folder, dataset),
    )
    counts = {name: sum(entry.outcome == name for entry in found) for name in OUTCOMES}
    first = next((name for name in OUTCOMES if counts[name]), OUTCOMES[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice = st.segmented_control(
            "Outcome",
            OUTCOMES,
            default=first,
            required=True,
            format_func=lambda name: f"{_ICONS[name]} {name} · {counts[name]:,}",
            key="outcome",
            bind="query-params",
            wrap=True,
        )
        label = _class_filter(dataset)
    chosen = [
        entry
        for entry in found
        if entry.outcome == choice and (label is None or entry.label == label)
    ]
    measure = _measure(result, several=bool(dataset.manifest.y_shape))
    st.caption(f"{choice.capitalize()}: {_WORDS[choice]}. {measure}")
    gallery = Gallery(dataset)
    _page(chosen, gallery, open_masks(folder, gallery, activation(folder, dataset)))


def activation(folder: RunFolder, dataset: Dataset) -> str | None:
    """How the model makes the answers that were judged; None when it is no longer in the studio.

    Without it, several labels from sigmoids look like logits: they do not sum to 1.
    """
    profile = state.profile(folder.read(folder.request).get("model"))
    return None if profile is None else answers_of(profile)[dataset.manifest.output].activation


def _measure(result: Comparison, *, several: bool) -> str:
    """How right is told from wrong where that needs saying.

    Args:
        result: What was judged.
        several: Whether a sample has a label at each step or pixel.
    """
    if result.task == "regression":
        return "An answer counts as right when its error is at most the original's median error."
    if result.task == "classification" and several:
        return (
            "A sample counts as right when all of its labels are right, or more of them than in "
            "the original's median sample."
        )
    return ""


def _class_filter(dataset: Dataset) -> int | None:
    classes = dataset.manifest.classes
    if len(classes) < 2 or dataset.manifest.task != "classification" or dataset.manifest.y_shape:
        return None  # a sample with a class at each step has no class of its own
    names = apart(classes, _NAME)
    return st.selectbox(
        "Class",
        [None, *range(len(classes))],
        format_func=lambda i: "all classes" if i is None else names[i],
        key="sample_class",
        width=240,
    )


def _page(chosen: list[SampleOutcome], gallery: Gallery, answered: AnsweredMasks | None) -> None:
    if not chosen:
        st.info("No test sample of this kind.", icon=":material/inbox:")
        return
    per_page = PER_PAGE if answered is None else MASKS_PER_PAGE
    pages = math.ceil(len(chosen) / per_page)
    number = st.pagination(pages, key=f"samples_{pages}") if pages > 1 else 1
    begin = (number - 1) * per_page
    if answered is not None:
        answered.legend()
    with st.container(key="samples"), st.grid(min_column_width=_width(gallery), gap="small"):
        for entry in chosen[begin : begin + per_page]:
            with st.container(border=True, height="stretch"):
                _sample(entry, gallery, answered)
    st.caption(f"{quantities.plural(len(chosen), 'sample')}; bold: the truth.")


def _width(gallery: Gallery) -> int:
    """Pixels that a sample needs."""
    if masks.there_are(gallery.dataset.manifest):
        return _MASKS
    return _PICTURE if gallery.dataset.manifest.modality == "image" else _OTHER


def _sample(entry: SampleOutcome, gallery: Gallery, answered: AnsweredMasks | None) -> None:
    """Draw one sample with its truth and both answers."""
    truth, length = entry.truth, _NAME
    if answered is None:
        gallery.show(entry.index, truth)
    else:
        answered.show(entry.index)
        truth, length = answered.truth(entry.index), _TRUTH
    st.markdown(
        f"**{plain(truth, length)}**  \n"
        f":blue[before] {_answer(entry.before)}  \n"
        f":orange[after] {_answer(entry.after)}"
    )


def _answer(answer: Answer) -> str:
    mark = "✓" if answer.right else "✗"
    sure = "" if answer.confidence is None else f" {quantities.percent(answer.confidence)}"
    return f"{mark} {plain(answer.words, 40)}{sure}"


def _dataset(folder: RunFolder) -> Dataset:
    prepared = prepared_folder(str(folder.read(folder.request).get("data")))
    if not (prepared / "manifest.json").exists():
        raise NotFoundError(
            "The data of this run is no longer in the studio.",
            expected="The prepared test samples that the run was judged on.",
            fix="Upload the same data again on the upload page; the figures above stay valid.",
        )
    return Dataset.open(prepared)


@st.cache_resource(max_entries=4, show_spinner=False)
def _outcomes(run: str, data: str, changed: int, activation: str | None) -> list[SampleOutcome]:
    folder, dataset = RunFolder(Path(run)), Dataset.open(Path(data))
    return outcomes(
        dataset.manifest.task,
        dataset.y("test"),
        storage.read_array(folder.path / "before.npy"),
        storage.read_array(folder.path / "after.npy"),
        apart(dataset.manifest.classes, _NAME),
        activation,
    )
