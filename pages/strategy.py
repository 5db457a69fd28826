"""Strategy: what to remove, priced while it is chosen; plans kept; the start of a run."""

from __future__ import annotations

import streamlit as st

from pages.components import errors, header, works
from pages.components.strategy import draft, form, outcome, plans, side_by_side, start
from pages.components.strategy.priced import Priced
from pruning.errors import OutdatedError, PlanError
from pruning.runs import library

st.title("Strategy", anchor=False)
opened = header.require(model=True)
model = works.profile_or_wait(opened.model)
works.time_model(model.digest)
left, right = st.columns([2, 3], gap="large")
with left:
    plans.open_one(model)
    unsaved = st.container()
    choices = form.show(model)
profile = model.requested(choices.on_request)
with right, errors.shown():
    scores = outcome.scores(profile, choices, opened.data)
    influences = outcome.influences(profile, choices, opened.data)
    try:
        plan = outcome.plan(profile, choices, scores, influences)
    except OutdatedError as error:
        header.plan_is(profile.digest, None)
        works.analyse_again(profile.digest, error)
        st.stop()
    except PlanError as error:
        header.plan_is(profile.digest, None)
        errors.show(error)
        outcome.by_hand(profile, choices, scores, influences)
        st.stop()
    plan = plans.named(profile, plan)
    header.plan_is(profile.digest, plan)
    prices = outcome.prices(profile, plan, opened.data, scores)
    figures = st.container()
    # Before the figures: who pressed it does not wait for what it is about.
    priced = Priced(model, plan, prices, opened.data, library.runs())
    start.show(priced)
    plans.keep(profile, plan)
    with unsaved:
        draft.follow(profile, plan)
    with figures:
        outcome.show(profile, plan, prices, scores, influences)
side_by_side.show(priced)
