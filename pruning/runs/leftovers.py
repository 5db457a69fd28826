"""What a process that was killed had half written, or half deleted.

Folders appear and go by a renaming, under names that begin with a dot and that nobody lists. Who is
killed in between leaves them behind, an upload of gigabytes among them.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress

from pruning import storage

STALE_SECONDS = 24 * 3600  # what was last written a day ago is nobody's work
_PARENTS = ("models", "data", "runs", "jobs")
_NAMES = (".upload.*", ".new-*", ".deleted-*")


def clear() -> None:
    """Remove what has not been written for a day."""
    for parent in _PARENTS:
        for pattern in _NAMES:
            for path in (storage.home() / parent).glob(pattern):
                with suppress(OSError):  # another server was quicker
                    if time.time() - path.stat().st_mtime < STALE_SECONDS:
                        continue
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink()
