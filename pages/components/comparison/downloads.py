"""Files to take away, each with its size before the click."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.components import jobs
from pruning import quantities
from pruning.runs.folder import RunFolder


@dataclass(frozen=True)
class _File:
    key: str
    label: str
    path: Path
    name: str
    help: str


def show(folder: RunFolder) -> None:
    """Draw a button for each file of the run, and one that makes the LiteRT file."""
    st.markdown("**Downloads**")
    model = folder.model()
    if model is not None:
        _button(
            _File(
                "model",
                f"Pruned model ({model.suffix})",
                model,
                f"pruned{model.suffix}",
                "Loads in plain Keras, without the studio: no wrappers, no custom objects.",
            )
        )
    _litert(folder)
    for entry in (
        _File("plan", "Plan", folder.plan, "plan.json", "Repeat it here or on the command line."),
        _File(
            "channels",
            "Kept channels",
            folder.channels,
            "channels.json",
            "Which indices of which weights.",
        ),
        _File(
            "layers",
            "Removed layers",
            folder.layers,
            "layers.json",
            "Which blocks were left out, and which layers went with them.",
        ),
        _File(
            "comparison",
            "Comparison",
            folder.comparison,
            "comparison.json",
            "Every figure of this page.",
        ),
    ):
        if entry.path.exists():
            _button(entry)


def _button(entry: _File) -> None:
    st.download_button(
        f"{entry.label} · {quantities.size(entry.path.stat().st_size)}",
        entry.path.read_bytes,
        entry.name,
        icon=":material/download:",
        help=entry.help,
        on_click="ignore",
        key=f"download_{entry.key}",
        width="stretch",
    )


def _litert(folder: RunFolder) -> None:
    path = folder.exports / "model.tflite"
    asked = f"litert {folder.id}"
    if path.exists():
        _button(
            _File(
                "litert", "LiteRT (.tflite)", path, "pruned.tflite", "For phones and small devices."
            )
        )
        return
    if st.session_state.get(asked) or st.button(
        "Make the LiteRT file",
        icon=":material/phone_android:",
        help="Converts the pruned model, runs both on the same samples and compares.",
        key="make_litert",
        width="stretch",
    ):
        st.session_state[asked] = True
        jobs.follow(
            jobs.Work(
                "Converting to LiteRT",
                "export",
                f"{folder.id}-litert",
                {"run": folder.id, "to": "litert"},
            )
        )
