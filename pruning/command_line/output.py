"""Where a command's words go: the answer to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import io
import json as json_module
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from pruning.errors import PruningError, StorageError

# They join letters and parts of emoji, and command no terminal.
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_COMMANDING = ("Cc", "Cf", "Zl", "Zp", "Cs")  # Unicode's categories


def visible(text: str) -> str:
    r"""Write out what would command a terminal or turn a line around. A line end -> ``\n``.

    Names of layers, classes and files are chosen by whoever made the file: an escape sequence in
    one could clear the screen, a line end could forge a line of ours.
    """
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in _COMMANDING and char not in _JOINERS
        else char
        for char in text
    )


def plain(text: str) -> Text:
    """Text for a console that is no markup and commands no terminal."""
    return Text(visible(text))


class Outlet(io.FileIO):
    """A descriptor whose reader may leave.

    With ``| head -1`` the reader is gone after a line: the work goes on, and what nobody reads is
    dropped. Any other failure is raised once, and not again when the stream is closed.

    Attributes:
        lost: Nothing can be written any more.
    """

    lost = False

    def write(self, data: Any, /) -> int:
        """Write, or drop what nobody reads."""
        size = memoryview(data).nbytes
        if self.lost:
            return size
        try:
            return super().write(data)
        except BrokenPipeError:
            self.lost = True
            return size
        except OSError:
            self.lost = True
            raise


@contextmanager
def _outlet(descriptor: int) -> Iterator[tuple[IO[str], Outlet]]:
    """A text stream on a copy of a descriptor."""
    outlet = Outlet(os.dup(descriptor), "w")
    with io.TextIOWrapper(
        io.BufferedWriter(outlet), encoding="utf-8", errors="backslashreplace"
    ) as stream:
        yield stream, outlet


def open_closed_streams() -> None:
    """Lead standard streams that are closed to nothing.

    The next file that is opened would get their number: a model being written, say, into which
    libraries then print.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


@dataclass(frozen=True)
class Output:
    """What a command answers with.

    Attributes:
        json: Answer with one JSON object.
        stream: The real standard output.
        outlet: What the stream writes to.
        notes: Standard error, for progress.
    """

    json: bool
    stream: IO[str]
    outlet: Outlet
    notes: Console

    def answer(self, record: dict[str, Any], text: Callable[[Console], None]) -> None:
        """Give the answer: the record as JSON, or the same facts as text.

        Raises:
            StorageError: Standard output takes no more, such as a file on a full disk.
        """
        try:
            if self.json:
                self.stream.write(json_module.dumps(record, indent=1, allow_nan=False) + "\n")
            else:
                # Piped into a file there is no width to fit into: cells must not be cut.
                width = None if self.stream.isatty() else 160
                text(Console(file=self.stream, highlight=False, width=width))
            self.stream.flush()
        except OSError as error:
            raise StorageError(
                f"The answer could not be written to standard output: {error.strerror}.",
                expected="A terminal, file or program that takes all of it.",
                fix="Free some space, or send standard output somewhere else. The work itself is "
                "done: what was asked for with --out is written.",
            ) from error

    def error(self, error: PruningError) -> None:
        """Say what is wrong with the input."""
        if self.json and not self.outlet.lost:
            message = f"{error.happened} {error.expected}"
            record = {"error": {"kind": error.kind, "message": message, "fix": error.fix}}
            self.stream.write(json_module.dumps(record, indent=1) + "\n")
            return
        for line in (error.happened, error.expected, error.fix):
            self.notes.file.write(visible(" ".join(line.split())) + "\n")

    def say(self, said: str) -> None:
        """Tell something on the way; text, not markup."""
        self.notes.print(plain(said))

    @contextmanager
    def working(self, name: str) -> Iterator[Work]:
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
            task = progress.add_task(visible(name), total=None, words="")
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
        self.bar.update(self.task, total=1.0, completed=fraction, words=visible(words))


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
            _outlet(copy) as (stream, outlet),
            # Of its own: the descriptor is led elsewhere while TensorFlow is imported, and a person
            # should see meanwhile that work goes on.
            _outlet(2) as (notes, _),
            contextlib.redirect_stdout(sys.stderr),
        ):
            yield Output(json, stream, outlet, Console(file=notes, highlight=False))
    finally:
        os.dup2(copy, 1)
        os.close(copy)
