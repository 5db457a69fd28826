"""A plan that was changed and not saved: there again after a reload, for who wants to go on.

The form's values live in the session, and a session ends with its page. What it said last is kept
beside the model's saved plans; it is offered, never put into the form unasked: somebody else may
have changed it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from pages.components.strategy import plans
from pages.components.text import plain
from pruning.analysis.profile import ModelProfile
from pruning.errors import PruningError
from pruning.strategy import library
from pruning.strategy.description import describe
from pruning.strategy.plan import PruningPlan
from pruning.strategy.validation import check_plan

_KEY = "drafts of this session"


@dataclass
class _Begun:
    """What this session has of a model.

    Attributes:
        plan: That it shows, without a name.
        offered: What was left from an earlier session, until something is changed here.
    """

    plan: PruningPlan
    offered: PruningPlan | None


def follow(profile: ModelProfile, plan: PruningPlan) -> None:
    """Keep the plan when it was changed; before that, offer the one that was kept.

    Args:
        profile: The model.
        plan: What the form comes to.
    """
    plan = replace(plan, name="")
    known: dict[str, _Begun] = st.session_state.setdefault(_KEY, {})
    if profile.digest not in known:
        known[profile.digest] = _Begun(plan, _left(profile))
    begun = known[profile.digest]
    if plan != begun.plan:
        begun.plan, begun.offered = plan, None
        with suppress(PruningError):  # a full disk says so where something is saved on purpose
            library.save_draft(profile.digest, plan)
    if begun.offered not in (None, plan):
        _offer(profile, begun)


def _left(profile: ModelProfile) -> PruningPlan | None:
    """What an earlier session left, where it still fits the model."""
    with suppress(PruningError):
        found = library.load_draft(profile.digest)
        if found is not None:
            check_plan(profile, found)
            return found
    return None


def _offer(profile: ModelProfile, begun: _Begun) -> None:
    assert begun.offered is not None
    with st.container(horizontal=True, vertical_alignment="center", key="draft"):
        st.caption(f"Not saved, the last time: {plain(describe(begun.offered))}.")
        st.button(
            "Go on with it",
            icon=":material/history:",
            key="go_on",
            on_click=_go_on,
            args=(profile, begun),
        )


def _go_on(profile: ModelProfile, begun: _Begun) -> None:
    if begun.offered is not None:
        plans.fill(profile, begun.offered)
