"""Retraining while, or after, a model is pruned."""

from pruning.training.features import Features
from pruning.training.readiness import Ready, graph_comes_first, made_ready
from pruning.training.retraining import Stretch, TrainingResult, retrain
from pruning.training.timing import step_seconds
from pruning.training.trainee import steps_of_epoch

__all__ = [
    "Features",
    "Ready",
    "Stretch",
    "TrainingResult",
    "graph_comes_first",
    "made_ready",
    "retrain",
    "step_seconds",
    "steps_of_epoch",
]
