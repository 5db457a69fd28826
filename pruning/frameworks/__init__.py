"""Keras 3 and tf_keras behind one door."""

from pruning.frameworks.kernels import choose_kernels
from pruning.frameworks.memory import prepare_memory

choose_kernels()
prepare_memory()
