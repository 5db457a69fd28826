"""How well the model does before anything is pruned, against chance; near chance, what to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components import figures
from pages.components.figures import Figure
from pages.components.upload import settings_form
from pruning import quantities
from pruning.analysis.profile import ModelProfile
from pruning.comparison.near_chance import NEAR_CHANCE, advice
from pruning.comparison.result import Scores
from pruning.intake.dataset import Manifest

_NAMES = {"accuracy": "Test accuracy", "macro_f1": "Macro F1", "mae": "Mean absolute error"}
_SCALINGS = {
    "image": {"raw": "keep 0 to 255", "0..1": "divide by 255", "-1..1": "scale to −1 … 1",
              "torch": "ImageNet mean", "caffe": "BGR"},
    "arrays": {"raw": "raw", "0..1": "divide by 255", "-1..1": "scale to −1 … 1"},
}  # fmt: skip
_NORMALISE = {"none": "no", "sample": "each sound", "training": "by the training split"}


def baseline(scores: Scores, manifest: Manifest, profile: ModelProfile, options: Any) -> None:
    """Draw the baseline; near chance, a warning with one-click tries.

    Args:
        scores: Of the unpruned model.
        manifest: Of the data it was judged on.
        profile: The model.
        options: Options that the data was prepared with, kept by the tries.
    """
    tested = f"{manifest.counts['test']:,} test samples"
    name = _NAMES.get(scores.metric, scores.metric)
    unit: figures.Unit = "number" if scores.metric == "mae" else "accuracy"
    interval = _interval(scores, unit)
    figures.strip(
        [
            Figure(name, unit, scores.value.value, basis="measured", caption=interval,
                   detail=f"On {tested}, before pruning. {interval}."),
            Figure("By chance", unit, scores.chance, basis="exact", caption=_chance(scores),
                   detail="What a model that looks at nothing would get."),
            Figure("Loss", "number", scores.loss, basis="measured", caption="mean per sample",
                   detail=f"On {tested}."),
            *_of_pixels(scores, tested),
        ],
        key="baseline",
    )  # fmt: skip
    if scores.near_chance:
        _warn(manifest, profile, options)


def _of_pixels(scores: Scores, tested: str) -> list[Figure]:
    """What segmentation is judged by beside its accuracy, which a large background makes high."""
    if "mean_iou" not in scores.details:
        return []
    value = scores.details["mean_iou"]
    detail = f"On {tested}. See the glossary."
    caption = "mean over the classes"
    return [Figure("Mean IoU", "accuracy", value, basis="measured", caption=caption, detail=detail)]


def tries(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings that differ in one point each. -> by words for a button."""
    found: dict[str, dict[str, Any]] = {}
    if any(key.startswith("scaling_") for key in settings):
        return found  # which of several inputs to scale is told in the form
    for value, words in _SCALINGS.get(str(settings.get("modality")), {}).items():
        colour = settings.get("channels", 3) == 3
        if value != settings.get("scaling") and (colour or value not in ("torch", "caffe")):
            found[f"Scaling: {words}"] = {**settings, "scaling": value}
    if settings.get("modality") == "text":
        # Built anew from the training texts: the one in use is of other tokens.
        built = {key: value for key, value in settings.items() if key != "vocabulary"}
        for value in ("words", "characters"):
            if value != settings.get("tokens", "words"):
                found[f"Tokens: {value}"] = {**built, "tokens": value}
    if settings.get("modality") == "audio":
        for value, words in _NORMALISE.items():
            if value != settings.get("normalise", "none"):
                found[f"Normalise: {words}"] = {**settings, "normalise": value}
    return found


def _warn(manifest: Manifest, profile: ModelProfile, options: Any) -> None:
    st.warning(
        advice(manifest),
        title=NEAR_CHANCE,
        icon=":material/warning:",
    )
    settings = {k: v for k, v in manifest.preprocessing.items() if k not in ("mean", "deviation")}
    identifier = manifest.ref.partition("-")[0]
    with st.container(horizontal=True, key="tries"):
        for number, (words, changed) in enumerate(tries(settings).items()):
            st.button(
                words,
                key=f"try_{number}",
                on_click=settings_form.start,
                args=(identifier, profile, changed, options),
            )


def _interval(scores: Scores, unit: figures.Unit) -> str:
    low, high = scores.value.low, scores.value.high
    if unit == "accuracy":
        return f"95 %: {quantities.percent_ends(low, high)}"
    return f"95 %: {quantities.number(low)} to {quantities.number(high)}"


def _chance(scores: Scores) -> str:
    """What a model that looks at nothing answers, as :attr:`Scores.chance` counts it."""
    words = {"mae": "always the mean", "macro_f1": "yes to every label"}
    return words.get(scores.metric, "always the commonest class")
