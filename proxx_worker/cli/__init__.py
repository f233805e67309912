"""The command line: the only place that builds objects from settings, and the only one that decides the process's exit code."""

import signal
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code.

    Ctrl-C while the modules load, or in a command that needs no clean stop, ends it without a traceback. The commands that must
    clean up have their own handlers, and KeyboardInterrupt never reaches this, or has the exit code as its argument.
    """
    try:
        from proxx_worker.cli.parser import run_command

        return run_command(argv)
    except KeyboardInterrupt as interrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would interrupt the interpreter's exit
        from proxx_worker.contract.errors import EXIT_SIGINT

        return int(interrupt.args[0]) if interrupt.args else EXIT_SIGINT


__all__ = ["main"]
