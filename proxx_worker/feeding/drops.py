"""Writes specs into an inbox or a folder: all of them or none, each whole, durable, never overwriting another."""

import os
import secrets
import signal
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.durable import create_file, write_all
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.locations import path_bytes
from proxx_worker.files.syncing import require_syncable, sync_directory, sync_file
from proxx_worker.workspace.submit import place

PREFIX: Final = b".feed-"
"""The name of a spec that is being written: hidden, so that no worker claims it."""

_ABANDONED_SECONDS: Final = 3600
_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Spec(Protocol):
    """A spec to be written: `stem`, what it is called without `.json`, and its bytes."""

    @property
    def stem(self) -> str: ...  # noqa: D102 - see the class

    @property
    def data(self) -> bytes: ...  # noqa: D102 - see the class


def drop(folder: bytes, specs: Sequence[Spec]) -> list[bytes]:
    """Write each spec as `STEM.json` into `folder`, or as `STEM~2.json`, ... if that is taken. Returns the paths made.

    All are on the disk under hidden names before the first gets its own. If that fails, those that have theirs are removed again,
    except for one that a worker has claimed in between, which the error names. The same goes for a KeyboardInterrupt, which the
    handler of any signal may raise.

    Raises:
        ProxxError: NO_SPACE, WORKSPACE_INVALID, IO_ERROR, or SPEC_INVALID for a name that no worker accepts. Then nothing is left
            except what the message names.

    """
    hidden: list[bytes] = []
    made: list[bytes] = []
    with translate_os_errors("open the folder", folder, state_folder=True):
        require_syncable(folder)
    try:
        for spec in specs:
            hidden.append(os.path.join(folder, PREFIX + secrets.token_hex(8).encode()))
            _write(hidden[-1], spec.data)
        for spec, temporary in zip(specs, hidden, strict=True):
            with _signals_wait():
                made.append(place(folder, temporary, path_bytes(spec.stem)))
        with translate_os_errors("sync the folder", folder, state_folder=True):
            sync_directory(folder)
    except (ProxxError, KeyboardInterrupt) as fault:
        _remove(hidden)
        claimed = [path for path in made if not _remove([path])]
        if claimed and isinstance(fault, ProxxError):
            names = ", ".join(display_name(os.path.basename(path)) for path in claimed)
            message = f"{fault.error.message}; already claimed by a worker: {names}"
            raise ProxxError(fault.code, message, **{**fault.error.details, "claimed": names}) from fault
        raise
    return made


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Hold the signals that end a command until the end of the block.

    An interrupt right after a rename, before its new name is noted, would leave a spec that nobody removes.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _write(path: bytes, data: bytes) -> None:
    with translate_os_errors("write", path, state_folder=True):
        descriptor = create_file(path)
        try:
            write_all(descriptor, data)
            sync_file(descriptor)
        finally:
            os.close(descriptor)


def _remove(paths: Sequence[bytes]) -> bool:
    """Remove those that exist. False if one was missing."""
    gone = True
    for path in paths:
        try:
            os.unlink(path)
        except OSError:
            gone = False
    return gone


def sweep(folder: bytes) -> None:
    """Remove hidden specs that a killed feeder left, an hour old or more by the clock of their file system.

    A running feeder finishes its own within a moment. One that cannot be removed is left: it is not a candidate and does no harm.
    """
    now = os.stat(folder).st_mtime
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode) and now - status.st_mtime > _ABANDONED_SECONDS:
                        os.unlink(entry.path)


def make_directories(paths: Sequence[str]) -> list[str]:
    """Make the folders that are missing, durably, and those above them. Returns those of `paths` that were made.

    Raises `ProxxError`: NO_SPACE or IO_ERROR; OUTPUT_DIRECTORY_MISSING if a file has the name.
    """
    made = []
    for path in paths:
        raw = path_bytes(path)
        missing = []
        while not os.path.isdir(raw):
            if os.path.lexists(raw):
                shown = display_name(raw)
                message = f"{shown} must be a folder, but is a file; remove it, or choose another folder for the proxies"
                raise ProxxError(ErrorCode.OUTPUT_DIRECTORY_MISSING, message, path=shown)
            missing.append(raw)
            raw = os.path.dirname(raw)
        for folder in reversed(missing):
            with translate_os_errors("create the folder", folder), suppress(FileExistsError):
                os.mkdir(folder)
                sync_directory(os.path.dirname(folder))
        if missing:
            made.append(path)
    return made


def require_directories(paths: Sequence[str], remedy: str = "pass --create-directories") -> None:
    """Raise OUTPUT_DIRECTORY_MISSING, naming the first and how many, if some of the folders are missing.

    `remedy`: how the caller's user has them created.
    """
    missing = [path for path in paths if not os.path.isdir(path_bytes(path))]
    if missing:
        first = display_name(path_bytes(missing[0]))
        absent = "does not: create it" if len(missing) == 1 else f"and {len(missing) - 1} more do not: create them"
        if os.path.lexists(path_bytes(missing[0])):
            message = f"output directories must be folders, but {first} is not: remove it, or choose another folder"
        else:
            message = f"output directories must exist, but {first} {absent}, or {remedy}"
        raise ProxxError(ErrorCode.OUTPUT_DIRECTORY_MISSING, message, path=first, missing=len(missing))
