"""Paths as given on the command line: UTF-8, whatever the locale."""

import os

from proxx_worker.files.locations import path_text


def as_given(argument: str) -> str:
    """An argument as text; bytes that are not UTF-8 come as surrogate escapes."""
    return path_text(os.fsencode(argument))


def absolute(path: str) -> str:
    """A path made absolute by its names alone: symlinks stay as they are."""
    return path_text(os.path.abspath(os.fsencode(path)))  # noqa: PTH100 - keeps `..` of symlinks out of it
