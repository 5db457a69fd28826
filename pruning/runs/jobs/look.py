"""Look into an uploaded data file: what it is and what can be chosen. NumPy only."""

from __future__ import annotations

from typing import Any

from pruning.intake.store import data_path
from pruning.runs.jobs._base import Job, Task


def run(task: Task) -> dict[str, Any]:
    """Tell what a data file holds; request: ``data``, and optionally ``options``.

    Returns:
        ``source``, the JSON form of :class:`pruning.intake.source.Source`.
    """
    from pruning.intake.prepare import look

    task.stages("look")
    with task.stage("look"):
        source = look(data_path(task.request["data"]), options=task.request.get("options"))
    return {"source": source.to_dict()}


JOB = Job("look", run, tensorflow=False)
