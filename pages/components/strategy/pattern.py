"""The choice of a pattern of zeros: single weights, N:M, blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pruning.errors import PlanError
from pruning.strategy.patterns import (
    POOLINGS,
    UNSTRUCTURED,
    Blocks,
    NofM,
    Pooling,
    parse_pattern,
)
from pruning.strategy.plan import Method, PruningPlan

_KINDS = {UNSTRUCTURED: "Single weights", "n_m": "N:M", "blocks": "Blocks"}
_TEXTS = {"n_m": ["2:4", "1:4", "1:2", "4:8"], "blocks": ["4x4", "1x16", "16x1", "8x8"]}
_LABELS = {
    "n_m": "N:M: of every M weights along the inputs, N stay",
    "blocks": "Rows x columns of a block",
}
_CAPTIONS = {
    UNSTRUCTURED: "Every weight goes by itself: the mildest for the accuracy; ordinary hardware "
    "gains no time. [Source](https://arxiv.org/abs/1710.01878)",
    "n_m": "2:4 is what the sparse tensor cores of NVIDIA's GPUs since Ampere compute faster; "
    "processors (CPUs) gain no time. [Source](https://arxiv.org/abs/2104.08378)",
    "blocks": "Weights of a dense or recurrent layer go block by block, for kernels written for "
    "such blocks; without one there is no gain in time. "
    "[Source](https://arxiv.org/abs/1711.02782)",
}
_POOLINGS = {"average": "Mean of its weights", "max": "Its largest weight"}


@dataclass(frozen=True)
class Chosen:
    """What the form says of the pattern.

    Attributes:
        text: As in ``PruningPlan.pattern``.
        fixed: The share of zeros that N:M always has; ``None`` for a pattern with a target.
    """

    text: str = UNSTRUCTURED
    pooling: Pooling = "average"
    fixed: float | None = None


def show(method: Method, prefix: str) -> Chosen:
    """Draw the choice, for the method weights.

    Args:
        method: What the plan removes.
        prefix: Of the widgets' keys.
    """
    if method != "weights":
        return Chosen()
    kind = st.segmented_control(
        "Pattern of the zeros",
        list(_KINDS),
        default=UNSTRUCTURED,
        required=True,
        format_func=_KINDS.__getitem__,
        key=f"{prefix}pattern",
        persist_state="session",
        wrap=True,
    )
    st.caption(_CAPTIONS[kind])
    if kind == UNSTRUCTURED:
        return Chosen()
    text = st.selectbox(
        _LABELS[kind],
        _TEXTS[kind],
        accept_new_options=True,
        key=f"{prefix}{kind}",
        persist_state="session",
        help="Choose one, or type your own numbers.",
    )
    pooling: Pooling = "average"
    if kind == "blocks":
        pooling = st.segmented_control(
            "A block is judged by",
            POOLINGS,
            default="average",
            required=True,
            format_func=_POOLINGS.__getitem__,
            key=f"{prefix}block_pooling",
            persist_state="session",
            wrap=True,
        )
    return Chosen(text or _TEXTS[kind][0], pooling, _fixed(text))


def says_share(chosen: Chosen) -> None:
    """Say, in place of the target, how many zeros N:M makes."""
    st.caption(
        f"{chosen.text} sets {100 * (chosen.fixed or 0):.3g} % of the weights to zero in every "
        "layer that it can lie on, a little less where its groups do not divide the inputs. There "
        "is no other share: lock layers in the table to leave them whole."
    )


def values(plan: PruningPlan) -> dict[str, Any]:
    """What the widgets say for a plan, by key without the prefix."""
    pattern = plan.pattern_of_zeros
    kind = {NofM: "n_m", Blocks: "blocks"}.get(type(pattern), UNSTRUCTURED)
    found: dict[str, Any] = {"pattern": kind, "block_pooling": plan.block_pooling}
    if kind != UNSTRUCTURED:
        found[kind] = pattern.text
    return found


def _fixed(text: str | None) -> float | None:
    try:
        return parse_pattern(text or "").fixed
    except PlanError:
        return None  # the plan will be refused, with the reason, where plans are shown
