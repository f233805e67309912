"""`relink`: the files that make editing systems treat proxies and originals as the same clips."""

import argparse
import os
import sys
from pathlib import Path

from proxx_worker import __version__
from proxx_worker.cli.console import UsageError, fail, say
from proxx_worker.cli.finished import require_extra, require_not_read, results_of
from proxx_worker.cli.paths import require_writable
from proxx_worker.contract.errors import ErrorClass, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.files.errnos import classify_os_error, translate_os_errors
from proxx_worker.files.places import write_output
from proxx_worker.relink.clips import RelinkClip, UnfitError, clips_of
from proxx_worker.relink.presence import require_proxies

_FILES = ("fcpxml", "otio", "ale")
"""The options that name a file."""


def relink(arguments: argparse.Namespace) -> int:
    """Write the requested file, or a generation of a hash list. Exit code 1 for clips that the format cannot describe."""
    try:
        _require(arguments)
        found = results_of(arguments.results)
        for option in _FILES:
            if (path := getattr(arguments, option)) is not None:
                require_not_read(f"--{option}", path, found.files)
    except UsageError as error:
        return fail(str(error))
    target = arguments.fcpxml or arguments.otio or arguments.ale or arguments.mhl
    name = found.results[0].job.jobspec.name if found.workspace is None else Path(found.workspace).absolute().name
    try:
        clips = clips_of([result.job for result in found.results])
        unseen = require_proxies(clips)
        told = _write(arguments, clips, name)
    except UnfitError as error:
        fail(str(error))
        return int(ErrorClass.VALIDATION)
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    found.tell_left_out()
    if unseen:
        sys.stderr.write(f"{visible(unseen)}\n")
    say(f"{target}: {told}")
    return 0


def _require(arguments: argparse.Namespace) -> None:
    if arguments.otio is not None:
        require_extra("relink", "opentimelineio")
    if arguments.mhl is not None:
        require_extra("relink", "ascmhl")
        if not os.path.isdir(arguments.mhl) or not os.access(arguments.mhl, os.R_OK | os.W_OK | os.X_OK):  # noqa: PTH112
            raise UsageError(
                f"--mhl {arguments.mhl} must be the folder that holds the proxies, and your user must be able to write there"
            )
    for option in _FILES:
        if getattr(arguments, option) is not None:
            require_writable(f"--{option}", getattr(arguments, option))


def _write(arguments: argparse.Namespace, clips: list[RelinkClip], name: str) -> str:
    """Write it; returns a description of its content. Raises `UnfitError` and `ProxxError`."""
    if arguments.mhl is not None:
        from proxx_worker.relink.mhl import add_to_history

        try:
            count = add_to_history(clips, arguments.mhl, f"proxies made by proxx-worker {__version__}")
        except OSError as error:
            raise classify_os_error(error, "read or write", error.filename or arguments.mhl) from error
        return f"a generation with {count} prox{'y' if count == 1 else 'ies'}"
    path, data = _file(arguments, clips, name)
    with translate_os_errors("write", path):
        write_output(path, data)
    return f"{len(clips)} clip{'' if len(clips) == 1 else 's'}"


def _file(arguments: argparse.Namespace, clips: list[RelinkClip], name: str) -> tuple[str, bytes]:
    """The path of the file that was asked for, and its content."""
    if arguments.fcpxml is not None:
        from proxx_worker.relink.fcpxml import fcpxml

        return arguments.fcpxml, fcpxml(clips, name)
    if arguments.otio is not None:
        from proxx_worker.relink.otio import collection

        return arguments.otio, collection(clips, name).encode("utf-8", "backslashreplace")
    from proxx_worker.relink.ale import ale

    return arguments.ale, ale(clips).encode()
