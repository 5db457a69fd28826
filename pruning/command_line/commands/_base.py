"""Contract of a command: its arguments, and what it does with them."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import dataclass

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
        raise ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)
