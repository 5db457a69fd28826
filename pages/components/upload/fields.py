"""The settings of each modality as form fields: label, sentence of help, limits, choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from pages.components.text import visible

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One setting.

    Attributes:
        key: Its name in the settings.
        label: What a person reads.
        help: One sentence.
        choices: Words by value; a choice when not empty.
        low, high, step: Limits of a number.
        shown: Whether it means anything with these settings.
    """

    key: str
    label: str
    help: str = ""
    choices: Mapping[Any, str] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    step: float | None = None
    shown: Callable[[Settings], bool] = lambda settings: True


def _spectral(settings: Settings) -> bool:
    return settings.get("features") != "raw"


def _mel(settings: Settings) -> bool:
    return settings.get("features") in ("log-mel", "mfcc")


_END = {"post": "at the end", "pre": "at the start"}
_SCALING = {
    "raw": "keep 0 to 255",
    "0..1": "divide by 255",
    "-1..1": "scale to −1 … 1",
    "torch": "ImageNet mean and deviation",
    "caffe": "BGR, minus the ImageNet mean",
}

FIELDS: dict[str, tuple[Field, ...]] = {
    "image": (
        Field("height", "Height", "Pixels of the model's input.", low=1, high=4096, step=1),
        Field("width", "Width", "Pixels of the model's input.", low=1, high=4096, step=1),
        Field("channels", "Channels", choices={1: "grey", 3: "RGB", 4: "RGB and alpha"}),
        Field("scaling", "Scaling", "As the model was trained; wrong here means near chance.",
              choices=_SCALING),
        Field("resize", "Resize", choices={name: name for name in
              ("bilinear", "nearest", "bicubic", "lanczos", "box")}),
        Field("background", "Background", "Seen through transparent pixels.",
              choices={"white": "white", "black": "black"}),
        Field("layout", "Layout", choices={"hwc": "height × width × channels",
              "hw": "height × width", "flat": "one row of values"}),
    ),
    "audio": (
        Field("sample_rate", "Sample rate, Hz", "As the model was trained; files are resampled.",
              low=1000, high=192_000, step=1000),
        Field("seconds", "Window, seconds", "Shorter sounds are padded with silence.",
              low=0.001, high=600.0, step=0.1),
        Field("window", "Taken from", choices={"centre": "the centre", "start": "the start"}),
        Field("features", "Features", "What the model reads of the sound.",
              choices={"raw": "raw samples", "spectrogram": "spectrogram", "log-mel": "log-mel",
                       "mfcc": "MFCC"}),
        Field("frame_ms", "Frame, ms", low=0.1, high=10_000.0, step=1.0, shown=_spectral),
        Field("hop_ms", "Hop, ms", low=0.1, high=10_000.0, step=1.0, shown=_spectral),
        Field("bins", "Mel bins", low=1, high=1024, step=1, shown=_mel),
        Field("coefficients", "Coefficients", low=1, high=1024, step=1,
              shown=lambda settings: settings.get("features") == "mfcc"),
        Field("low_hz", "Lowest, Hz", low=0.0, high=96_000.0, step=10.0, shown=_mel),
        Field("high_hz", "Highest, Hz", "0 is half the sample rate.", low=0.0, high=96_000.0,
              step=100.0, shown=_mel),
        Field("normalise", "Normalise", choices={"none": "no", "sample": "each sound by itself",
              "training": "by the training split"}),
        Field("time_first", "Time is the first axis", shown=_spectral),
        Field("channel_axis", "A last axis of length 1"),
    ),
    "text": (
        Field("length", "Tokens a text", "Longer texts are cut, shorter ones padded.",
              low=1, high=100_000, step=1),
        Field("max_tokens", "Vocabulary size", "Padding and unknown count.",
              low=3, high=10_000_000, step=100),
        Field("tokens", "Tokens", choices={"words": "words", "words and marks":
              "words and punctuation marks", "characters": "characters"}),
        Field("lowercase", "Lower case"),
        Field("padding", "Pad", choices=_END),
        Field("truncating", "Cut", choices=_END),
    ),
    "arrays": (
        Field("scaling", "Scaling", "As the model was trained; wrong here means near chance.",
              choices={key: _SCALING[key] for key in ("raw", "0..1", "-1..1")}),
    ),
}  # fmt: skip

DEFAULTS: dict[str, Settings] = {
    "image": {"background": "white", "layout": "hwc", "resize": "bilinear"},
    "audio": {"window": "centre", "normalise": "none", "time_first": True, "low_hz": 0.0,
              "high_hz": 0.0, "frame_ms": 25.0, "hop_ms": 10.0, "bins": 40, "coefficients": 13},
    "text": {"lowercase": True, "tokens": "words", "padding": "post", "truncating": "post"},
    "arrays": {"scaling": "raw"},
}  # fmt: skip


def fields_of(settings: Settings) -> tuple[Field, ...]:
    """Fields of the settings' modality; one that is not known here gets a field for each value."""
    own = _own_scalings(settings)
    if own:
        (scaling,) = FIELDS["arrays"]
        return tuple(
            replace(scaling, key=key, label=f"Scaling of {visible(key.partition('_')[2], 30)}")
            for key in own
        )
    known = FIELDS.get(str(settings.get("modality")))
    if known is not None:
        return known
    plain = (str, bool, int, float)
    return tuple(
        Field(key, key.replace("_", " ").capitalize())
        for key, value in settings.items()
        if key != "modality" and isinstance(value, plain)
    )


def _own_scalings(settings: Settings) -> list[str]:
    """Keys of arrays that each have a scaling of their own: those of a model of several inputs."""
    if settings.get("modality") != "arrays":
        return []
    return [key for key in settings if key.startswith("scaling_")]


def draw(settings: Settings, prefix: str) -> dict[str, Any]:
    """Draw the fields, filled with ``settings``. -> the settings as they stand now.

    Args:
        settings: What is set; values without a field are kept.
        prefix: Of the widgets' keys: another data file gets other widgets.
    """
    usual = {} if _own_scalings(settings) else DEFAULTS.get(str(settings.get("modality")), {})
    now = {**usual, **settings}
    with st.grid(4, min_column_width=150, gap="small", vertical_alignment="bottom"):
        for entry in fields_of(now):
            if entry.shown(now):
                now[entry.key] = _widget(entry, now.get(entry.key), f"{prefix}_{entry.key}")
    return now


def _widget(entry: Field, value: Any, key: str) -> Any:
    explain = entry.help or None
    if entry.choices:
        options = list(entry.choices)
        index = options.index(value) if value in options else 0
        return st.selectbox(
            entry.label, options, index, key=key, help=explain,
            format_func=lambda option: entry.choices[option],
        )  # fmt: skip
    if isinstance(value, bool) or (value is None and entry.low is None):
        return st.toggle(entry.label, bool(value), key=key, help=explain)
    if isinstance(value, str):
        return st.text_input(entry.label, value, key=key, help=explain)
    whole = isinstance(entry.low, int) or (entry.low is None and isinstance(value, int))
    kind = int if whole else float
    return st.number_input(
        entry.label,
        min_value=None if entry.low is None else kind(entry.low),
        max_value=None if entry.high is None else kind(entry.high),
        value=kind(value if value is not None else entry.low or 0),
        step=None if entry.step is None else kind(entry.step),
        key=key,
        help=explain,
    )
