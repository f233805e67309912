"""From flags and files to the objects that the commands need."""

import argparse
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from proxx_worker import __version__
from proxx_worker.cli.console import UsageError
from proxx_worker.contract.errors import ProxxError
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.result import WorkerRecord
from proxx_worker.engines.ffmpeg import FfmpegEngine
from proxx_worker.engines.media_probe import FfprobeProbe
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.execution.preflight import Environment, Roots
from proxx_worker.settings import ConfigurationError, Settings, load_settings


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings of `--config` and the flags. Raises `UsageError`."""
    flags: dict[str, object] = {key: getattr(arguments, key, None) for key in Settings.model_fields}
    if arguments.declared_versions is not None:
        flags["declared_versions"] = dict(
            _pair(text, "--declared-versions", "NAME=VERSION") for text in arguments.declared_versions
        )
    if (mappings := getattr(arguments, "path_map", None)) is not None:
        pairs = [_pair(text, "--path-map", "FROM=TO") for text in mappings]
        flags["path_map"] = [{"from": prefix, "to": target} for prefix, target in pairs]
    try:
        return load_settings(None if arguments.config is None else Path(arguments.config), flags)
    except ConfigurationError as error:
        raise UsageError(str(error)) from error


def _pair(text: str, flag: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(f"{flag} takes {form}, not {text!r}")
    return name, value


def tools_of(settings: Settings) -> Callable[[], Tools]:
    """A look-up of the tools, made once: `PATH` is read here and nowhere else. It raises FFMPEG_MISSING or FFPROBE_MISSING."""
    path = os.environ.get("PATH")
    return cache(lambda: locate_tools(settings.ffmpeg, settings.ffprobe, path))


def environment_of(settings: Settings, tools: Callable[[], Tools]) -> Environment:
    """What jobs may use under these settings."""
    return Environment(
        probe=FfprobeProbe(tools),
        engines={Engine.FFMPEG: FfmpegEngine(tools)},
        roots=Roots(settings.source_roots, settings.output_roots),
        stall_seconds=settings.stall_seconds,
        paths=settings.paths,
    )


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
