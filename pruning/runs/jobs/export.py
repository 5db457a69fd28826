"""Write a run's pruned model in another format, checked against the model."""

from __future__ import annotations

from typing import Any

from pruning import storage
from pruning.errors import NotFoundError
from pruning.runs import library
from pruning.runs.jobs._base import Job, Task


def run(task: Task) -> dict[str, Any]:
    """Write ``exports/`` of a run; request: ``run`` and ``to``, the format's name.

    Returns:
        What the export says, with ``path`` relative to the home folder.
    """
    from pruning.delivery.export import export
    from pruning.delivery.exports import exports

    to = task.request["to"]
    folder = library.find(task.request["run"])
    model = folder.model()
    if model is None:
        raise NotFoundError(
            f"The run {folder.id} has no model.",
            expected="A run that is done.",
            fix="Wait until it is done, or start it again.",
        )
    task.stages("export")
    with task.stage("export"):
        out = folder.exports / f"model{exports()[to].suffix}"
        result = dict(export(model, to, out))
    path = str(out.relative_to(storage.home()))
    return {**result, "path": path, "made": [path]}


JOB = Job("export", run)
