"""What a run proved of its cut before anything was retrained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.text import visible
from pruning import quantities
from pruning.comparison.proof import proof

_NAMED = 5  # inexact groups that are named


def show(results: Mapping[str, Any]) -> None:
    """Say how far the cut model was from the original whose consumers read zeros.

    Args:
        results: Of a finished run, as ``prune`` prints them.
    """
    proven, words = proof(results)
    if not proven:
        return
    st.caption(f":material/verified: **{proven}:** {words}")
    check = results["self_check"]
    if check.get("inexact"):
        names = [visible(name, 40) for name in check["inexact"]]
        named = quantities.listed([f"`{name.replace('`', 'ʼ')}`" for name in names], _NAMED)
        st.warning(
            f"**Inexact on request:** a layer normalises over all channels of {named}, so "
            "that the channels that stay changed, too: outputs moved by up to "
            f"{check['change']:.2g} beyond the exact cut. Retraining has to make up for it.",
            icon=":material/rule:",
        )
