"""The commands' names and options."""

from __future__ import annotations

import argparse
from typing import NoReturn

from pruning.command_line import commands
from pruning.errors import UsageError


class Parser(argparse.ArgumentParser):
    """Argument parser whose complaints are errors like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            f"The command line was not understood: {message}.",
            expected=" ".join(self.format_usage().split()),
            fix=f"See {self.prog} --help.",
        )


def build_parser() -> Parser:
    """The parser with all commands."""
    parser = Parser(
        prog="python -m pruning",
        description="Make a trained Keras model smaller and faster, and prove what that cost.",
        epilog="DATA is an .npz, a .zip, a .csv or .tsv, a folder of class folders, or a demo's "
        "name: image, speech, text. Exit codes: 0 done, 2 the input is at fault, 130 interrupted.",
        allow_abbrev=False,
    )
    _add_json(parser)
    found = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for command in commands.commands():
        child = found.add_parser(
            command.name, help=command.title, description=command.help, allow_abbrev=False
        )
        _add_json(child)
        command.arguments(child)
        child.set_defaults(command=command)
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="print exactly one JSON object on standard output",
    )
