"""Upload: open a demo or bring a model and data; see both, and what the model can do."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.upload import sides

st.title("Upload", anchor=False)
# Always there, with words or without: what comes below must not change its place, or the browser
# sets up its drop zones anew and forgets the file that is being sent from one.
with st.container():
    opened = sides.stored(state.current())
    if not opened.model:
        st.markdown("Open a demo with one click, or bring your own Keras model and its data.")
    sides.failure()
left, right = st.columns(2, gap="large")
with left:
    profile = sides.model(opened)
with right:
    manifest = sides.data(opened, profile)
with left:
    if profile is not None and manifest is not None:
        sides.judged(opened, profile, manifest)
    if opened.model:
        sides.another_model()
