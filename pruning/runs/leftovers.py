"""What a process that was killed had half written, or half deleted.

Folders appear and go by a renaming, under names that begin with a dot and that nobody lists. Who is
killed in between leaves them behind, an upload of gigabytes among them.
"""

from __future__ import annotations

from pruning import storage

_PARENTS = ("models", "data", "runs", "jobs")
_NAMES = (".upload.*", ".new-*", ".deleted-*")


def clear() -> None:
    """Remove what has not been written for a day."""
    for parent in _PARENTS:
        for pattern in _NAMES:
            storage.remove_stale((storage.home() / parent).glob(pattern))
