"""Where a command's words go: the answer to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import json as json_module
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pruning.errors import PruningError


@dataclass(frozen=True)
class Output:
    """What a command answers with.

    Attributes:
        json: Answer with one JSON object.
        stream: The real standard output.
        notes: Standard error, for progress.
    """

    json: bool
    stream: IO[str]
    notes: Console

    def answer(self, record: dict[str, Any], text: Callable[[Console], None]) -> None:
        """Give the answer: the record as JSON, or the same facts as text."""
        if self.json:
            self.stream.write(json_module.dumps(record, indent=1, allow_nan=False) + "\n")
        else:
            # Piped into a file there is no width to fit into: cells must not be cut.
            width = None if self.stream.isatty() else 160
            text(Console(file=self.stream, highlight=False, width=width))

    def error(self, error: PruningError) -> None:
        """Say what is wrong with the input."""
        if self.json:
            message = f"{error.happened} {error.expected}"
            record = {"error": {"kind": error.kind, "message": message, "fix": error.fix}}
            self.stream.write(json_module.dumps(record, indent=1) + "\n")
            return
        for line in (error.happened, error.expected, error.fix):
            sys.stderr.write(" ".join(line.split()) + "\n")

    def say(self, words: str) -> None:
        """Tell something on the way; text, not markup."""
        self.notes.print(words, markup=False)

    @contextmanager
    def working(self, words: str) -> Iterator[Work]:
        """Show that long work goes on."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[words]}", markup=False),
            TimeElapsedColumn(),
        )
        # In a file a bar would leave an empty line before the three lines of an error.
        hidden = not self.notes.is_terminal
        with Progress(*columns, console=self.notes, transient=True, disable=hidden) as progress:
            task = progress.add_task(words, total=None, words="")
            yield Work(self, progress, task)


@dataclass(frozen=True)
class Work:
    """Long work that is shown."""

    output: Output
    bar: Progress
    task: Any

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show a stage while it goes on; where no bar is seen, a line for each."""
        self.bar.update(self.task, description=name, total=None, words="")
        if not self.output.notes.is_terminal:
            self.output.say(name)
        yield

    def progress(self, fraction: float, words: str) -> None:
        """Show how far the stage is: a fraction from 0 to 1, and words."""
        self.bar.update(self.task, total=1.0, completed=fraction, words=words)


@contextmanager
def answering(*, json: bool) -> Iterator[Output]:
    """Keep standard output for the answer alone.

    Libraries print on it from Python and from native code. So its descriptor leads to standard
    error meanwhile, and the answer goes to a copy of the original.
    """
    sys.stdout.flush()
    copy = os.dup(1)
    os.dup2(2, 1)
    try:
        # Closing the copy after the answer tells a reader at the other end of a pipe.
        with (
            os.fdopen(os.dup(copy), "w", encoding="utf-8", errors="backslashreplace") as stream,
            # Of its own: the descriptor is led elsewhere while TensorFlow is imported, and a person
            # should see meanwhile that work goes on.
            os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace") as notes,
            contextlib.redirect_stdout(sys.stderr),
        ):
            yield Output(json, stream, Console(file=notes, highlight=False))
    finally:
        os.dup2(copy, 1)
        os.close(copy)
