"""What TensorFlow and Keras say of themselves, kept out of terminals and logs.

A person reads both for what became of a model. Notes about processors and graphics cards, advice to
programmers, and an error for a graphics card that nobody has, are no part of that.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Written before TensorFlow has read TF_CPP_MIN_LOG_LEVEL, so that no level keeps them back.
_GREETINGS = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    rb"|I0000 .*"
    rb"|INFO: Created TensorFlow Lite XNNPACK delegate for CPU\."
)
_STANDARD_ERROR = 2


def give_no_advice() -> None:
    """Have the libraries speak of errors alone; call before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for library in ("absl", "tensorflow"):
        logging.getLogger(library).setLevel(logging.ERROR)
    # tf_keras, of every file in the format that this studio is asked for.
    warnings.filterwarnings("ignore", "You are saving your model as an HDF5 file", UserWarning)


@contextmanager
def without_greetings() -> Iterator[None]:
    """Hold standard error back meanwhile, and give on at the end what is no greeting.

    Native code writes to the descriptor and not to ``sys.stderr``: so the descriptor is led to a
    file. Should the process die meanwhile, what it said is lost with it.
    """
    try:
        before = os.dup(_STANDARD_ERROR)
    except OSError:  # closed: nobody reads it
        before = None
    if before is None or os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":  # who wants to see all
        yield
        return
    try:
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), _STANDARD_ERROR)
            try:
                yield
            finally:
                os.dup2(before, _STANDARD_ERROR)
                held.seek(0)
                said = [line for line in held if not _GREETINGS.fullmatch(line.rstrip())]
                os.write(_STANDARD_ERROR, b"".join(said))
    finally:
        os.close(before)
