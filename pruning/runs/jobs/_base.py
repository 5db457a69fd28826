"""Contract of a job: one kind of work that a worker process can be asked to do.

One file per kind, each with a ``JOB``; the file's name is the kind. The server imports these files
too, so they import TensorFlow, and the rooms that need it, inside their functions only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from pruning.runs.folder import RunFolder


class Task(Protocol):
    """What a running job is given: its folder, and how to say what it is doing."""

    @property
    def folder(self) -> RunFolder:
        """The folder that the job works in."""

    @property
    def request(self) -> Mapping[str, Any]:
        """What is to be done: the content of ``request.json``."""

    def stages(self, *names: str) -> None:
        """Announce the stages that will come, so that a page can show them as waiting."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Enter a stage; its time is recorded.

        Raises:
            Cancelled: On entering, when the user has asked to stop.
        """

    def skip(self, name: str) -> None:
        """Say that an announced stage is not needed."""

    def prepared(self, name: str, seconds: float) -> None:
        """Say that a stage was done before this work came, and how long it took."""

    def progress(self, fraction: float, words: str) -> None:
        """Say how far the stage is: a fraction from 0 to 1, and the same in a few words."""

    def report(self, line: Mapping[str, Any]) -> None:
        """Append one line to the metrics."""

    def should_stop(self) -> bool:
        """Whether the user has asked to stop; long loops ask this each time round."""


@dataclass(frozen=True)
class Job:
    """One kind of work.

    Attributes:
        run: Does the work and returns the results for the record. ``results["made"]`` may list
            files, relative to the home folder, without which the work counts as not done.
        tensorflow: Needs TensorFlow, so that a warm worker is of use.
        queued: Waits until a core is free; other jobs start at once.
    """

    kind: str
    run: Callable[[Task], dict[str, Any]]
    tensorflow: bool = True
    queued: bool = False
