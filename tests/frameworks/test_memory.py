"""TensorFlow gives memory back: its pool is off before it is imported, unless the user says so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NAME = "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"
SAY = (
    f"import os, sys, pruning.frameworks; print(os.environ[{NAME!r}], 'tensorflow' in sys.modules)"
)


@pytest.mark.parametrize(("given", "found"), [(None, "true"), ("false", "false")])
def test_the_pool_is_off_before_tensorflow_is_there(given, found):
    environment = {name: value for name, value in os.environ.items() if name != NAME}
    if given is not None:
        environment[NAME] = given
    done = subprocess.run(
        [sys.executable, "-c", SAY], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [found, "False"]


AS_A_WARM_WORKER = f"""
import importlib.abc, os, sys

class BeforeTensorFlow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "tensorflow":
            print(os.environ.get({NAME!r}))
            sys.exit()

sys.meta_path.insert(0, BeforeTensorFlow())
from pruning.runs.warming import warm
warm()
"""


def test_the_pool_is_off_in_a_warm_worker_too():
    """It imports both Kerases, and with them TensorFlow, before there is anything to do."""
    environment = {name: value for name, value in os.environ.items() if name != NAME}
    done = subprocess.run(
        [sys.executable, "-c", AS_A_WARM_WORKER],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["true"]


FAULTS = """
import resource
import numpy as np
from pruning.frameworks.memory import keep_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.full(50 * 2**20, 1, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = min(faults() for _ in range(3))
keep_memory()
print(given_back, min(faults() for _ in range(3)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's settings")
@pytest.mark.parametrize("variable", [None, "MALLOC_MMAP_MAX_"])
def test_a_training_keeps_the_memory_of_its_last_step(variable):
    """50 MiB are 12,800 pages of 4 KiB: mapped anew for each use, or once."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MALLOC_", "GLIBC_"))
    }
    if variable is not None:
        environment[variable] = "65536"  # the library's own value, said by the user
    # Small pages, so that a page is a fault wherever the test runs.
    environment["NUMPY_MADVISE_HUGEPAGE"] = "0"
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, check=True
    )
    given_back, kept = map(int, done.stdout.split())
    assert given_back >= 12_800
    assert kept >= 12_800 if variable else kept < 128


IMPORTED = """
import gc, sys
from pruning.frameworks.memory import imported

if sys.argv[1] == "there":
    import tensorflow
collections = []
gc.callbacks.append(lambda phase, info: collections.append(phase))
before = gc.get_freeze_count()
gc.collect(); collections.clear()
assert imported("keras").__name__ == "keras"
found = len(collections), gc.get_freeze_count() > before, gc.isenabled()
imported("keras")
print(*found)
"""


@pytest.mark.parametrize(("tensorflow", "frozen"), [("not there", "True"), ("there", "False")])
def test_the_collector_leaves_an_import_alone(tensorflow, frozen):
    """Objects are set aside for good only where nobody can have made a model before."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, tensorflow], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", frozen, "True"]
