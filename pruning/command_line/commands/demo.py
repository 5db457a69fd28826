"""``demo NAME --out DIR``: a trained model and its data, to try everything on."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rich.console import Console

from pruning import quantities, storage
from pruning.command_line.commands._base import Command
from pruning.command_line.output import Output
from pruning.command_line.targets import folder_for
from pruning.errors import NotFoundError


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="image, speech or text")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write to")


def run(options: Namespace, output: Output) -> None:
    """Copy the demo's files.

    Raises:
        NotFoundError: There is no demo of that name.
    """
    from pruning.demos import demos

    known = {demo.name: demo for demo in demos()}
    if options.name not in known:
        raise NotFoundError(
            f"There is no demo {options.name!r}.",
            expected=f"One of {', '.join(known)}.",
            fix="Choose one of these names.",
        )
    demo = known[options.name]
    out = folder_for(options.out)
    paths = []
    for source in (demo.model, demo.data):
        with storage.replacing(out / source.name) as target, source.open("rb") as content:
            shutil.copyfileobj(content, target)
        paths.append(out / source.name)
    record = {
        "model": str(paths[0]),
        "data": str(paths[1]),
        "classes": list(demo.classes),
        "baseline_accuracy": demo.accuracy,
    }

    def text(console: Console) -> None:
        console.print(f"{demo.title}: {demo.task}", markup=False)
        console.print(f"model     {paths[0]}", markup=False, soft_wrap=True)
        console.print(f"data      {paths[1]}", markup=False, soft_wrap=True)
        console.print(f"classes   {', '.join(demo.classes)}", markup=False)
        console.print(f"accuracy  {quantities.percent(demo.accuracy)} on its test samples")

    output.answer(record, text)


COMMAND = Command(
    "demo",
    "write a demo's model and data into a folder",
    "Write the trained model and the data of a demo into a folder.",
    arguments,
    run,
    order=0,
)
