"""What a command prints, line by line. Cheap to import: `submit` and `status` need nothing else of the command line."""

import os
import sys
from collections.abc import Mapping

from proxx_worker.cli.streams import discard_stdout
from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import EXIT_USAGE, ErrorCode, JsonValue
from proxx_worker.contract.faults import Fault
from proxx_worker.contract.text import visible
from proxx_worker.observe.journal import is_journal, prefix


class UsageError(Exception):
    """The command cannot be run as given; the message says why. Exit code 64."""


def say(line: str) -> None:
    """Print a line for a person, whatever the names in it hold."""
    sys.stdout.write(visible(line) + "\n")


def say_path(path: str | bytes | os.PathLike[str]) -> None:
    """Print a path on a line of its own: its exact bytes for a program, escaped text on a terminal, as `ls` does."""
    raw = os.fsencode(path)
    try:
        sys.stdout.buffer.write((visible(display_name(raw)).encode() if sys.stdout.isatty() else raw) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        discard_stdout()  # the file is written; those still to be written must not be lost because the reader is gone


def error_lines(code: str, message: str, details: Mapping[str, JsonValue]) -> list[str]:
    """An error for a person: code and message on one line, or, where a spec has several faults, each on a line of its own."""
    faults = details.get("faults")
    if not isinstance(faults, list) or len(faults) < _SEVERAL:
        return [f"{code}: {message}"]
    cut = ["  and more that are not listed"] if details.get("faults_cut") else []
    return [f"{code}: {len(faults)} faults", *(f"  {_fault_line(fault)}" for fault in faults), *cut]


_SEVERAL = 2


def _fault_line(fault: JsonValue) -> str:
    match fault:
        case {"path": str(path), "message": str(message), "allowed": allowed}:
            shown = tuple(map(str, allowed)) if isinstance(allowed, list) else allowed
            known = shown if isinstance(shown, str | tuple) and "did you mean" not in message else None
            return str(Fault(path, message, known))
        case _:
            return str(fault)


def unreadable(jobspec: str, error: OSError | ValueError) -> str:
    """Why the spec cannot be read. `ValueError`: the argument is not a path at all."""
    return f"the JobSpec {display_name(os.fsencode(jobspec))} cannot be read: {reason_of(error)}; name a readable JobSpec file"


def reason_of(error: OSError | ValueError) -> str:
    """The system's message alone, without the number and the path that Python adds."""
    return str(getattr(error, "strerror", None) or error)


def stderr_is_journal() -> bool:
    """Whether stderr goes to systemd's journal, where lines carry a priority."""
    return is_journal(2, os.environ.get("JOURNAL_STREAM"))


def terminal_is_dumb() -> bool:
    """Whether the terminal only takes lines: no bar is drawn on it."""
    return os.environ.get("TERM", "dumb") in {"", "dumb"}


def fail(message: str, code: ErrorCode | None = None) -> int:
    """Print an error for a person and return the exit code of `code`, or of a usage error."""
    priority = prefix("ERROR") if stderr_is_journal() else ""
    named = "" if code is None else f"{code}: "
    sys.stderr.write(f"{priority}proxx-worker: {named}{visible(message)}\n")
    return EXIT_USAGE if code is None else int(code.error_class)
