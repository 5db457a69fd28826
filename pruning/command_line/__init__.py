"""The engine without a browser, for scripts and CI. Its output is a public contract.

With ``--json`` standard output is exactly one JSON object; everything else that is printed, by
native code too, goes to standard error. Exit 0: done. Exit 2: the input is at fault, said as
``{"error": {"kind", "message", "fix"}}`` on standard output, or without ``--json`` as three lines
on standard error: what happened, what was expected, how to fix it.
"""

from __future__ import annotations

import errno
import os
from argparse import Namespace
from collections.abc import Sequence

from pruning import quantities
from pruning.command_line.output import answering, open_closed_streams
from pruning.command_line.parser import build_parser
from pruning.errors import PruningError, StorageError
from pruning.frameworks.greetings import give_no_advice
from pruning.storage import disk_full

DONE, FAULT, INTERRUPTED = 0, 2, 130
_REFUSED = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS)


def main(arguments: Sequence[str]) -> int:
    """Run one command. -> the exit code."""
    open_closed_streams()
    give_no_advice()
    options: Namespace | PruningError
    try:
        # Outside of ``answering``: help belongs on standard output.
        options = build_parser().parse_args(arguments)
    except PruningError as error:
        options = error
    with answering(json="--json" in arguments) as output:
        try:
            if isinstance(options, PruningError):
                raise options
            options.command.run(options, output)
        except PruningError as error:
            output.error(error)
            return FAULT
        except KeyboardInterrupt:
            output.say("Interrupted.")
            return INTERRUPTED
        except Exception as error:
            fault = disk_full(error) or _bad_path(error)
            if fault is None:
                raise  # a bug: stays loud
            output.error(fault)
            return FAULT
    return DONE


def _bad_path(error: BaseException) -> StorageError | None:
    """The error for a path that the system refuses as such, wherever it is met; else None."""
    if not isinstance(error, OSError) or error.errno not in _REFUSED or error.filename is None:
        return None
    name = os.fsdecode(error.filename)
    return StorageError(
        f"{quantities.middle(name, 200)} cannot be opened: {error.strerror}.",
        expected="A path that the system accepts, and permission to use it.",
        fix="Check the path and its permissions, or give another one.",
    )
