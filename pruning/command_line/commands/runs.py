"""``runs list|show|cancel``: the same records that the pages show."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from typing import Any

from rich.console import Console
from rich.table import Table

from pruning import quantities
from pruning.command_line.commands._base import Command
from pruning.command_line.output import Output, plain
from pruning.errors import PlanError
from pruning.runs import executor, library
from pruning.runs.library import RunSummary


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="all runs, newest first")
    for name, words in (
        ("show", "one run with its plan, stages and figures"),
        ("cancel", "ask a run to stop"),
        ("pause", "not built yet"),
        ("resume", "not built yet"),
    ):
        actions.add_parser(name, help=words).add_argument("id", metavar="ID")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", default=False)


def run(options: Namespace, output: Output) -> None:
    """List, show or cancel runs.

    Raises:
        NotFoundError: There is no run of that id.
        PlanError: Pausing is not built yet.
    """
    if options.action in ("pause", "resume"):
        raise PlanError(
            f"runs {options.action} is planned, but not built yet.",
            expected="One of runs list, runs show, runs cancel.",
            fix="Cancel the run, and start its plan again later.",
        )
    if options.action == "list":
        found = library.runs()
        record = {"runs": [summary(entry) for entry in found]}
        output.answer(record, lambda console: show_list(found, console))
        return
    folder = library.find(options.id)
    if options.action == "cancel":
        executor.cancel(folder)
    entry = library.summary(folder)
    output.answer(details(entry), lambda console: show_one(entry, console))


def summary(run: RunSummary) -> dict[str, Any]:
    """One run as JSON, as the list has it."""
    return {
        "id": run.id,
        "state": run.state,
        "model": run.model,
        "model_name": run.model_name,
        "data": run.data,
        "created": run.created,
        "note": run.note,
        "tags": list(run.tags),
        "damaged": run.damaged or None,
        "seconds": run.status.seconds if run.status else None,
        "results": dict(run.results),
    }


def details(run: RunSummary) -> dict[str, Any]:
    """One run as JSON with its plan, its stages and its error."""
    state = run.status
    return {
        **summary(run),
        "plan": run.plan.to_dict() if run.plan else None,
        "stage": state.stage if state else None,
        "stages": [vars(stage) for stage in state.stages] if state else [],
        "error": state.error.to_dict() if state and state.error else None,
    }


def show_list(found: list[RunSummary], console: Console) -> None:
    """Write a table of all runs."""
    if not found:
        console.print("No runs yet.")
        return
    table = Table("run", "started", "state", "model", "FLOPs", "accuracy", "note", "tags", box=None)
    for run in found:
        results = run.results
        flops, accuracy = results.get("flops"), results.get("accuracy")
        table.add_row(
            run.id,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created)),
            run.state,
            plain(quantities.middle(run.model_name or run.model, 30)),
            quantities.factor(flops["before"], flops["after"], "FLOPs") if flops else "",
            quantities.points(accuracy["after"] - accuracy["before"]) if accuracy else "",
            plain(quantities.middle(run.note, 40)),
            plain(quantities.middle(", ".join(run.tags), 40)),
        )
    console.print(table)


def show_one(run: RunSummary, console: Console) -> None:
    """Write one run with its stages."""
    console.print(plain(f"{run.id}: {run.state}, {run.model_name or run.model}"))
    if run.damaged:
        console.print(plain(run.damaged))
    for stage in run.status.stages if run.status else ():
        took = "" if stage.seconds is None else quantities.duration(stage.seconds)
        console.print(f"  {stage.name:12} {stage.state:8} {took}", markup=False)
    if run.status and run.status.error:
        for line in str(run.status.error).splitlines():
            console.print(plain(line))
    for name, value in run.results.items():
        console.print(plain(f"  {name:12} {value}"), soft_wrap=True)


COMMAND = Command(
    "runs",
    "list, show or cancel runs of the studio",
    "The runs in the studio's home folder, as the pages show them.",
    arguments,
    run,
    order=7,
)
