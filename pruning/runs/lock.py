"""One lock over the home folder: what decides about runs and jobs happens one at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from pruning import storage


@contextmanager
def locked() -> Iterator[None]:
    """One at a time over the home folder, other threads and other processes included.

    Not to be entered twice: who has it and asks for it again waits for ever.

    Raises:
        StorageError: The home folder cannot be written.
    """
    path = storage.home() / ".executor.lock"
    try:
        storage.make_home()
        stream = path.open("a")
    except OSError as error:
        raise storage.refusal(path, error) or error from error
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
