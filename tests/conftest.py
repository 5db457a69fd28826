"""What holds for all tests."""

import gc
import os

from hypothesis import HealthCheck, settings

import pruning.frameworks  # noqa: F401 - before any test imports TensorFlow, which reads its choices

# Tests that run side by side have a core each; threads of two that wait for each other cost time.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")

# How long an example takes says how busy the machine is, not whether the rule holds.
settings.register_profile("studio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("studio")

# TensorFlow's graphs are circles of many small objects. Looking for them at every 700th object,
# as Python does, took a tenth of the tests' time.
gc.set_threshold(20_000, 20, 50)
