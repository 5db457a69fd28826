"""``prune MODEL --plan plan.json --out DIR``: carry out a plan in this process."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Table

from pruning import quantities
from pruning.api.results import Pruned
from pruning.command_line.commands._base import Command, add_recalibration, path, place
from pruning.command_line.output import Output, Work, plain
from pruning.command_line.targets import filling
from pruning.comparison.recalibration import Recalibration

UNITS = {"params": "parameters", "flops": "FLOPs", "bytes": "bytes", "gzip_bytes": "bytes"}


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "model", type=path, metavar="MODEL", help="the model file that the plan was made for"
    )
    parser.add_argument("--plan", required=True, type=path, metavar="FILE", help="a plan's JSON")
    parser.add_argument("--data", type=place, metavar="DATA", help="data to retrain and compare on")
    parser.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="epochs of retraining, in place of the plan's; 0 retrains nothing",
    )
    add_recalibration(parser)
    parser.add_argument("--out", required=True, type=path, metavar="DIR", help="folder to write to")


def run(options: Namespace, output: Output) -> None:
    """Prune, retrain, compare, save."""
    from pruning import api
    from pruning.api.inputs import read_plan

    plan = read_plan(options.plan)
    if options.no_recalibrate:
        plan = replace(plan, recalibrate=False)
    with filling(options.out) as out, output.working("load") as work:
        pruned = api.prune(
            options.model,
            plan,
            out=out,
            data=options.data,
            epochs=options.epochs,
            stage=work.stage,
            progress=work.progress,
            report=lambda line: report(line, work),
        )
    output.answer(pruned.to_dict(), lambda console: show_all(pruned, console))


def report(line: Mapping[str, Any], work: Work) -> None:
    """Show a line of training metrics."""
    names = ("loss", "accuracy", "val_loss", "val_accuracy", "sparsity")
    words = [f"{name} {line[name]:.4f}" for name in names if line.get(name) is not None]
    epoch = f"epoch {line['epoch']}, " if line.get("epoch") is not None else ""
    if line.get("step") is not None and line.get("steps"):
        work.progress(line["step"] / line["steps"], epoch + ", ".join(words))


def show_all(pruned: Pruned, console: Console) -> None:
    """Write before and after, and what JSON keeps for other files."""
    show(pruned.to_dict(), console, pruned.recalibration)
    if pruned.layers is not None:
        console.print(plain(f"{'layers':9} {pruned.layers}"), soft_wrap=True)


def show(
    results: Mapping[str, Any], console: Console, recalibration: Recalibration | None = None
) -> None:
    """Write before and after."""
    table = Table("", "before", "after", "change", box=None, pad_edge=False)
    for name, unit in UNITS.items():
        before, after = results[name]["before"], results[name]["after"]
        form = quantities.size if unit == "bytes" else quantities.count
        title = {"gzip_bytes": "gzip", "bytes": "file"}.get(name, unit)
        change = quantities.factor(before, after, unit)
        table.add_row(title, form(before), form(after), change)
    if accuracy := results["accuracy"]:
        before, after = accuracy["before"], accuracy["after"]
        if results.get("metric") == "mae":
            change = quantities.number(after - before, signed=True)
            row = (quantities.number(before), quantities.number(after), change)
        else:
            change = quantities.points(after - before)
            row = (quantities.percent(before), quantities.percent(after), change)
        table.add_row(results.get("metric") or "accuracy", *row)
    console.print(table)
    if results["sparsity"]:
        console.print(f"{quantities.percent(results['sparsity'])} of the weights are zero")
    if looked := results.get("calibration"):
        samples = quantities.plural(looked["samples"], "sample")
        console.print(f"{looked['criterion']} looked at {samples} of the training split")
    if check := results["self_check"]:
        cuts = check.get("cuts", 1)
        proven = (
            f"each of {cuts} cuts equals its model" if cuts > 1 else "the cut equals the original"
        )
        console.print(
            f"self-check: {proven} {quantities.agreement(check['max_abs_error'])} "
            f"(allowed {check['tolerance']:.0e}, {check['samples']} samples)"
        )
        if check.get("inexact"):
            console.print(
                f"inexact: {len(check['inexact'])} groups were cut on request; outputs differ by "
                f"up to {check['change']:.2g} from the original whose readers see zeros there"
            )
    for note in results.get("notes", ()):
        console.print(plain(note), soft_wrap=True)
    if recalibration is not None:
        console.print(plain(recalibration.describe()), soft_wrap=True)
    spent = (f"{name} {quantities.duration(s)}" for name, s in results["seconds"].items())
    console.print(f"time: {', '.join(spent)}", markup=False)
    for name in ("model", "channels", "masks"):
        if results[name]:
            console.print(plain(f"{name:9} {results[name]}"), soft_wrap=True)


COMMAND = Command(
    "prune",
    "carry out a plan",
    "Prune a model as a plan says, retrain it, compare it, and write the result into a folder. "
    "Without --data nothing can be retrained or compared: give --epochs 0.",
    arguments,
    run,
    order=4,
)
