"""Files to take away, each with its size before the click."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from pages.components import header, heading, jobs, state
from pages.components.text import visible
from pruning import quantities
from pruning.comparison.result import Comparison
from pruning.delivery.report import About, report
from pruning.runs.folder import RunFolder
from pruning.runs.status import status
from pruning.strategy.plan import PruningPlan


@dataclass(frozen=True)
class _File:
    key: str
    label: str
    path: Path
    name: str
    help: str


def show(folder: RunFolder) -> None:
    """Draw a button for each file of the run, for a report, and one that makes the LiteRT file."""
    heading.section("Downloads")
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
    if folder.comparison.exists():
        _report(folder)
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


def _report(folder: RunFolder) -> None:
    changed = folder.comparison.stat().st_mtime_ns
    page = _written(str(folder.path), changed, _about(folder)).encode()
    st.download_button(
        f"Report (.html) · {quantities.size(len(page))}",
        page,
        f"report-{folder.id}.html",
        "text/html",
        icon=":material/description:",
        help="One page to show to others: the verdict, its figures, and how they were made.",
        on_click="ignore",
        key="download_report",
        width="stretch",
    )


def _about(folder: RunFolder) -> About:
    """Names and dates of a run; its data may have gone."""
    request = folder.read(folder.request)
    model, ref = str(request.get("model")), str(request.get("data"))
    manifest = state.manifest(ref)
    splits = manifest.counts.items() if manifest else ()
    finished = datetime.fromtimestamp(status(folder).finished or 0, UTC)
    return About(
        model=visible(header.model_name(model)),
        data=visible(manifest.name) if manifest else "data no longer in the studio",
        samples=", ".join(f"{count:,} {split}" for split, count in splits),
        run=folder.id,
        finished=f"{finished.day} {finished:%B %Y}",
        model_id=model,
        data_ref=ref,
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _written(run: str, changed: int, about: About) -> str:
    """Written once: of many classes, a comparison is a large file."""
    folder = RunFolder(Path(run))
    plan = PruningPlan.from_dict(folder.read(folder.plan))
    return report(Comparison.load(folder.comparison), plan, status(folder).results, about)


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
