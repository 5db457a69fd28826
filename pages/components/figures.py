"""Figures with their change and a mark of how they are known.

● exact       counted or computed, no doubt about it
◆ measured    on this machine or on these samples; the tooltip says how many
≈ estimated   predicted before the work is done; the tooltip says how
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from pruning import quantities
from pruning.comparison.verdict import same_speed

Basis = Literal["exact", "measured", "estimated"]
Unit = Literal["params", "flops", "bytes", "ms", "s", "accuracy", "count", "number", "error"]

#: Labels of what a model is judged by.
QUALITY = {"accuracy": "Test accuracy", "macro_f1": "Test macro F1", "mae": "Test mean abs. error"}
AS_SAVED = (
    "Both as the studio saves them: without the state of an optimizer, which an uploaded file may "
    "hold beside the weights."
)

MARKS: dict[Basis, str] = {"exact": "●", "measured": "◆", "estimated": "≈"}
_WORDS: dict[Unit, str] = {
    "params": "parameters",
    "flops": "FLOPs",
    "bytes": "bytes",
    "ms": "ms",
    "s": "s",
    "accuracy": "points",
    "count": "",
    "number": "",
    "error": "error",
}


@dataclass(frozen=True)
class Figure:
    """One figure of a strip.

    Attributes:
        label: ``FLOPs``. Markdown; text from files goes through ``text.plain`` first.
        unit: How it is written, and whether less is better.
        value: Now, or after; ``None`` is shown as a dash.
        before: What it was; ``None`` shows no change.
        basis: How ``value`` is known; ``None`` shows no mark.
        detail: Shown on hover: on what, how many samples, the interval, the method.
        caption: Words below the figure in place of the change.
        shown: Whether the change is shown by the samples; when its interval holds zero it is grey.
    """

    label: str
    unit: Unit
    value: float | None
    before: float | None = None
    basis: Basis | None = None
    detail: str = ""
    caption: str = ""
    shown: bool = True


def written(value: float | None, unit: Unit, beside: float | None = None) -> str:
    """Write a value with its unit: ``1.24 M``, ``98.3 MB``, ``41.2 ms``, ``90.1 %``.

    Args:
        value: ``None`` is written as a dash.
        unit: Of the value.
        beside: What it is compared with: latencies have the unit of the shorter.
    """
    if value is None:
        return "—"
    if unit == "ms" and beside is not None:
        return quantities.milliseconds(value, beside=[beside])
    writers = {
        "bytes": quantities.size,
        "ms": quantities.milliseconds,
        "s": quantities.duration,
        "accuracy": quantities.percent,
        "number": quantities.number,
        "error": quantities.number,
    }
    return writers.get(unit, quantities.count)(value)


def quality_unit(metric: str | None) -> Unit:
    """How what a model is judged by is written; without a name it is an accuracy."""
    return "error" if metric == "mae" else "accuracy"


def show(figure: Figure) -> None:
    """Draw one figure: label with its mark, the value, ``before → after`` and the change."""
    mark = f" {MARKS[figure.basis]}" if figure.basis else ""
    st.metric(
        f"{figure.label}{mark}",
        written(figure.value, figure.unit, figure.before),
        _change(figure),
        delta_color=_color(figure),
        delta_arrow="off",
        delta_description=_description(figure),
        help=_help(figure),
        border=True,
        height="stretch",
    )


def strip(
    figures: Iterable[Figure],
    *,
    key: str | None = None,
    columns: int | None = None,
    narrowest: int = 185,
) -> None:
    """Draw figures side by side, at most ``columns``, each at least ``narrowest`` pixels wide."""
    entries = list(figures)
    across = columns or max(len(entries), 1)
    with st.container(key=key), st.grid(across, min_column_width=narrowest, gap="small"):
        for figure in entries:
            show(figure)


def legend() -> None:
    """Explain the marks in one line."""
    st.caption(
        f"{MARKS['exact']} exact · {MARKS['measured']} measured · {MARKS['estimated']} estimated; "
        "hover over a figure to see how."
    )


def _change(figure: Figure) -> str | None:
    if figure.before is None or figure.value is None:
        return None
    if figure.unit == "accuracy":
        return quantities.points(figure.value - figure.before)
    return quantities.factor(figure.before, figure.value, _WORDS[figure.unit])


def _description(figure: Figure) -> str | None:
    if figure.before is not None and figure.value is not None:
        return f"from {written(figure.before, figure.unit, figure.value)}"
    return figure.caption or None


def _color(figure: Figure) -> Literal["orange", "green", "red", "gray"]:
    """Green for better, red for worse, grey for the same or what was not told apart."""
    if figure.before is None or figure.value is None or figure.value == figure.before:
        return "gray"
    if not figure.shown:
        return "gray"
    if figure.unit == "ms" and same_speed(figure.before, figure.value):
        return "gray"
    more_is_better = figure.unit == "accuracy"
    return "green" if (figure.value > figure.before) == more_is_better else "red"


def _help(figure: Figure) -> str | None:
    basis = f"{MARKS[figure.basis]} {figure.basis.capitalize()}. " if figure.basis else ""
    return (basis + figure.detail).strip() or None
