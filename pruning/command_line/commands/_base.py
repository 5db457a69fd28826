"""Contract of a command: its arguments, and what it does with them."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pruning.command_line.output import Output


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: As typed.
        title: One line for the list of commands.
        help: What it does and prints.
        arguments: Adds its arguments to a parser.
        run: Does it and answers. Raises PruningError.
        order: Place in the list of commands.
    """

    name: str
    title: str
    help: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Output], None]
    order: int


def place(text: str) -> str:
    """A path as typed: ``~`` is the user's folder, which a shell leaves as it is in ``--out=~/x``.

    Raises:
        ArgumentTypeError: It is empty, as a variable that is not set leaves it.
    """
    if not text:
        raise ArgumentTypeError("the path is empty")
    return os.path.expanduser(text)  # noqa: PTH111 - pathlib's raises for unknown users


def path(text: str) -> Path:
    """Same as :func:`place`, as a path."""
    return Path(place(text))


def add_length(parser: ArgumentParser) -> None:
    """Add ``--length``, which several commands share."""
    parser.add_argument(
        "--length",
        type=_steps,
        metavar="N",
        help="steps of an open dimension (time steps, tokens) in the model's input",
    )


def add_recalibration(parser: ArgumentParser) -> None:
    """Add ``--no-recalibrate``, which plan and prune share."""
    parser.add_argument(
        "--no-recalibrate",
        action="store_true",
        help="after the cut, leave the statistics of BatchNormalization as they are",
    )


def _steps(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
