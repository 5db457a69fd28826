"""Retraining while, or after, a model is pruned."""

from pruning.training.features import Features
from pruning.training.retraining import Stretch, TrainingResult, retrain, steps_of_epoch
from pruning.training.timing import step_seconds

__all__ = ["Features", "Stretch", "TrainingResult", "retrain", "step_seconds", "steps_of_epoch"]
