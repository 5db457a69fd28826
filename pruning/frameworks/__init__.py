"""Keras 3 and tf_keras behind one door."""

from pruning.frameworks.memory import prepare_memory

prepare_memory()
