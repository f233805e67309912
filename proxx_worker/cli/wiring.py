"""From flags and files to the objects that the commands need."""

import argparse
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from proxx_worker import __version__
from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import EXIT_USAGE, ErrorCode, ProxxError
from proxx_worker.contract.result import WorkerRecord
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.preflight import Environment, Roots
from proxx_worker.settings import ConfigurationError, Settings, load_settings


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message says why. Exit code 64."""


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings of `--config` and the flags. Raises `UsageError`."""
    flags: dict[str, object] = {key: getattr(arguments, key, None) for key in Settings.model_fields}
    if arguments.declared_versions is not None:
        flags["declared_versions"] = dict(_pair(text) for text in arguments.declared_versions)
    try:
        return load_settings(None if arguments.config is None else Path(arguments.config), flags)
    except ConfigurationError as error:
        raise UsageError(str(error)) from error


def _pair(text: str) -> tuple[str, str]:
    name, equals, version = text.partition("=")
    if not (name and equals):
        raise UsageError(f"--declared-versions takes NAME=VERSION, not {text!r}")
    return name, version


def tools_of(settings: Settings) -> Callable[[], Tools]:
    """A look-up of the tools, made once: `PATH` is read here and nowhere else. It raises FFMPEG_MISSING or FFPROBE_MISSING."""
    path = os.environ.get("PATH")
    return cache(lambda: locate_tools(settings.ffmpeg, settings.ffprobe, path))


def environment_of(settings: Settings, tools: Callable[[], Tools]) -> Environment:
    """What jobs may use under these settings."""
    return Environment(tools, Roots(settings.source_roots, settings.output_roots), settings.stall_seconds)


def worker_record(settings: Settings, tools: Callable[[], Tools]) -> WorkerRecord:
    """Who works, for the result. A missing tool shows as null."""
    try:
        found: Tools | None = tools()
    except ProxxError:
        found = None
    return WorkerRecord(
        version=__version__,
        ffmpeg=found.ffmpeg if found is not None else settings.ffmpeg,
        ffprobe=found.ffprobe if found is not None else settings.ffprobe,
        declared_versions=dict(settings.declared_versions),
    )


def say_path(path: str | bytes | os.PathLike[str]) -> None:
    """Print a path on a line of its own: its very bytes for a program, harmless text on a terminal, as `ls` does."""
    from proxx_worker.observe.records import printable

    raw = os.fsencode(path)
    sys.stdout.buffer.write((printable(display_name(raw)).encode() if sys.stdout.isatty() else raw) + b"\n")
    sys.stdout.buffer.flush()


def fail(message: str, code: ErrorCode | None = None) -> int:
    """Print an error for a person and return the exit code of `code`, or of a usage error."""
    from proxx_worker.observe.records import printable

    prefix = "" if code is None else f"{code}: "
    sys.stderr.write(f"proxx-worker: {prefix}{printable(message)}\n")
    return EXIT_USAGE if code is None else int(code.error_class)
