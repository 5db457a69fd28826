"""``demo NAME --out DIR``: a trained model and its data, to try everything on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rich.console import Console

from pruning import demos, quantities
from pruning.command_line.commands._base import Command, path
from pruning.command_line.output import Output, plain
from pruning.command_line.targets import filling


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("name", metavar="NAME", help=", ".join(demos.ORDER))
    parser.add_argument("--out", required=True, type=path, metavar="DIR", help="folder to write to")


def run(options: Namespace, output: Output) -> None:
    """Copy the demo's files.

    Raises:
        NotFoundError: There is no demo of that name.
    """
    demo = demos.demo(options.name)
    with filling(options.out) as out:
        model, data = demos.copy_to(options.name, out)
    record = {
        "model": str(model),
        "data": str(data),
        "classes": list(demo.classes),
        "baseline_accuracy": demo.accuracy,
    }

    def text(console: Console) -> None:
        console.print(plain(f"{demo.title}: {demo.task}"))
        console.print(plain(f"model     {model}"), soft_wrap=True)
        console.print(plain(f"data      {data}"), soft_wrap=True)
        console.print(plain(f"classes   {', '.join(demo.classes)}"))
        accuracy = quantities.percent(demo.accuracy)
        console.print(f"accuracy  {accuracy} on {demo.test_samples:,} test samples")

    output.answer(record, text)


COMMAND = Command(
    "demo",
    "write a demo's model and data into a folder",
    "Write the trained model and the data of a demo into a folder.",
    arguments,
    run,
    order=0,
)
