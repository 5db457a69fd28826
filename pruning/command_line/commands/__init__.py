"""One command a file, each with a ``COMMAND``."""

from __future__ import annotations

from pruning.command_line.commands._base import Command
from pruning.plugins import plugins


def commands() -> list[Command]:
    """All commands in the order in which one uses them."""
    found: list[Command] = [module.COMMAND for module in plugins(__name__)]
    return sorted(found, key=lambda command: command.order)
