"""`relink`: the files that make editing systems treat proxies and originals as the same clips."""

import argparse
from pathlib import Path

from proxx_worker import __version__
from proxx_worker.cli.console import UsageError, fail, say
from proxx_worker.cli.finished import require_extra, require_not_read, require_writable, results_of
from proxx_worker.contract.errors import ErrorClass
from proxx_worker.files.durable import write_durable
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.relink.clips import RelinkClip, UnfitError, clips_of

_FILES = ("fcpxml", "otio", "ale")
"""The options that name a file."""


def relink(arguments: argparse.Namespace) -> int:
    """Write the requested file, or a generation of a hash list. Exit code 1 for clips that the format cannot describe."""
    try:
        _require(arguments)
        results, whole = results_of(arguments.results)
        for option in _FILES:
            if (path := getattr(arguments, option)) is not None:
                require_not_read(f"--{option}", path, results)
    except UsageError as error:
        return fail(str(error))
    target = arguments.fcpxml or arguments.otio or arguments.ale or arguments.mhl
    name = Path(arguments.results[0]).absolute().name if whole else results[0].job.jobspec.name
    try:
        clips = clips_of([result.job for result in results])
        told = _write(arguments, clips, name)
    except UnfitError as error:
        fail(str(error))
        return int(ErrorClass.VALIDATION)
    except OSError as error:
        fault = classify_os_error(error, "write", str(error.filename or target))
        return fail(fault.error.message, fault.code)
    say(f"{target}: {told}")
    return 0


def _require(arguments: argparse.Namespace) -> None:
    if arguments.otio is not None:
        require_extra("relink", "opentimelineio")
    if arguments.mhl is not None:
        require_extra("relink", "ascmhl")
        if not Path(arguments.mhl).is_dir():
            raise UsageError(f"--mhl {arguments.mhl} must be the folder that holds the proxies")
    for option in _FILES:
        if getattr(arguments, option) is not None:
            require_writable(f"--{option}", getattr(arguments, option))


def _write(arguments: argparse.Namespace, clips: list[RelinkClip], name: str) -> str:
    """Write it; returns a description of its content."""
    told = f"{len(clips)} clip{'' if len(clips) == 1 else 's'}"
    if arguments.mhl is not None:
        from proxx_worker.relink.mhl import add_to_history

        count = add_to_history(clips, arguments.mhl, f"proxies made by proxx-worker {__version__}")
        return f"a generation with {count} prox{'y' if count == 1 else 'ies'}"
    if arguments.fcpxml is not None:
        from proxx_worker.relink.fcpxml import fcpxml

        write_durable(arguments.fcpxml, fcpxml(clips, name))
    elif arguments.otio is not None:
        from proxx_worker.relink.otio import collection

        write_durable(arguments.otio, collection(clips, name).encode("utf-8", "backslashreplace"))
    else:
        from proxx_worker.relink.ale import ale

        write_durable(arguments.ale, ale(clips).encode())
    return told
