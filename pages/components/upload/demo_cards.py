"""One card a demo: what it is, how good, how large, and one button."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components.text import plain
from pages.components.upload import opening
from pruning import quantities
from pruning.demos import Demo, demos

_PICTURES = Path(__file__).parent / "pictures"


def cards() -> None:
    """Draw the demos side by side."""
    with st.grid(3, min_column_width=170, gap="small"):
        for demo in demos():
            with st.container(border=True, height="stretch", key=f"card_{demo.name}"):
                _card(demo)


def _card(demo: Demo) -> None:
    st.image(str(_PICTURES / f"{demo.modality}.svg"), alt=f"{demo.modality} demo", width="stretch")
    st.markdown(f"**{demo.title}**")
    st.caption(demo.task)
    st.caption(
        f"{quantities.percent(demo.accuracy)} test accuracy  \n"
        f"{quantities.size(demo.bytes)} with its data",
        help="  \n".join(plain(line) for line in (*demo.limits, f"Licence: {demo.licence}")),
    )
    st.space("stretch")
    st.button(
        "Open",
        key=f"demo_{demo.name}",
        type="primary",
        width="stretch",
        on_click=opening.open_demo,
        args=(demo,),
    )
