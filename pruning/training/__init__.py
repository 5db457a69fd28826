"""Retraining while, or after, a model is pruned."""
