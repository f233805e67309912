"""Paths as given on the command line: UTF-8, whatever the locale."""

import os

from proxx_worker.cli.console import UsageError
from proxx_worker.contract.candidates import display_name
from proxx_worker.files.locations import path_text
from proxx_worker.files.places import NoPlaceError, require_place


def as_given(argument: str) -> str:
    """An argument as text; bytes that are not UTF-8 come as surrogate escapes."""
    return path_text(os.fsencode(argument))


def absolute(path: str) -> str:
    """A path made absolute by its names alone: symlinks stay as they are."""
    return path_text(os.path.abspath(os.fsencode(path)))  # noqa: PTH100 - keeps `..` of symlinks out of it


def require_writable(option: str, path: str) -> bytes:
    """Where the file will be written, see `place_of`. Raises `UsageError` if it cannot be, before the work rather than after."""
    try:
        return require_place(path)
    except NoPlaceError as error:
        raise UsageError(f"{option} {display_name(os.fsencode(path))} cannot be written: {error}; name another file") from error
