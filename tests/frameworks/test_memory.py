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
