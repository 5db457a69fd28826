"""What a worker can be asked to do, one job a file."""

from __future__ import annotations

from pruning.plugins import names, plugin
from pruning.runs.jobs._base import Job


def kinds() -> tuple[str, ...]:
    """Names of all jobs, told by the files of this folder."""
    return names(__name__)


def job(kind: str) -> Job:
    """Return the job of that kind; only its own file is imported.

    Raises:
        ValueError: There is no such job.
    """
    if kind not in kinds():
        raise ValueError(f"unknown job {kind!r}, there are {', '.join(kinds())}")
    found: Job = plugin(__name__, kind).JOB
    return found
