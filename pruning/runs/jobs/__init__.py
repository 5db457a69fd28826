"""What a worker can be asked to do, one job a file."""

from __future__ import annotations

import importlib
import pkgutil

from pruning.runs.jobs._base import Job


def kinds() -> list[str]:
    """Names of all jobs, told by the files of this folder."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in names if not name.startswith("_"))


def job(kind: str) -> Job:
    """Return the job of that kind; only its own file is imported.

    Raises:
        ValueError: There is no such job.
    """
    if kind not in kinds():
        raise ValueError(f"unknown job {kind!r}, there are {', '.join(kinds())}")
    found: Job = importlib.import_module(f"{__name__}.{kind}").JOB
    return found
