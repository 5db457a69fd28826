"""What may help where pruning cost quality, and the way back to the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.retraining import metrics
from pages.components.strategy import plans
from pruning import quantities
from pruning.comparison.result import Comparison
from pruning.comparison.verdict import lost
from pruning.runs.folder import RunFolder
from pruning.strategy.plan import PruningPlan

FALLING = 0.98  # of the loss half-way: less than that is no longer chance
FEW_STEPS = 100  # what a network has lost is seldom won back in fewer


def show(folder: RunFolder, result: Comparison) -> None:
    """Draw what may help, when a loss is shown, and a button that opens the run's plan."""
    if not lost(result):
        return
    plan = PruningPlan.from_dict(folder.read(folder.plan))
    helps = "; ".join(what_helps(plan, metrics.progress(folder).shown()))
    with st.container(key="advice", gap="xsmall"):
        st.markdown(f":material/lightbulb: **What may help:** {helps}.")
        if state.profile(plan.model) is None:
            return
        if st.button(
            "Change this plan", icon=":material/tune:", type="tertiary", key="change_plan"
        ):
            plans.open_next(plan)
            state.go("strategy", model=plan.model, plan=None)


def what_helps(plan: PruningPlan, lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name what this plan leaves to be tried.

    Args:
        plan: As it was carried out.
        lines: The run's metrics.
    """
    epochs = plan.training.epochs
    helps = []
    if not epochs:
        helps.append("retraining, which this plan leaves out")
    elif epochs == 1:
        helps.append("more than one epoch of retraining")
    elif _falling(lines):
        helps.append(
            "more epochs or a larger learning rate, for the validation loss was still falling "
            "towards the end"
        )
    elif 0 < (steps := _steps(lines)) < FEW_STEPS:
        helps.append(
            f"more epochs or smaller batches: {quantities.plural(steps, 'training step')} are few"
        )
    if epochs and plan.method == "channels" and plan.cuts == 1:
        helps.append("removing the channels in 3 to 5 cuts with retraining between them (Advanced)")
    if epochs and plan.method == "channels" and not plan.training.feature_matching:
        helps.append("feature matching with a weight of about 3 (Advanced)")
    return [*helps, "a milder target"]


def _steps(lines: Sequence[Mapping[str, Any]]) -> int:
    """How many training steps the run had; 0 where none was reported."""
    return max((line["step"] for line in lines if "loss" in line), default=0)


def _falling(lines: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the second half of the epochs brought something; the rate falls to 0 meanwhile."""
    losses = [line["val_loss"] for line in lines if line.get("val_loss") is not None]
    return len(losses) > 1 and losses[-1] < FALLING * losses[(len(losses) - 1) // 2]
