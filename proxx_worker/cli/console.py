"""What a command tells its caller, line by line. Light: `submit` and `status` need no more of the command line than this."""

import os
import sys

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import EXIT_USAGE, ErrorCode
from proxx_worker.contract.text import visible
from proxx_worker.observe.journal import is_journal, prefix


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message says why. Exit code 64."""


def say(line: str) -> None:
    """Print a line for a person, whatever the names in it hold."""
    sys.stdout.write(visible(line) + "\n")


def say_path(path: str | bytes | os.PathLike[str]) -> None:
    """Print a path on a line of its own: its very bytes for a program, harmless text on a terminal, as `ls` does."""
    raw = os.fsencode(path)
    sys.stdout.buffer.write((visible(display_name(raw)).encode() if sys.stdout.isatty() else raw) + b"\n")
    sys.stdout.buffer.flush()


def unreadable(jobspec: str, error: OSError | ValueError) -> str:
    """Why there is no spec to look at. `ValueError`: what is no path at all."""
    return f"the JobSpec {display_name(os.fsencode(jobspec))} cannot be read: {reason_of(error)}; name a JobSpec file that can"


def reason_of(error: OSError | ValueError) -> str:
    """The system's words alone, without the number and the path that Python puts around them."""
    return str(getattr(error, "strerror", None) or error)


def stderr_is_journal() -> bool:
    """Whether stderr goes to systemd's journal, where lines carry a priority."""
    return is_journal(2, os.environ.get("JOURNAL_STREAM"))


def fail(message: str, code: ErrorCode | None = None) -> int:
    """Print an error for a person and return the exit code of `code`, or of a usage error."""
    priority = prefix("ERROR") if stderr_is_journal() else ""
    named = "" if code is None else f"{code}: "
    sys.stderr.write(f"{priority}proxx-worker: {named}{visible(message)}\n")
    return EXIT_USAGE if code is None else int(code.error_class)
