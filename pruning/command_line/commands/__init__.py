"""One command a file, each with a ``COMMAND``."""

from __future__ import annotations

import importlib
import pkgutil

from pruning.command_line.commands._base import Command


def commands() -> list[Command]:
    """All commands in the order in which one uses them."""
    names = [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]
    found: list[Command] = [importlib.import_module(f"{__name__}.{name}").COMMAND for name in names]
    return sorted(found, key=lambda command: command.order)
