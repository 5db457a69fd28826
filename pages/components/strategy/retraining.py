"""The retraining settings of a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.components import heading
from pruning.strategy.plan import (
    DECAYS,
    MOST_FEATURE_MATCHING,
    OPTIMIZERS,
    Method,
    Training,
)

_PREFIX = "plan_"
_FEATURES_SOURCE = "https://arxiv.org/abs/1412.6550"
_DISTILLATION_SOURCE = "https://arxiv.org/abs/1503.02531"
_COSINE_SOURCE = "https://arxiv.org/abs/1608.03983"
_DECAYS = {"cosine": "falls to 0 along a cosine", "none": "stays as it is"}


def show() -> Training:
    """Draw what everybody chooses: epochs and learning rate."""
    heading.section("Retraining")
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


def advanced(training: Training, method: Method) -> Training:
    """Draw the rest: optimizer, batch size, decay, the original as a teacher, stopping, seed."""
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
        "Distillation, % of the loss",
        0,
        100,
        0,
        step=10,
        key=f"{_PREFIX}distillation",
        persist_state="session",
        help="The pruned model is also told how sure the original was of every "
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
        help="Ends the retraining once so many epochs have brought nothing, and keeps the best "
        "weights. 0 switches it off.",
    )
    seed = two.number_input(
        "Seed",
        0,
        2**31 - 1,
        0,
        key=f"{_PREFIX}seed",
        persist_state="session",
        help="Fixes the order of the samples and all else that chance decides: another seed shows "
        "how much of a result is luck.",
    )
    features = _feature_matching() if method == "channels" else 0.0
    return replace(
        training,
        optimizer=optimizer,
        batch_size=batch,
        decay=decay,
        distillation=distillation / 100,
        feature_matching=features,
        patience=patience or None,
        seed=seed,
    )


def _feature_matching() -> float:
    return float(
        st.number_input(
            "Feature matching, weight in the loss",
            0.0,
            float(MOST_FEATURE_MATCHING),
            0.0,
            step=1.0,
            format="%g",
            key=f"{_PREFIX}feature_matching",
            persist_state="session",
            help="Each channel that stays is drawn to what it holds in the original, which runs "
            "beside the pruned model; a step takes longer. 0 switches it off, 3 is a good start. "
            f" [Source]({_FEATURES_SOURCE})",
        )
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
        "feature_matching": float(training.feature_matching),
        "patience": training.patience or 0,
        "seed": training.seed,
    }
