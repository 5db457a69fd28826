"""The retraining settings of a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pruning.strategy.plan import DECAYS, OPTIMIZERS, Training

_PREFIX = "plan_"
_DISTILLATION_SOURCE = "https://arxiv.org/abs/1503.02531"
_COSINE_SOURCE = "https://arxiv.org/abs/1608.03983"
_DECAYS = {"cosine": "falls to 0 along a cosine", "none": "stays as it is"}


def show() -> Training:
    """Draw what everybody chooses: epochs and learning rate."""
    st.markdown("**Retraining**")
    one, two = st.columns(2)
    epochs = one.number_input(
        "Epochs",
        0,
        1000,
        3,
        key=f"{_PREFIX}epochs",
        persist_state="session",
        help="Passes over the training data. 0 retrains nothing.",
    )
    rate = two.number_input(
        "Learning rate",
        0.0,
        10.0,
        Training().learning_rate,
        step=1e-4,
        format="%g",
        key=f"{_PREFIX}learning_rate",
        persist_state="session",
        help="A tenth of what the model was trained with is a good start.",
    )
    return Training(epochs=epochs, learning_rate=rate)


def advanced(training: Training) -> Training:
    """Draw the rest: optimizer, batch size, decay, distillation, early stopping, seed."""
    one, two = st.columns(2)
    optimizer = one.selectbox(
        "Optimizer", OPTIMIZERS, key=f"{_PREFIX}optimizer", persist_state="session"
    )
    batch = two.number_input(
        "Batch size", 1, 65_536, 64, key=f"{_PREFIX}batch_size", persist_state="session"
    )
    decay = one.selectbox(
        "The learning rate …",
        DECAYS,
        format_func=lambda name: _DECAYS[name],
        key=f"{_PREFIX}decay",
        persist_state="session",
        help="Smaller and smaller steps end near the best weights instead of jumping around them. "
        f"[Source]({_COSINE_SOURCE})",
    )
    distillation = two.number_input(
        "Learn from the original's answers, % of the loss",
        0,
        100,
        0,
        step=10,
        key=f"{_PREFIX}distillation",
        persist_state="session",
        help="Distillation: the pruned model is also told how sure the original was of every "
        "class. 0 learns from the labels alone; above 0 the original answers all training samples "
        f"first. [Source]({_DISTILLATION_SOURCE})",
    )
    patience = one.number_input(
        "Early stopping after … epochs without a better validation loss",
        0,
        100,
        0,
        key=f"{_PREFIX}patience",
        persist_state="session",
        help="0 switches it off.",
    )
    seed = two.number_input("Seed", 0, 2**31 - 1, 0, key=f"{_PREFIX}seed", persist_state="session")
    return replace(
        training,
        optimizer=optimizer,
        batch_size=batch,
        decay=decay,
        distillation=distillation / 100,
        patience=patience or None,
        seed=seed,
    )


def values(training: Training) -> dict[str, Any]:
    """What the widgets have to hold to say ``training``, by key without the prefix."""
    return {
        "epochs": training.epochs,
        "learning_rate": training.learning_rate,
        "optimizer": training.optimizer,
        "batch_size": training.batch_size,
        "decay": training.decay,
        "distillation": round(100 * training.distillation),
        "patience": training.patience or 0,
        "seed": training.seed,
    }
