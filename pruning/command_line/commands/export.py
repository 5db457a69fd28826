"""``export MODEL --to FORMAT --out PATH``: a file to deploy, checked against the model."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rich.console import Console

from pruning import quantities
from pruning.command_line.commands._base import Command, add_length, path
from pruning.command_line.output import Output, plain
from pruning.command_line.targets import writing


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", type=path, metavar="MODEL", help="a .keras or .h5 file")
    parser.add_argument("--to", required=True, metavar="FORMAT", help="keras, h5 or litert")
    parser.add_argument("--out", required=True, type=path, metavar="PATH", help="file to write")
    add_length(parser)


def run(options: Namespace, output: Output) -> None:
    """Export the model."""
    from pruning import api

    with writing(options.out) as out, output.working(f"export to {options.to}"):
        found = api.export(options.model, options.to, out, length=options.length)

    def show(console: Console) -> None:
        console.print(plain(f"{found.path}, {quantities.size(found.bytes)}"), soft_wrap=True)
        console.print(
            f"read again: equals the model {quantities.agreement(found.max_abs_error)} "
            f"on {found.samples} samples"
        )

    output.answer(found.to_dict(), show)


COMMAND = Command(
    "export",
    "write a model in another format, checked",
    "Write a model in another format, read it again, and compare it with the model. A file that "
    "does not give the model's outputs is an error and is not kept.",
    arguments,
    run,
    order=6,
)
