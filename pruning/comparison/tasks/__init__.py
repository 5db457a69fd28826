"""One kind of task a file: what is measured, and how two models are compared on it."""

from __future__ import annotations

from pruning.comparison.tasks._base import Paired, Task
from pruning.comparison.tasks.classification import TASK as CLASSIFICATION
from pruning.comparison.tasks.multilabel import TASK as MULTILABEL
from pruning.comparison.tasks.regression import TASK as REGRESSION

TASKS: dict[str, Task] = {task.name: task for task in (CLASSIFICATION, MULTILABEL, REGRESSION)}

__all__ = ["TASKS", "Paired", "Task"]
