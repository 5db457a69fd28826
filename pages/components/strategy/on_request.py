"""Groups that are left whole unless a person asks for them."""

from __future__ import annotations

import streamlit as st

from pruning import quantities
from pruning.analysis.profile import ModelProfile
from pruning.strategy.plan import REQUESTS

KEY = "plan_on_request"
_WORDS = {
    "inexact": (
        "Widths under a normalization",
        "a layer (LayerNorm, RMSNorm, GroupNorm) normalises over these channels, so the ones that "
        "stay change, too. The cut is marked *inexact*, and the change is measured.",
    ),
    "rescaled": (
        "Key width of attention",
        "the cut is exact; the query weights are multiplied by a number besides being sliced, "
        "because attention divides by the root of this width.",
    ),
    "summed": (
        "Channels that are summed up",
        "the cut is exact: a product of two tensors (queries and keys, users and items) or a sum "
        "adds these channels up, and has no weight for each that could read zeros.",
    ),
}


def show(profile: ModelProfile) -> tuple[str, ...]:
    """Draw the choice where the model has such groups. -> kinds that are asked for."""
    counts = {kind: sum(group.on_request == kind for group in profile.groups) for kind in REQUESTS}
    offered = [kind for kind, count in counts.items() if count]
    if not offered:
        return ()
    chosen = st.pills(
        "Also cut, on request",
        offered,
        selection_mode="multi",
        format_func=lambda kind: _WORDS[kind][0],
        key=KEY,
        persist_state="session",
        wrap=True,
    )
    for kind in offered:
        title, words = _WORDS[kind]
        st.caption(f"{title} ({quantities.plural(counts[kind], 'group')}): {words}")
    return tuple(kind for kind in offered if kind in chosen)
