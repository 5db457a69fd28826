"""Retraining while, or after, a model is pruned."""

from pruning.training.retraining import TrainingResult, retrain
from pruning.training.timing import step_seconds

__all__ = ["TrainingResult", "retrain", "step_seconds"]
