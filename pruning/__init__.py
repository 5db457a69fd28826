"""Pruning Studio: make a trained Keras model smaller and faster, and prove what that cost."""
