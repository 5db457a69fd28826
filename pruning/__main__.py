"""``python -m pruning``: the command line."""

import sys


def run() -> int:
    """Run the command. -> the exit code, 130 for Ctrl-C while its modules are still being read."""
    try:
        from pruning.command_line import main

        return main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130


if __name__ == "__main__":
    sys.exit(run())
