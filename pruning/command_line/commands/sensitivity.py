"""``sensitivity MODEL``: announced in the contract, not built yet."""

from __future__ import annotations

from argparse import REMAINDER, ArgumentParser, Namespace

from pruning.command_line.commands._base import Command
from pruning.command_line.output import Output
from pruning.errors import PlanError


def arguments(parser: ArgumentParser) -> None:
    """Take whatever is given: the answer is the same."""
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rest", nargs=REMAINDER)


def run(options: Namespace, output: Output) -> None:
    """Say so.

    Raises:
        PlanError: Always.
    """
    raise PlanError(
        "Measuring sensitivity is planned, but not built yet.",
        expected="One of the commands inspect, plan, prune, compare, export, runs, demo.",
        fix="Use plan with a uniform target, and compare what it gives.",
    )


COMMAND = Command(
    "sensitivity",
    "measure what each layer costs when pruned (not built yet)",
    "Not built yet.",
    arguments,
    run,
    order=2,
)
